// @ts-check
// The scale of a slider: chosen once with the mode and the reach of that moment, so that a thumb does not jump while
// other sliders move; and how far along it one may go now.

/** @import { Amounted, Maybe, Reach, Scale, Sized } from "./types.js" */

import { isNumber, niceAbove, niceBelow, tidy } from "./numbers.js";
import { sizeOf, worseSign } from "./wishes.js";

/**
 * { min, max, step } of the slider of a wish.
 * @param {Amounted} wish
 * @param {Sized} quantity
 * @param {Maybe<Reach>} reach
 */
export function chooseScale(wish, quantity, reach) {
  const now = quantity.value ?? 0;
  const size = sizeOf(quantity);
  const worse = worseSign(quantity);
  if (wish.mode === "improve") {
    const end = isNumber(reach?.end) ? Math.max(reach.end, 0) : 40;
    return spanning(0, niceAbove(Math.max(1.25 * end, wish.percent, 0.1)));
  }
  if (wish.mode === "limit") return spanning(now, now + worse * 0.5 * size, wish.value);
  const best = isNumber(reach?.end) ? now + 1.25 * (reach.end - now) : now - worse * 0.3 * size;
  const positive = quantity.kind === "loss" && now > 0 && (reach?.end ?? 0) >= 0;
  return spanning(positive ? Math.max(best, 0) : best, now + worse * 0.3 * size, wish.value);
}

/**
 * The interval [from, to] of a scale that can be reached now.
 * @param {Amounted} wish
 * @param {Sized} quantity
 * @param {Maybe<Reach>} reach
 * @param {Scale} scale
 * @returns {[number, number]}
 */
export function reachable(wish, quantity, reach, scale) {
  const { min, max, step } = scale;
  if (!isNumber(reach?.end) || wish.mode === "limit") return [min, max];
  const down = Math.max(min, Math.min(max, min + step * Math.floor((reach.end - min) / step + 1e-9)));
  if (wish.mode === "improve") return [min, down];
  const up = Math.max(min, Math.min(max, min + step * Math.ceil((reach.end - min) / step - 1e-9)));
  const better = quantity.better === "higher" || (quantity.better === null && reach.end > quantity.value);
  return better ? [min, tidy(down)] : [tidy(up), max];
}

/**
 * The scale, widened if a number beyond it was typed.
 * @param {Scale} scale
 * @param {number} value
 */
export function including(scale, value) {
  if (value >= scale.min && value <= scale.max) return scale;
  return spanning(Math.min(scale.min, value), Math.max(scale.max, value));
}

/**
 * @param {number} one
 * @param {number} other
 * @param {number[]} also
 * @returns {Scale}
 */
function spanning(one, other, ...also) {
  const low = Math.min(one, other, ...also);
  const high = Math.max(one, other, ...also);
  const step = niceBelow((high - low || 1) / 100);
  const min = tidy(step * Math.floor(low / step + 1e-6));
  return { min, max: tidy(step * Math.ceil(high / step - 1e-6)), step };
}
