// Which points are looked at.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERYTHING, isFiltering, isSeen, passing, rangeOfShares, sayFilter, withRange } from "../../src/paretonav/cockpit/view/plots/filter.js";
import { between } from "./randomly.js";

const VALUES = [3, 1, null, 2];
const AXIS = { key: "shown:0", label: "age", value: (id) => VALUES[id] };
const DATA = { count: 4, current: 0, axes: [AXIS], points: { efficient: [true, false, true, true], star: [false, true, true, false] } };
const of = (filter) => passing(DATA, filter);

test("a filter that asks for nothing leaves nothing out", () => {
  assert.equal(isFiltering(EVERYTHING), false);
  assert.equal(of(EVERYTHING), null);
  assert.equal(isSeen({ ...DATA, passing: null }, 1), true);
});

test("what is asked for is asked for together, and what is missing is in no range", () => {
  assert.deepEqual(of({ ...EVERYTHING, efficient: true }), [true, false, true, true]);
  assert.deepEqual(of({ ...EVERYTHING, starred: true }), [false, true, true, false]);
  assert.deepEqual(of({ ...EVERYTHING, efficient: true, starred: true }), [false, false, true, false]);
  assert.deepEqual(of(withRange(EVERYTHING, "shown:0", [2, null])), [true, false, false, true]);
  assert.deepEqual(of(withRange(EVERYTHING, "shown:0", [null, 2])), [false, true, false, true]);
});

test("an open range is none, and the filter before stays as it was", () => {
  const one = withRange(EVERYTHING, "shown:0", [1, 2]);
  assert.equal(isFiltering(one), true);
  assert.equal(isFiltering(EVERYTHING), false);
  for (const none of [null, [null, null]]) assert.equal(isFiltering(withRange(one, "shown:0", none)), false);
});

test("the current point is seen whatever is asked for", () => {
  const filter = withRange(EVERYTHING, "shown:0", [null, 2]);
  const data = { ...DATA, filter, passing: of(filter) };
  assert.deepEqual([0, 1, 2, 3].map((id) => isSeen(data, id)), [true, true, false, true]);
  assert.equal(sayFilter(data), "2 of 4 points: age to 2.000");
});

test("a brush has the values that lie between its ends, whichever is better and however it is drawn", () => {
  const numbers = between(800, 0, 1);
  for (let k = 0; k < 200; k += 1) {
    const [a, b, p, q] = numbers.slice(4 * k, 4 * k + 4);
    for (const [best, worst] of [[a, a + b + 0.1], [a + b + 0.1, a]]) {
      const [low, high] = rangeOfShares({ best, worst }, p, q);
      assert.deepEqual(rangeOfShares({ best, worst }, q, p), [low, high]);
      assert.ok(low <= high);
      for (const share of [0, (p + q) / 2, 1]) {
        const value = best + share * (worst - best);
        assert.equal(value >= low && value <= high, share >= Math.min(p, q) && share <= Math.max(p, q));
      }
    }
  }
  assert.deepEqual(rangeOfShares({ best: 0, worst: 2 }, 1.1, 0.5), [1, null]);
  assert.deepEqual(rangeOfShares({ best: 2, worst: 0 }, 0, 0.5), [1, null]);
});
