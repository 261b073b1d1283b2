// The scales of sliders.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseScale, including, reachable } from "../../src/paretonav/cockpit/view/scales.js";
import { firstWish } from "../../src/paretonav/cockpit/view/wishes.js";
import { accuracy, loss, metric } from "./quantities.js";
import { between, sizes } from "./randomly.js";

/** Wishes of all kinds for quantities of all kinds and sizes, and a reach for each. */
function* cases() {
  const values = sizes(300, -6, 5);
  const ends = between(300, 0, 60, 2);
  for (const [i, value] of values.entries()) {
    for (const make of [loss, accuracy, metric]) {
      const quantity = make("a", value);
      const way = quantity.better === "lower" ? -1 : 1;
      for (const mode of quantity.better === null ? ["aim"] : ["improve", "limit", "aim"]) {
        const end = mode === "improve" ? ends[i] : value + (way * ends[i] * Math.abs(value)) / 100;
        for (const reach of [null, { end: null }, { end, reason: "" }]) yield { quantity, wish: firstWish(mode, quantity), reach };
      }
    }
  }
}
const amountOf = (wish) => wish.percent ?? wish.value;

test("a scale has the wish, and the value now where somebody said what is better, in steps of round numbers", () => {
  for (const { quantity, wish, reach } of cases()) {
    const scale = chooseScale(wish, quantity, reach);
    const about = JSON.stringify({ quantity, wish, reach, scale });
    const dust = 1e-6 * scale.step;
    assert.ok(scale.min < scale.max && scale.step > 0, about);
    assert.ok(amountOf(wish) >= scale.min - dust && amountOf(wish) <= scale.max + dust, about);
    if (wish.mode === "improve") assert.equal(scale.min, 0, about);
    else if (quantity.better !== null) assert.ok(quantity.value >= scale.min - dust && quantity.value <= scale.max + dust, about);
    const steps = (scale.max - scale.min) / scale.step;
    assert.ok(Math.abs(steps - Math.round(steps)) < 1e-4 && steps >= 50 && steps <= 300, about);
  }
});

test("an end that is known is on the scale, with room beyond it", () => {
  for (const { quantity, wish, reach } of cases()) {
    if (wish.mode === "limit" || reach?.end == null) continue;
    const { min, max, step } = chooseScale(wish, quantity, reach);
    assert.ok(reach.end >= min - step && reach.end <= max + step, JSON.stringify({ quantity, wish, reach }));
  }
});

test("what can be reached lies on the scale and never beyond the reach", () => {
  for (const { quantity, wish, reach } of cases()) {
    const scale = chooseScale(wish, quantity, reach);
    const [from, to] = reachable(wish, quantity, reach, scale);
    const about = JSON.stringify({ quantity, wish, reach, scale, from, to });
    assert.ok(scale.min <= from && from <= to && to <= scale.max, about);
    if (reach?.end == null || wish.mode === "limit") assert.deepEqual([from, to], [scale.min, scale.max], about);
    else if (wish.mode === "improve" || quantity.better === "higher") assert.ok(to <= reach.end + 1e-6 * scale.step, about);
    else if (quantity.better === "lower") assert.ok(from >= reach.end - 1e-6 * scale.step, about);
  }
});

test("a loss is never aimed below zero, unless it is there already or could come there", () => {
  const wish = { mode: "aim", value: 0.1 };
  assert.equal(chooseScale(wish, loss("a", 0.1), { end: 0.001 }).min, 0);
  assert.ok(chooseScale(wish, loss("a", 0.1), { end: -0.2 }).min < -0.2);
  assert.ok(chooseScale({ mode: "aim", value: -1 }, loss("a", -1), null).min < -1);
});

test("a number beyond a scale widens it; others leave it as it is", () => {
  const scale = { min: 0, max: 10, step: 0.1 };
  assert.equal(including(scale, 3), scale);
  for (const value of [-4, 27]) {
    const wider = including(scale, value);
    assert.ok(wider.min <= Math.min(0, value) && wider.max >= Math.max(10, value));
  }
});

test("a quantity without a value, or of zero, has a scale", () => {
  for (const value of [0, null]) {
    const { min, max } = chooseScale({ mode: "aim", value: 0 }, loss("a", value, { train: 0, error: 0 }), null);
    assert.ok(min < max);
  }
});
