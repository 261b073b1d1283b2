// @ts-check
// Quantities side by side: each on its own scale from the best (0) to the worst (1) of what is known.

/** @import { Emphasis, Axis, Colours, Data, Maybe, ScaledAxis } from "../types.js" */

import { isNumber } from "../numbers.js";
import { pickColour, pickDash } from "./marks.js";
import { roomy } from "./ticks.js";

/**
 * The shown quantities of which somebody said what is better, each with `share(value)` in [0, 1], `best` and `worst`.
 * @param {Data} data
 * @returns {ScaledAxis[]}
 */
export function scaledAxes(data) {
  return data.shown
    .filter(({ better }) => better === "lower" || better === "higher")
    .map((axis) => {
      const [low, high] = roomy(axis.range, 0);
      const [best, worst] = axis.better === "lower" ? [low, high] : [high, low];
      const known = axis.range !== null;
      return { ...axis, best, worst, known, share: (value) => (known && isNumber(value) ? (value - best) / (worst - best) : NaN) };
    });
}

/**
 * The points that are emphasised, the most important last: { id, colour, dash, width, text }.
 * @param {Data} data
 * @param {Colours} colours
 * @returns {Emphasis[]}
 */
export function emphasised(data, colours, most = Infinity) {
  const { current } = data;
  /** @type {Emphasis[]} */
  const picks = data.selected
    .slice(0, most)
    .filter((id) => id !== current && id !== 0)
    .map((id) => {
      const k = data.picks.get(id) ?? 0;
      return { id, colour: pickColour(colours, k), dash: pickDash(colours, k), width: 2, text: `${id}`, role: "plain" };
    });
  /** @type {Emphasis} */
  const start = { id: 0, colour: colours.start, dash: [], width: 1.6, text: "start", role: "start" };
  /** @type {Emphasis[]} */
  const now = current === null ? [] : [{ id: current, colour: colours.accent, dash: [], width: 3, text: "now", role: "current" }];
  return [...(current === 0 ? [] : [start]), ...picks.reverse(), ...now];
}
