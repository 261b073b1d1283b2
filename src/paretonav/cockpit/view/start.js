// @ts-check
// Before the first point: a calm page with a button, or how far the start is.

/** @import { Job, Maybe, State } from "./types.js" */

import { build, makeButton, setShown, setText, setUsable } from "./dom.js";
import { isolated, listWords } from "./numbers.js";
import { createProgress } from "./progress.js";

const MOST = 6; // names in a sentence

/**
 * The page; `on.start()`, `on.cancel()`.
 * @param {{ start(): void, cancel(): void }} on
 */
export function createStart(on) {
  const title = build("h2", {});
  const text = build("p", {});
  const start = makeButton("Start", on.start, { kind: "pn-primary pn-large" });
  const cancel = makeButton("Cancel", on.cancel);
  const progress = createProgress();
  const root = build("section", { class: "pn-start", "aria-label": "Start" }, title, text, start, progress.root, cancel);
  return {
    root,
    /**
     * @param {State | null} state
     * @param {Job | null} job
     * @param {boolean} waiting
     */
    draw(state, job, waiting) {
      const running = job?.status === "running";
      setText(title, state ? state.title : "Connecting");
      setText(text, textOf(state, running));
      setShown(start, Boolean(state?.live) && !running);
      setUsable(start, Boolean(state?.writable) && !waiting, state?.why_not ?? "");
      setShown(progress.root, running);
      setShown(cancel, running && Boolean(state?.live));
      if (running) progress.draw(job);
    },
  };
}

/**
 * @param {State | null} state
 * @param {boolean} running
 */
function textOf(state, running) {
  if (!state) return "Waiting for the session.";
  if (running) return "The model is led to its first trade-off. Steering begins there.";
  if (!state.live) return "This is a saved copy of a session that had not been started.";
  if (!state.writable) return state.why_not;
  const names = state.quantities.slice(0, state.objectives).map((quantity) => quantity.name);
  return `A start leads the model to a first trade-off${names.length ? ` between ${someOf(names)}` : ""}. From there you steer.`;
}

/**
 * The first of the names, as in a sentence.
 * @param {string[]} names
 */
export function someOf(names) {
  const shown = names.slice(0, MOST).map(isolated);
  return listWords(names.length > MOST ? [...shown, "others"] : shown);
}
