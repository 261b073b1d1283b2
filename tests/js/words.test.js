// Changes and outcomes in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as words from "../../src/paretonav/cockpit/view/words.js";
import { accuracy, loss, metric } from "./quantities.js";

const QUANTITIES = [loss("left", 0.5), loss("right", 2), accuracy("hits", 0.8)];
const STATE = { current: 3, quantities: QUANTITIES };
const IMPROVE = new Map([["left", { mode: "improve", percent: 4 }]]);
const OUTCOME = { kind: "exact", problem: "", shown: [-0.02, 0.1, 0], noise: [false, false, false], attainable: true, trusted: true };
const say = (more) => words.summarise({ state: STATE, wishes: IMPROVE, prediction: OUTCOME, outlook: null, live: true, units: "percent", ...more }).map(({ text }) => text);

test("better and worse follow what somebody said is better", () => {
  const senses = (quantity) => [-0.1, 0.1, 1e-9, null].map((change) => words.senseOf(quantity, change));
  assert.deepEqual(senses(loss("a", 1)), ["better", "worse", "same", "same"]);
  assert.deepEqual(senses(accuracy("a", 1)), ["worse", "better", "same", "same"]);
  assert.deepEqual(senses(metric("a", 1)), ["", "", "same", "same"]);
});

test("a change is told in per cent, or as it is where they say nothing", () => {
  assert.equal(words.describeChange(loss("a", 2), -0.1), "5.0\u202f% better");
  assert.equal(words.describeChange(loss("a", 2), -0.1, 2, "value"), "−0.100 (better)");
  assert.equal(words.describeChange(loss("a", 0), 0.5), "+0.500 (worse)");
  assert.equal(words.describeChange(metric("a", 2), -0.1), "5.0\u202f% lower");
  assert.equal(words.describeChange(loss("a", 2), 1e-6), "unchanged");
  assert.equal(words.describeChange(loss("a", 2), null), "unchanged");
});

test("a reach is told in per cent, or as the value that can be come to", () => {
  assert.equal(words.describeReach(loss("a", 2), 11.7), "11.7\u202f%");
  assert.equal(words.describeReach(accuracy("a", 0.4), 150), "1.000");
  assert.equal(words.describeReach(loss("a", 2), 150), "", "a loss does not change its sign");
});

test("what has changed since another point says whether that is noise", () => {
  assert.equal(words.describeSince({ change: -0.1, error: 0.1, noise: true }, "start", 0.9, "percent"), "since start −10.0\u202f%, noise");
  assert.equal(words.describeSince(null, "start", 1, "percent"), "");
});

test("without a wish one is invited to say one", () => {
  assert.deepEqual(say({ wishes: new Map() }), ["Choose what to improve, or what to aim for; the others then show what it would cost."]);
  assert.deepEqual(say({ wishes: new Map([["left", { mode: "hold" }]]) }), ["Hold left. Now choose what to improve or to aim for."]);
});

test("an outcome names what was asked for first, then the largest changes", () => {
  assert.deepEqual(say({}), ["Improve left by 4\u202f%.", "Expected: left 4.0\u202f% better and right 5.0\u202f% worse; the rest stays or is noise."]);
  const lost = { ...OUTCOME, noise: [true, false, false] };
  assert.match(say({ prediction: lost })[1], /left no change beyond noise and right/);
  const nothing = { ...OUTCOME, noise: [true, true, true] };
  assert.equal(say({ prediction: nothing })[1], "Expected: no change beyond noise.");
});

test("an outcome of many quantities speaks of a few, and counts the others", () => {
  const quantities = Array.from({ length: 7 }, (_, i) => loss(`f${i}`, 1));
  const prediction = { ...OUTCOME, shown: quantities.map((_, i) => -0.01 * (i + 1)), noise: quantities.map(() => false) };
  const [, told] = say({ state: { current: 3, quantities }, wishes: new Map([["f0", { mode: "improve", percent: 1 }]]), prediction });
  assert.equal(told, "Expected: f0 1.0\u202f% better, f6 7.0\u202f% better, f5 6.0\u202f% better and f4 5.0\u202f% better; 3 more change.");
});

test("what is impossible, far away or awaited is said", () => {
  assert.ok(say({ prediction: { kind: "problem", problem: "It is held." } }).includes("Not possible. It is held."));
  assert.match(say({ prediction: { ...OUTCOME, attainable: false } }).join(" "), /The aim is out of reach/);
  assert.match(say({ prediction: { ...OUTCOME, trusted: false } }).join(" "), /can only be guessed/);
  assert.ok(say({ prediction: { kind: "pending", problem: "" } }).includes("…"));
  assert.equal(say({ prediction: { kind: "pending", problem: "" }, live: false }).length, 1, "a saved page awaits nothing");
});

test("an option is told as one, also while it is being taken", () => {
  const prediction = { ...OUTCOME, kind: "option" };
  assert.equal(say({ prediction })[0], "An option, not yet taken.");
  assert.equal(say({ prediction, taking: true })[0], "An option that is being taken.");
  assert.deepEqual(say({ taking: true }), ["An option is being taken."]);
});

test("a little more of what is asked for names what pays most", () => {
  const further = { asked: 0, changes: [-0.005, 0.02, -0.004] };
  assert.equal(say({ further }).at(-1), "1\u202f% more of left: right 1.0\u202f% worse and hits 0.5\u202f% worse.");
  assert.equal(say({ further: { asked: 0, changes: [-0.005, null, null] } }).at(-1), "1\u202f% more of left: nothing else beyond noise.");
  assert.equal(say({ further, prediction: { kind: "pending", problem: "" } }).length, 2, "without an outcome there is nothing more");
});

test("the reach is that of this point alone", () => {
  const outlook = { point: 3, reach: [{ end: 11.7 }, null, null] };
  assert.equal(say({ outlook }).at(-1), "Within reach: left up to 11.7\u202f% better.");
  assert.equal(say({ outlook: { ...outlook, reach: [{ end: 0.001 }, null, null] } }).at(-1), "Within reach: nothing of left.");
  assert.equal(say({ outlook: { ...outlook, point: 2 } }).length, 2);
});
