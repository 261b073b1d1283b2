// @ts-check
// Where one is, what can be done, what is being done.

/** @import { Job, State } from "./types.js" */

import { activeIn, build, makeButton, setAttribute, setShown, setText, setUsable } from "./dom.js";
import { createMenu } from "./menu.js";
import { createProgress } from "./progress.js";

/**
 * The header; `on` has step, undo, cancel, help and fillDownloads(panel).
 * @param {{ step(): void, undo(): void, cancel(): void, help(): void, fillDownloads(panel: HTMLElement): void }} on
 */
export function createHeader(on) {
  const title = build("h1", { class: "pn-session" });
  const point = build("span", { class: "pn-point" });
  const note = build("p", { class: "pn-status" });
  const progress = createProgress();
  const cancel = makeButton("Cancel", on.cancel, { title: "Cancel (Escape)" });
  const running = build("div", { class: "pn-running" }, progress.root, cancel);
  const step = makeButton("Step", on.step, { kind: "pn-primary", title: "Go there: the model itself moves (Ctrl+Enter)" });
  const undo = makeButton("Undo", on.undo, { title: "Back to where the last step began (Ctrl+Z)" });
  const downloads = createMenu("Download", on.fillDownloads);
  const help = makeButton("Help", on.help, { kind: "pn-plain" });
  const root = build(
    "header",
    { class: "pn-header" },
    build("div", { class: "pn-heading" }, title, point),
    build("div", { class: "pn-now" }, note, running),
    build("div", { class: "pn-actions" }, step, undo, downloads.root, help),
  );
  return {
    root,
    /** @param {{ state: State, job: Job | null, busy: boolean, status: string, can: { step: string, undo: string } }} now */
    draw({ state, job, busy, status, can }) {
      setText(title, state.title);
      setAttribute(title, "title", state.title);
      setText(point, pointInWords(state));
      if (!busy && running.contains(activeIn(root))) step.focus();
      setShown(running, busy);
      setShown(note, !busy);
      setText(note, status);
      setAttribute(note, "title", status || null);
      if (busy && job) progress.draw(job);
      setShown(cancel, state.live);
      setShown(step, state.live);
      setShown(undo, state.live);
      setUsable(step, can.step === "", can.step);
      setUsable(undo, can.undo === "", can.undo);
    },
    destroy: downloads.destroy,
  };
}

/** @param {State} state */
function pointInWords(state) {
  if (state.current === null) return "";
  return state.parent === null ? `point ${state.current}` : `point ${state.current}, from ${state.parent}`;
}
