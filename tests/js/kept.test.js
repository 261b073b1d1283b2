// Wishes that are kept beside each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { withKept } from "../../src/paretonav/cockpit/view/kept.js";

const wish = (percent, point = 1, more = {}) => ({ point, modes: { a: { mode: "improve", percent } }, title: `${percent}`, ...more });

test("the same wish is kept once, in its place, with what was predicted last", () => {
  const kept = [wish(1), wish(2), wish(3)].reduce(withKept, []);
  const again = withKept(kept, wish(2, 1, { shown: [5] }));
  assert.deepEqual(again.map(({ title }) => title), ["1", "2", "3"]);
  assert.deepEqual(again[1].shown, [5]);
  assert.equal(withKept(kept, wish(2, 7)).length, 4, "at another point it is another one");
});

test("of too many at one point the oldest goes, and no other", () => {
  const kept = [wish(0, 7), ...Array.from({ length: 20 }, (_, i) => wish(i + 1))].reduce(withKept, []);
  assert.equal(kept[0].point, 7);
  assert.deepEqual(kept.slice(1).map(({ title }) => title), ["13", "14", "15", "16", "17", "18", "19", "20"]);
});
