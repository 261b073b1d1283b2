// The one who talks to Python: numbers what it says, and sends a steer at most once per animation frame.

/** A client of the traits of `model`; `onSteer(steer)` hears of what other views ask for. */
export function createClient(model, onSteer) {
  const by = `view-${Math.random().toString(36).slice(2, 10)}`;
  let seq = 0;
  let frame = 0;
  let waiting = null;

  const send = (name, message) => {
    seq += 1;
    const numbered = { by, seq, ...message };
    model.set(name, numbered);
    model.save_changes();
    return numbered;
  };
  const flush = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (waiting !== null) send("steer", waiting);
    waiting = null;
  };
  const heard = () => {
    const steer = model.get("steer");
    if (!steer || steer.by === by) return;
    waiting = null;
    onSteer(steer);
  };
  model.on("change:steer", heard);

  return {
    by,
    /** Ask what would happen; what is settled goes at once, the rest with the next frame. */
    steer(message) {
      waiting = message;
      // A hidden page has no frames.
      if (message.settled || document.hidden) flush();
      else if (frame === 0) frame = requestAnimationFrame(flush);
    },
    /** Ask for something to be done; returns the number of the request. */
    request(cmd, expected_current, more = {}) {
      flush();
      return send("request", { cmd, expected_current, ...more }).seq;
    },
    destroy() {
      cancelAnimationFrame(frame);
      model.off("change:steer", heard);
    },
  };
}
