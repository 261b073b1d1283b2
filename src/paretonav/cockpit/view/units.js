// @ts-check
// In what changes are shown, everywhere at once: in per cent of a quantity's value, or as they are.

/** @import { Maybe, Units } from "./types.js" */

import { build } from "./dom.js";
import { formatAgainst, formatError, formatSharp, isNumber } from "./numbers.js";

const HUGE = 10; // times its value: a change that is not told in per cent

/**
 * The switch; `changed()` when it is turned. `now` is "percent" or "value".
 * @param {() => void} changed
 */
export function createUnits(changed) {
  const select = build("select", { class: "pn-units", "aria-label": "Show changes in", onchange: changed });
  for (const [value, text] of [["percent", "per cent"], ["value", "values"]]) select.append(build("option", { value, text }));
  const root = build("label", { class: "pn-units-label" }, build("span", { text: "Changes in", "aria-hidden": "true" }), select);
  return {
    root,
    get now() {
      return /** @type {Units} */ (select.value);
    },
  };
}

/**
 * Whether a change of a value can be told in per cent of it.
 * @param {Maybe<number>} change
 * @param {Maybe<number>} value
 */
export function isTellable(change, value) {
  return isNumber(change) && isNumber(value) && value !== 0 && Math.abs(change / value) < HUGE;
}

/**
 * A change with its sign, and its standard error: `["−1.00 %", "± 0.03 %"]` or `["−0.0142", "± 0.0005"]`.
 * @param {Maybe<number>} change
 * @param {Maybe<number>} error
 * @param {number} value
 * @param {Units} units
 * @returns {[string, string]}
 */
export function tellChange(change, error, value, units) {
  if (!isNumber(change)) return ["–", ""];
  const size = Math.abs(value);
  if (units === "percent" && isTellable(change, value)) {
    return [formatSharp((100 * change) / size, isNumber(error) ? (100 * error) / size : null), formatSharp((100 * (error ?? 0)) / size, null, "± ")];
  }
  return [formatAgainst(change, error, value), formatError(error)];
}

/**
 * The same as one text.
 * @param {Maybe<number>} change
 * @param {Maybe<number>} error
 * @param {number} value
 * @param {Units} units
 */
export function tellWithError(change, error, value, units) {
  return tellChange(change, error, value, units).filter(Boolean).join(" ");
}
