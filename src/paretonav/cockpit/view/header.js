// @ts-check
// Where one is, what can be done, what is being done.

/** @import { Job, Points, State } from "./types.js" */

import { activeIn, build, makeButton, setAttribute, setShown, setText, setUsable } from "./dom.js";
import { createEditable } from "./editable.js";
import { createMenu } from "./menu.js";
import { createProgress } from "./progress.js";

const LONGEST_TITLE = 120; // letters, as Python has it
const LONGEST_NAME = 60;

/**
 * The header; `on` has step, undo, cancel, help, entitle(text), name(point, text) and fillDownloads(panel).
 * @param {{ step(): void, undo(): void, cancel(): void, help(): void, entitle(text: string): void, name(point: number, text: string): void, fillDownloads(panel: HTMLElement): void }} on
 */
export function createHeader(on) {
  /** @type {number | null} */
  let current = null;
  const title = createEditable({ what: "Title", empty: "Untitled", most: LONGEST_TITLE, changed: on.entitle });
  const name = createEditable({ what: "Name of this point", empty: "name it", most: LONGEST_NAME, changed: (text) => current !== null && on.name(current, text) });
  const point = build("span", {});
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
    build("div", { class: "pn-heading" }, build("h1", { class: "pn-session" }, title.root), build("p", { class: "pn-point" }, point, name.root)),
    build("div", { class: "pn-now" }, note, running),
    build("div", { class: "pn-actions" }, step, undo, downloads.root, help),
  );
  return {
    root,
    /** @param {{ state: State, points: Points | null, job: Job | null, busy: boolean, status: string, can: { step: string, undo: string } }} now */
    draw({ state, points, job, busy, status, can }) {
      current = state.current;
      const mine = state.live && state.writable;
      title.draw(state.title, mine);
      setText(point, pointInWords(state));
      name.draw((current !== null && points?.name?.[current]) || "", mine);
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
