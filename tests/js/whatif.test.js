// The map of an outlook, evaluated.

import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateMap, inputsOf, isNoise } from "../../src/paretonav/cockpit/view/whatif.js";
import { loss } from "./quantities.js";
import { between } from "./randomly.js";

const MAP = {
  base: [0, 2],
  train: { linear: [[1, -2]], bend: [[[0.5, 0.25], [0.25, 1]]] },
  shown: { linear: [[1, -2], [3, 0]], bend: null },
  errors: [[[0.04, 0], [0, 0.01]], [[0, 0], [0, 0]]],
  weights: [[0.1, -0.1]],
  noise: 2,
};

test("changes are the sums that the protocol says", () => {
  const [xs, ys] = [between(50, -3, 3, 1), between(50, -3, 3, 2)];
  for (const [i, x] of xs.entries()) {
    const y = ys[i];
    const { train, shown, errors, weights } = evaluateMap(MAP, [x, y]);
    const near = (one, other) => assert.ok(Math.abs(one - other) < 1e-12, `${one} is not ${other}`);
    near(train[0], x - 2 * y + 0.5 * (0.5 * x * x + 0.5 * x * y + y * y));
    near(shown[0], x - 2 * y);
    near(shown[1], 3 * x);
    near(errors[0], Math.sqrt(0.04 * x * x + 0.01 * y * y));
    near(errors[1], 0);
    near(weights[0], 0.1 * x - 0.1 * y);
  }
});

test("inputs are percents and distances from the base, of the modes of the map alone", () => {
  const quantities = [loss("a", 1), loss("b", 2)];
  const outlook = { map: MAP, inputs: [0, 1] };
  const wishes = new Map([["a", { mode: "improve", percent: 5 }], ["b", { mode: "aim", value: 1.5 }]]);
  assert.deepEqual(inputsOf(outlook, quantities, wishes), [5, -0.5]);
  assert.equal(inputsOf(outlook, quantities, new Map([...wishes, ["b", { mode: "hold" }]])), null);
  assert.equal(inputsOf({ ...outlook, map: null }, quantities, wishes), null);
});

test("a change within its error is noise; without an error nothing is", () => {
  assert.equal(isNoise(0.1, 0.06, 2), true);
  assert.equal(isNoise(-0.13, 0.06, 2), false);
  for (const error of [null, undefined, 0]) assert.equal(isNoise(0, error, 2), false);
});
