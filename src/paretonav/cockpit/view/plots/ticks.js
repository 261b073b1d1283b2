// @ts-check
// Ranges and the round numbers on them.

/** @import { Interval, Maybe } from "../types.js" */

import { isNumber, tidy } from "../numbers.js";

const LONG = 6; // digits that a tick may have before it is written with a power of ten

/**
 * The smallest range with all these numbers, or null if there is none.
 * @param {Iterable<Maybe<number>>} values
 * @param {Interval | null} known
 * @returns {Interval | null}
 */
export function rangeOf(values, known = null) {
  let [low, high] = known ?? [Infinity, -Infinity];
  for (const value of values) {
    if (!isNumber(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

/**
 * A range to draw: with room around it, and never empty.
 * @param {Interval | null} range
 * @returns {Interval}
 */
export function roomy(range, share = 0.06) {
  if (range === null) return [0, 1];
  const [low, high] = range;
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low > 1e-9 * size) return [low - share * (high - low), high + share * (high - low)];
  const half = size > 0 ? 0.05 * size : 0.5;
  return [low - half, high + half];
}

/**
 * About `count` round numbers within a range, each { value, text }.
 * @param {Interval} range
 * @param {number} count
 */
export function ticksOf([low, high], count) {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0) || !isNumber(rough)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((times) => times * power >= 0.8 * rough) ?? 10);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step && found.length < 50; k += 1) {
    found.push(tidy(k * step));
  }
  return found.map((value) => ({ value, text: tickText(value, step, Math.max(Math.abs(low), Math.abs(high))) }));
}

/**
 * @param {number} value
 * @param {number} step
 * @param {number} size
 */
function tickText(value, step, size) {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (isHalved(step) ? 1 : 0));
  const digits = decimals + Math.max(1, Math.floor(Math.log10(size || 1)) + 1);
  const text = decimals > LONG || digits > LONG + 2 ? Number(value.toPrecision(LONG)).toExponential() : value.toFixed(decimals);
  return (Number(text) === 0 ? "0" : text).replaceAll("-", "\u2212");
}

/** @param {number} step */
function isHalved(step) {
  const mantissa = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
  return Math.abs(mantissa - 2.5) < 1e-6;
}
