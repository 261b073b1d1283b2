// Numbers as they are read.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as numbers from "../../src/paretonav/cockpit/view/numbers.js";
import { between, sizes } from "./randomly.js";

const NOTHING = [null, undefined, NaN, Infinity, -Infinity, "1"];
const RAISED = { "⁻": "-", "⁰": "0", "¹": "1", "²": "2", "³": "3", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9" };

/** The number that a text says, read by other means than it was written. */
function read(text) {
  const [mantissa, exponent = ""] = text.replace(/[±\s%]/g, "").replaceAll("−", "-").split("·10");
  return Number(mantissa) * 10 ** Number([...exponent].map((sign) => RAISED[sign]).join("") || 0);
}

test("a value is told with four significant digits, whatever its size", () => {
  for (const value of sizes(2000, -12, 12)) {
    const told = read(numbers.formatValue(value));
    // Beyond four digits before the point a value is told as an integer, in powers of ten with three digits.
    const off = Math.abs(value) >= 1e6 || Math.abs(value) < 1e-4 ? 5e-3 : 5e-4;
    assert.ok(Math.abs(told - value) <= off * Math.abs(value) * (1 + 1e-9), `${value} is told as ${numbers.formatValue(value)}`);
  }
  assert.equal(numbers.formatValue(0.0431), "0.04310");
  assert.equal(numbers.formatValue(-12345.6), "−12346");
  assert.equal(numbers.formatValue(1.234e-7), "1.23·10⁻⁷");
  assert.equal(numbers.formatValue(0), "0");
});

test("what is no finite number is told as none", () => {
  for (const value of NOTHING) {
    assert.equal(numbers.isNumber(value), false);
    assert.equal(numbers.formatValue(value), "–");
    assert.equal(numbers.formatChange(value), "–");
    assert.equal(numbers.formatAgainst(value, 0.1, 1), "–");
    assert.equal(numbers.formatShare(value) + numbers.formatSeconds(value) + numbers.formatError(value), "");
  }
});

test("a change has a sign, and only a change that is one", () => {
  for (const change of sizes(500, -8, 5)) {
    const sign = change > 0 ? "+" : "−";
    assert.ok(numbers.formatChange(change).startsWith(sign));
    assert.ok(numbers.formatShare(change).startsWith(sign));
  }
  assert.equal(numbers.formatChange(0), "0");
  assert.equal(numbers.formatAgainst(1e-12, 0.1, 1), "0", "the dust of arithmetic is no change");
  assert.equal(numbers.formatChangeOf(-1e-12, 1), "0");
  assert.equal(numbers.isDust(1e-12, 0), false, "beside a value of zero nothing is dust");
});

test("a value has the decimals of two digits of its error", () => {
  assert.equal(numbers.formatKnown(0.92345, 0.0142), "0.923");
  assert.equal(numbers.formatKnown(0.92345, 0.0996), "0.92", "an error that rounds up to 0.10");
  assert.equal(numbers.formatKnown(-0.001, 0.5), "0", "never a minus before zero");
  assert.equal(numbers.formatKnown(1234.5678, 12), "1235");
  for (const error of [null, undefined, 0, -1, NaN]) assert.equal(numbers.formatKnown(0.5, error), numbers.formatValue(0.5));
  for (const [i, error] of between(500, -6, 0).map((power) => 10 ** power).entries()) {
    const value = 0.001 * (i + 1);
    assert.ok(Math.abs(read(numbers.formatKnown(value, error)) - value) <= 0.055 * error + 1e-12, `${value} ± ${error}`);
  }
});

test("per cent are no finer than a hundredth, nor than their error", () => {
  assert.equal(numbers.formatSharp(1.23456), "+1.23\u202f%");
  assert.equal(numbers.formatSharp(12.3456), "+12.3\u202f%");
  assert.equal(numbers.formatSharp(-123.456), "−123\u202f%");
  assert.equal(numbers.formatSharp(1.23456, 0.5), "+1.23\u202f%");
  assert.equal(numbers.formatSharp(1.23456, 5), "+1.2\u202f%");
  assert.equal(numbers.formatSharp(0), "0\u202f%");
  assert.equal(numbers.formatSharp(0, null, "± "), "", "no error is not told");
  assert.equal(numbers.formatSharp(0.5, null, "± "), "± 0.50\u202f%");
  for (const percent of sizes(1000, -5, 4)) {
    const size = Math.abs(percent);
    const told = read(numbers.formatSharp(percent).replace("+", ""));
    // To a hundredth or three digits; what would be nothing in hundredths has one digit.
    const off = size < 0.005 ? 0.5 * 10 ** Math.floor(Math.log10(size)) : Math.max(0.005, 0.00505 * size);
    assert.ok(Math.abs(told - percent) <= off * (1 + 1e-9), `${percent} is told as ${numbers.formatSharp(percent)}`);
  }
});

test("what somebody asked for is told as they would write it", () => {
  assert.equal(numbers.formatAsked(5), "5\u202f%");
  assert.equal(numbers.formatAsked("2.50"), "2.5\u202f%");
  assert.equal(numbers.formatGiven(0.6), "0.6");
  assert.equal(numbers.formatGiven(-0.25), "−0.25");
  assert.equal(numbers.formatGiven(0.1 + 0.2), "0.3");
  assert.equal(numbers.formatGiven(2e7), "2.00·10⁷");
});

test("a duration has the unit of its size", () => {
  const told = [0.61, 0.996, 9.96, 59.6, 99.6, 5399, 5401].map((seconds) => numbers.formatSeconds(seconds).replace("\u202f", " "));
  assert.deepEqual(told, ["0.61 s", "1.0 s", "10 s", "60 s", "2 min", "90 min", "1.5 h"]);
});

test("words are listed as in a sentence, and names from the right stay whole", () => {
  assert.deepEqual([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(numbers.listWords), ["", "a", "a and b", "a, b and c"]);
  assert.equal(numbers.isolated("age"), "age");
  assert.equal(numbers.isolated("גיל"), "\u2068גיל\u2069");
});

test("a round number lies on its side of the size, and near it", () => {
  for (const size of sizes(2000, -9, 9).map(Math.abs)) {
    const [above, below] = [numbers.niceAbove(size), numbers.niceBelow(size)];
    assert.ok(above >= size * (1 - 1e-8) && above <= 1.5 * size * (1 + 1e-8), `${above} is above ${size}`);
    assert.ok(below <= size * (1 + 1e-8) && below >= 0.4 * size * (1 - 1e-8), `${below} is below ${size}`);
    assert.equal(numbers.niceAbove(above), above, "what is round stays");
    assert.equal(numbers.niceBelow(below), below);
  }
  for (const size of [0, -1, NaN]) assert.deepEqual([numbers.niceAbove(size), numbers.niceBelow(size)], [1, 1]);
});
