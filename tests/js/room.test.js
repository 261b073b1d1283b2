// Where texts have room, and the arrows to what is better.

import assert from "node:assert/strict";
import { test } from "node:test";

import { betterTowards } from "../../src/paretonav/cockpit/view/plots/better.js";
import { boxAround, freePlace, onSheet, overlaps } from "../../src/paretonav/cockpit/view/plots/room.js";
import { between } from "./randomly.js";

test("a place that is found is free and on the sheet, and the first one if that is free", () => {
  const numbers = between(200 * 32, 0, 1);
  const next = (low, high) => low + numbers.pop() * (high - low);
  for (let k = 0; k < 200; k += 1) {
    const sheet = [next(200, 800), next(200, 800)];
    const half = [next(5, 40), next(5, 12)];
    const taken = Array.from({ length: 6 }, () => boxAround(next(0, sheet[0]), next(0, sheet[1]), next(4, 20), next(4, 8)));
    const first = [next(half[0] + 2, sheet[0] - half[0] - 2), next(half[1] + 2, sheet[1] - half[1] - 2)];
    const angle = next(0, 2 * Math.PI);
    const place = freePlace(first, [Math.cos(angle), Math.sin(angle)], half, taken, sheet);
    const box = boxAround(...place, ...half);
    assert.ok(taken.every((other) => !overlaps(box, other)));
    assert.ok(box[0] >= 0 && box[1] >= 0 && box[2] <= sheet[0] && box[3] <= sheet[1]);
    if (taken.every((other) => !overlaps(boxAround(...first, ...half), other))) assert.deepEqual(place, first);
  }
});

test("where there is no room, a text is on the sheet at least", () => {
  assert.equal(freePlace([500, 50], [1, 0], [20, 6], [[0, 0, 100, 100]], [100, 100]), null);
  assert.deepEqual(onSheet([500, 50], [20, 6], [100, 100]), [78, 50]);
});

test("the arrow to what is better is the one of eight that points most that way", () => {
  const arrows = { "→": [1, 0.1], "↗": [1, -1], "↑": [0, -1], "↖": [-1, -0.9], "←": [-1, 0], "↙": [-1, 1], "↓": [0.2, 1], "↘": [0.9, 1] };
  for (const [arrow, way] of Object.entries(arrows)) assert.equal(betterTowards(way), `${arrow} better`);
});
