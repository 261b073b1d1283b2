// @ts-check
// Which points are looked at: what the table and the brushes on the lines' axes ask for, in all charts alike.

/** @import { Axis, Data, Filter } from "../types.js" */

import { formatValue } from "../numbers.js";

/** @type {Filter} */
export const EVERYTHING = { efficient: false, starred: false, only: null, ranges: new Map() };

/**
 * Whether a filter leaves any point out by what it asks for.
 * @param {Filter} filter
 */
export function isFiltering({ efficient, starred, only, ranges }) {
  return efficient || starred || Boolean(only) || ranges.size > 0;
}

/**
 * The same filter with another range of a quantity, or with null without one; an end that is null is open.
 * @param {Filter} filter
 * @param {string} key
 * @param {[number | null, number | null] | null} range
 * @returns {Filter}
 */
export function withRange(filter, key, range) {
  const ranges = new Map(filter.ranges);
  if (range && (range[0] !== null || range[1] !== null)) ranges.set(key, range);
  else ranges.delete(key);
  return { ...filter, ranges };
}

/**
 * By id whether a point is looked at; null where all are.
 * @param {Pick<Data, "points" | "count" | "axes">} data
 * @param {Filter} filter
 * @returns {boolean[] | null}
 */
export function passing({ points, count, axes }, filter) {
  if (!isFiltering(filter)) return null;
  const bounds = axes.flatMap((axis) => {
    const range = filter.ranges.get(axis.key);
    return range ? [{ axis, range }] : [];
  });
  const those = filter.only ? new Set(filter.only) : null;
  return Array.from({ length: count }, (_, id) => {
    if (those && !those.has(id)) return false;
    if (filter.efficient && points.efficient?.[id] === false) return false;
    if (filter.starred && !points.star?.[id]) return false;
    return bounds.every(({ axis, range: [low, high] }) => {
      const value = axis.value(id);
      return value !== null && (low === null || value >= low) && (high === null || value <= high);
    });
  });
}

/**
 * Whether a point is seen: those that are looked at, and always the current one.
 * @param {Data} data
 * @param {number} id
 */
export function isSeen(data, id) {
  return data.passing === null || data.passing[id] || id === data.current;
}

/**
 * What is looked at, in words: `2 of 9 points: not outperformed; age from 0.4 to 0.5`.
 * @param {Data} data
 */
export function sayFilter({ passing: pass, count, filter, axes }) {
  const left = pass ? pass.filter(Boolean).length : count;
  const parts = [
    ...(filter.efficient ? ["not outperformed"] : []),
    ...(filter.starred ? ["starred"] : []),
    ...(filter.only ? ["spread out"] : []),
    ...axes.flatMap((axis) => {
      const range = filter.ranges.get(axis.key);
      return range ? [`${axis.label}${inWords(range)}`] : [];
    }),
  ];
  return `${left} of ${count} points: ${parts.join("; ")}`;
}

/**
 * The range of values between two shares of an axis; open where it goes to an end of the axis.
 * @param {{ best: number, worst: number }} axis
 * @param {number} one
 * @param {number} other
 * @returns {[number | null, number | null]}
 */
export function rangeOfShares({ best, worst }, one, other) {
  const ends = [Math.min(one, other), Math.max(one, other)].map((share) => (share > 0 && share < 1 ? best + share * (worst - best) : null));
  return best < worst ? [ends[0], ends[1]] : [ends[1], ends[0]];
}

/** @param {[number | null, number | null]} range */
function inWords([low, high]) {
  return `${low === null ? "" : ` from ${formatValue(low)}`}${high === null ? "" : ` to ${formatValue(high)}`}`;
}
