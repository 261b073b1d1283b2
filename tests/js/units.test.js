// Changes in per cent of a value, or as they are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isTellable, tellChange, tellWithError } from "../../src/paretonav/cockpit/view/units.js";
import { sizes } from "./randomly.js";

test("a change is told in per cent where there is a value to compare it with", () => {
  assert.deepEqual(tellChange(-0.0142, 0.0005, 1.42, "percent"), ["−1.00\u202f%", "± 0.04\u202f%"]);
  assert.deepEqual(tellChange(-0.0142, 0.0005, 1.42, "value"), ["−0.01420", "± 0.00050"]);
  assert.equal(tellWithError(-0.0142, null, 1.42, "percent"), "−1.00\u202f%");
});

test("per cent of a negative value keep the sign of the change", () => {
  for (const change of sizes(200, -3, 0)) {
    const sign = change > 0 ? "+" : "−";
    for (const value of [-2, 2]) assert.ok(tellChange(change, null, value, "percent")[0].startsWith(sign));
  }
});

test("what per cent cannot say is told as it is", () => {
  assert.equal(isTellable(1, 0), false);
  assert.equal(isTellable(20, 1), false, "many times the value");
  assert.equal(isTellable(1, null), false);
  assert.equal(isTellable(0.5, 1), true);
  assert.deepEqual(tellChange(0.5, null, 0, "percent"), tellChange(0.5, null, 0, "value"));
});

test("an unknown change is told as none, without an error", () => {
  for (const units of ["percent", "value"]) {
    assert.deepEqual(tellChange(null, 0.1, 1, units), ["–", ""]);
    assert.equal(tellWithError(undefined, 0.1, 1, units), "–");
  }
});
