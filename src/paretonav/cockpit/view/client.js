// @ts-check
// The one who talks to Python: numbers what it says, and sends a steer at most once per animation frame.

/** @import { Asked, Command, Model, More, Steer, Traits } from "./types.js" */

/**
 * A client of the traits of `model`; `onSteer(steer)` hears of what other views ask for.
 * @param {Model} model
 * @param {(steer: Steer) => void} onSteer
 */
export function createClient(model, onSteer) {
  const by = `view-${Math.random().toString(36).slice(2, 10)}`;
  let seq = 0;
  let frame = 0;
  /** @type {Asked | null} */
  let waiting = null;

  /**
   * @template {"steer" | "request"} Name
   * @param {Name} name
   * @param {Omit<Traits[Name] & {}, "by" | "seq">} message
   */
  const send = (name, message) => {
    seq += 1;
    const numbered = /** @type {Traits[Name] & {}} */ ({ by, seq, ...message });
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
    /**
     * Ask what would happen; what is settled goes at once, the rest with the next frame.
     * @param {Asked} message
     */
    steer(message) {
      waiting = message;
      // A hidden page has no frames.
      if (message.settled || document.hidden) flush();
      else if (frame === 0) frame = requestAnimationFrame(flush);
    },
    /**
     * Ask for something to be done; returns the number of the request.
     * @param {Command} cmd
     * @param {number | null} expected_current
     * @param {More} more
     */
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
