// @ts-check
// The tree of steps as rows: the latest line of work straight down, what was left behind beside it.

/** @import { TreeRow } from "../types.js" */

import { isNumber } from "../numbers.js";

/**
 * Rows from top to bottom: { id, lane, depth, up } with `up` the row of its parent, or null. Points that were reached from one
 * point come in their order, each with all that follows from it; the last one goes on in the parent's lane.
 * @param {(number | null)[]} parent
 */
export function layTree(parent) {
  const children = new Map();
  /** @type {number[]} */
  const roots = [];
  parent.forEach((from, id) => {
    if (!isNumber(from) || from === id || !(from in parent)) roots.push(id);
    else if (children.has(from)) children.get(from).push(id);
    else children.set(from, [id]);
  });
  /** @type {TreeRow[]} */
  const rows = [];
  /** @type {TreeRow[]} */
  const stack = roots.reverse().map((id) => ({ id, lane: 0, depth: 0, up: null }));
  for (let row = stack.pop(); row; row = stack.pop()) {
    const at = rows.push(row) - 1;
    const after = children.get(row.id) ?? [];
    // The last child is pushed first: it is drawn below all others.
    for (let k = after.length - 1; k >= 0; k -= 1) {
      stack.push({ id: after[k], lane: row.lane + (k < after.length - 1 ? 1 : 0), depth: row.depth + 1, up: at });
    }
  }
  return rows;
}
