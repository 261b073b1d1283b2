// Points coloured by a quantity.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TINTS, tintOf } from "../../src/paretonav/cockpit/view/plots/tint.js";
import { between } from "./randomly.js";

const axis = (values, better) => ({ better, range: [Math.min(...values), Math.max(...values)], value: (id) => values[id] ?? null });

test("the better a point is, the nearer its colour is to the best", () => {
  const values = between(100, -2, 5);
  for (const [better, sign] of [["lower", -1], ["higher", 1], [null, 1]]) {
    const tint = tintOf(axis(values, better));
    const order = [...values.keys()].sort((i, j) => sign * (values[i] - values[j]));
    const tints = order.map(tint);
    assert.deepEqual(tints, [...tints].sort((one, other) => one - other));
    assert.deepEqual([tints[0], tints.at(-1)], [0, TINTS - 1]);
  }
});

test("what is missing has no colour, and where all are alike there is one", () => {
  assert.equal(tintOf(axis([1, 2], "lower"))(7), null);
  assert.equal(tintOf(axis([3, 3], "lower"))(0), Math.floor(TINTS / 2));
});
