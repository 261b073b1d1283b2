// The one who talks to Python: numbers what it says, sends a steer at most once per animation frame, and knows which of
// its questions an answer belongs to.

import { wishesKey } from "./wishes.js";

const REMEMBERED = 500; // questions; an answer comes within a few

/** A client of the traits of `model`; `onSteer(steer)` hears of what other views ask for. */
export function createClient(model, onSteer) {
  const by = `view-${Math.random().toString(36).slice(2, 10)}`;
  const asked = new Map(); // "by:seq" -> the key of what was asked
  let seq = 0;
  let frame = 0;
  let waiting = null;

  const remember = (steer) => {
    asked.set(`${steer.by}:${steer.seq}`, wishesKey(steer.modes));
    if (asked.size > REMEMBERED) asked.delete(asked.keys().next().value);
  };
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
    if (waiting === null) return null;
    const steer = send("steer", waiting);
    waiting = null;
    remember(steer);
    return steer;
  };
  const heard = () => {
    const steer = model.get("steer");
    if (!steer || steer.by === by) return;
    remember(steer);
    waiting = null;
    onSteer(steer);
  };
  const first = model.get("steer");
  if (first) remember(first);
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
    /** The key of what an answer answers, or null if that is not known. */
    questionOf(answer) {
      return answer ? (asked.get(`${answer.by}:${answer.seq}`) ?? null) : null;
    },
    destroy() {
      cancelAnimationFrame(frame);
      model.off("change:steer", heard);
    },
  };
}
