// @ts-check
// Whether there is room for a text: boxes [left, top, right, bottom] that must not lie on each other.

/** @import { Box, Sides } from "../types.js" */

const STEP = 3; // pixels

/**
 * The box around a place.
 * @param {number} x
 * @param {number} y
 * @param {number} a
 * @param {number} b
 * @returns {Box}
 */
export function boxAround(x, y, a, b) {
  return [x - a, y - b, x + a, y + b];
}

/**
 * @param {Box} one
 * @param {Box} other
 */
export function overlaps(one, other) {
  return one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
}

/**
 * Whether a box is inside of another part of a canvas.
 * @param {Box} one
 * @param {Sides} sides
 */
export function isWithin([left, top, right, bottom], sides) {
  return left >= sides.left && right <= sides.right && top >= sides.top && bottom <= sides.bottom;
}

/**
 * The place nearest to a first one where a text of these half sizes lies on nothing that is there already, on a sheet:
 * outwards from the first, or else along a line aside; null where there is none.
 * @param {[number, number]} first
 * @param {[number, number]} out
 * @param {[number, number]} half
 * @param {Box[]} taken
 * @param {[number, number]} sheet
 * @returns {[number, number] | null}
 */
export function freePlace(first, out, half, taken, sheet) {
  const most = Math.max(...sheet) / (2 * STEP);
  for (let away = 0; away < most; away += 1) {
    for (let aside = 0; aside <= away; aside += 1) {
      for (const side of aside ? [1, -1] : [1]) {
        const [p, q] = [STEP * (away - aside), STEP * aside * side];
        const place = onSheet([first[0] + p * out[0] - q * out[1], first[1] + p * out[1] + q * out[0]], half, sheet);
        const box = boxAround(...place, ...half);
        if (taken.every((other) => !overlaps(box, other))) return place;
      }
    }
  }
  return null;
}

/**
 * A place drawn back to where a text of these half sizes is on the sheet.
 * @param {[number, number]} place
 * @param {[number, number]} half
 * @param {[number, number]} sheet
 * @returns {[number, number]}
 */
export function onSheet([x, y], half, sheet) {
  return [Math.max(half[0] + 2, Math.min(sheet[0] - half[0] - 2, x)), Math.max(half[1] + 2, Math.min(sheet[1] - half[1] - 2, y))];
}
