// What is predicted for a little more than is asked for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { furtherOf } from "../../src/paretonav/cockpit/view/prediction.js";
import { evaluateMap } from "../../src/paretonav/cockpit/view/whatif.js";
import { loss } from "./quantities.js";
import { between } from "./randomly.js";

const MAP = {
  base: [0, 0],
  train: { linear: [[1, 0], [0, 1], [1, 1]], bend: null },
  shown: { linear: [[-0.01, 0], [0.004, -0.02], [0.001, 0.003]], bend: [[[0, 0], [0, 0]], [[0.002, 0.001], [0.001, 0.001]], [[0, 0], [0, 0]]] },
  errors: [[[0, 0], [0, 0]], [[1e-8, 0], [0, 1e-8]], [[1e-4, 0], [0, 1e-4]]],
  weights: null,
  noise: 2,
};
const STATE = { current: 4, quantities: [loss("a", 1), loss("b", 1), loss("c", 1)] };
const wishes = (a, b, more = []) => new Map([["a", { mode: "improve", percent: a }], ["b", { mode: "improve", percent: b }], ...more]);
const outlookOf = (wished, more = {}) => ({ point: 4, modes: Object.fromEntries(wished), problem: "", inputs: [0, 1], reach: [{ end: 9 }, null, null], map: MAP, ...more });
const further = (wished, more) => furtherOf({ state: STATE, outlook: outlookOf(wished, more), wishes: wished });

test("it is the difference of two outcomes, and noise is none", () => {
  const [as, bs] = [between(50, 0, 7, 1), between(50, 0, 7, 2)];
  for (const [k, a] of as.entries()) {
    const { asked, changes } = further(wishes(a, bs[k]));
    const [one, other] = [[a, bs[k]], [a + 1, bs[k]]].map((x) => evaluateMap(MAP, x).shown);
    assert.equal(asked, 0);
    assert.ok(Math.abs(changes[1] - (other[1] - one[1])) < 1e-12);
    assert.equal(changes[2], null);
  }
});

test("it is not known beyond the reach, beside a bound, or of other wishes", () => {
  assert.notEqual(further(wishes(8, 1)), null);
  assert.equal(further(wishes(8.5, 1)), null);
  assert.equal(further(wishes(1, 1, [["c", { mode: "limit", value: 2 }]])), null);
  const bounded = wishes(1, 1, [["c", { mode: "limit", value: 2 }]]);
  const told = { further: { asked: 0, shown: [-0.01, 0.02, 1e-5], errors: [1e-4, null, 1e-4] } };
  assert.deepEqual(further(bounded, told), { asked: 0, changes: [-0.01, 0.02, null] }, "beside a bound it is what Python says");
  const before = { ...told, modes: Object.fromEntries(wishes(0.5, 1, [["c", { mode: "limit", value: 2 }]])) };
  assert.equal(further(bounded, before), null, "of these amounts only");
  for (const other of [{ point: 3 }, { problem: "No." }, { map: null }, { modes: {} }]) assert.equal(further(wishes(1, 1), other), null);
  assert.equal(furtherOf({ state: STATE, outlook: null, wishes: wishes(1, 1) }), null);
});
