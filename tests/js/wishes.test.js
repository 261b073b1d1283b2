// What is asked for.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as asking from "../../src/paretonav/cockpit/view/wishes.js";
import { accuracy, loss, metric } from "./quantities.js";

const QUANTITIES = [loss("left", 0.5), loss("right", 2), accuracy("hits", 0.8), metric("size", 12)];
const WISHES = new Map([
  ["left", { mode: "improve", percent: 5 }],
  ["right", { mode: "hold" }],
  ["hits", { mode: "limit", value: 0.72 }],
  ["size", { mode: "aim", value: 10 }],
]);
const modes = (...given) => asking.modesOf(...given).map(([mode]) => mode);

test("only what makes sense of a quantity can be asked for", () => {
  assert.deepEqual(modes(QUANTITIES[0]), ["free", "improve", "hold", "limit", "aim"]);
  assert.deepEqual(modes(QUANTITIES[0], false), ["free", "improve", "hold"], "what a saved page can answer");
  assert.deepEqual(modes(QUANTITIES[3]), ["free", "hold", "aim"], "nobody said which way is better");
  assert.deepEqual(modes(QUANTITIES[3], false), ["free", "hold"]);
  const labels = (quantity) => new Map(asking.modesOf(quantity)).get("limit");
  assert.deepEqual([labels(QUANTITIES[0]), labels(QUANTITIES[2])], ["allow up to", "allow down to"]);
});

test("a first bound is on the worse side of the value, a first aim at it", () => {
  for (const value of [0.5, -0.5, 1e-5, 12345.678]) {
    assert.ok(asking.firstWish("limit", loss("a", value)).value > value);
    assert.ok(asking.firstWish("limit", accuracy("a", value)).value < value);
    assert.ok(Math.abs(asking.firstWish("aim", loss("a", value)).value - value) <= 5e-4 * Math.abs(value));
  }
  assert.deepEqual(asking.firstWish("improve", QUANTITIES[0]), { mode: "improve", percent: 1 });
  assert.deepEqual(asking.firstWish("hold", QUANTITIES[0]), { mode: "hold" });
});

test("only aims and improvements are something to go for", () => {
  const is = (wish) => asking.isAsking(new Map([["left", wish]]));
  assert.equal(asking.isAsking(new Map()), false);
  assert.equal(is({ mode: "hold" }) || is({ mode: "limit", value: 1 }) || is({ mode: "improve", percent: 0 }), false);
  assert.equal(is({ mode: "aim", value: 0 }) && is({ mode: "improve", percent: -1 }), true);
});

test("wishes come back from the protocol as they were, for the quantities that there are", () => {
  const written = JSON.parse(JSON.stringify(asking.wishesToModes(WISHES)));
  assert.deepEqual(asking.wishesFromModes(written, QUANTITIES), WISHES);
  assert.deepEqual([...asking.wishesFromModes(written, QUANTITIES.slice(0, 1)).keys()], ["left"]);
  assert.equal(asking.wishesFromModes(null, QUANTITIES).size, 0);
  assert.deepEqual(asking.wishesToModes(new Map([["left", { mode: "free" }]])), {});
});

test("a name may be one that objects have anyway", () => {
  const hostile = loss("__proto__", 1);
  const wishes = new Map([["__proto__", { mode: "improve", percent: 2 }]]);
  const written = JSON.parse(JSON.stringify(asking.wishesToModes(wishes)));
  assert.deepEqual(asking.wishesFromModes(written, [hostile]), wishes);
  assert.notEqual(asking.wishesKey(written), asking.wishesKey({}));
});

test("keys tell wishes apart, in whatever order they come", () => {
  const { left, right } = asking.wishesToModes(WISHES);
  const more = { mode: "improve", percent: 6 };
  assert.equal(asking.wishesKey({ left, right }), asking.wishesKey({ right, left }));
  assert.notEqual(asking.wishesKey({ left, right }), asking.wishesKey({ left: more, right }));
  assert.equal(asking.kindsKey({ left, right }), asking.kindsKey({ right, left: more }), "kinds have no amounts");
  assert.notEqual(asking.kindsKey({ left, right }), asking.kindsKey({ left }));
  for (const key of [asking.wishesKey, asking.kindsKey]) assert.equal(key(null), key({}));
});

test("wishes are told as one sentence, in the order of what matters", () => {
  const told = asking.describeWishes(WISHES, QUANTITIES);
  assert.equal(told, "Improve left by 5\u202f%; aim for size 10; hold right; allow hits down to 0.72");
  assert.equal(asking.describeWishes(new Map(), QUANTITIES), "");
});

test("the size that changes are compared with is never zero", () => {
  assert.equal(asking.sizeOf(loss("a", -3)), 3);
  assert.equal(asking.sizeOf(loss("a", 0, { train: -2 })), 2);
  assert.equal(asking.sizeOf(loss("a", 0, { train: 0, error: 0.2 })), 2);
  assert.equal(asking.sizeOf({ better: "lower", value: null }), 1);
});
