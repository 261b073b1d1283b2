// @ts-check
// How far a job is: what it is doing, a bar, the seconds left, the losses as they are now.

/** @import { Job, Maybe } from "./types.js" */

import { build, setAttribute, setShown, setText } from "./dom.js";
import { formatSeconds, formatValue, isNumber, isolated } from "./numbers.js";

/** @type {Partial<Record<Job["what"], string>>} */
const NAMES = {
  start: "Starting",
  step: "Stepping",
  go: "Going there",
  undo: "Undoing",
  cover: "Spreading models out",
  visit: "Going there",
  compare: "Comparing",
  download: "Preparing the download",
};

/** The progress of the running job; `draw(job)`. */
export function createProgress() {
  const phase = build("span", { class: "pn-phase" });
  const time = build("span", { class: "pn-time" });
  const bar = build("progress", { class: "pn-progress-bar", max: 1 });
  const losses = build("div", { class: "pn-live-losses" });
  const root = build("div", { class: "pn-progress" }, build("div", { class: "pn-progress-line" }, phase, time), bar, losses);
  return {
    root,
    /** @param {Job} job */
    draw(job) {
      const doing = NAMES[job.what] ?? "Working";
      setText(phase, job.phase ? `${doing}: ${job.phase}` : doing);
      setText(time, timeInWords(job));
      setAttribute(bar, "aria-label", doing);
      if (isNumber(job.fraction)) setAttribute(bar, "value", job.fraction);
      else setAttribute(bar, "value", null);
      const now = Object.entries(job.losses ?? {});
      setText(losses, lossesInWords(now));
      setAttribute(losses, "title", losses.textContent || null);
      setShown(losses, now.length > 0);
    },
  };
}

/** @param {[string, Maybe<number>][]} losses */
export function lossesInWords(losses) {
  return losses.map(([name, value]) => `${isolated(name)} ${formatValue(value)}`).join("   ");
}

/** @param {Pick<Job, "seconds" | "left">} job */
function timeInWords({ seconds, left }) {
  const spent = isNumber(seconds) && seconds >= 1 ? formatSeconds(seconds) : "";
  const rest = isNumber(left) ? `about ${formatSeconds(Math.max(left, 0.1))} to go` : "";
  return [spent, rest].filter(Boolean).join(", ");
}
