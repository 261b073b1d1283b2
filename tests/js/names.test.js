// Names in sentences: those that are read from the right keep to themselves, and what joins letters stays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { lossesInWords } from "../../src/paretonav/cockpit/view/progress.js";
import { someOf } from "../../src/paretonav/cockpit/view/start.js";
import { describeWishes } from "../../src/paretonav/cockpit/view/wishes.js";
import { loss } from "./quantities.js";

const ARABIC = "\u062f\u0642\u0629 \u0627\u0644\u0646\u0645\u0648\u0630\u062c";
const PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645";
const FAMILY = "\u{1f468}\u200d\u{1f469}\u200d\u{1f467} loss";
const apart = (name) => `\u2068${name}\u2069`;

test("losses beside each other keep their numbers", () => {
  assert.equal(lossesInWords([[ARABIC, 0.5], [PERSIAN, 0.25], [FAMILY, 1]]), `${apart(ARABIC)} 0.5000   ${apart(PERSIAN)} 0.2500   ${FAMILY} 1.000`);
});

test("the first names stand for all where there are many", () => {
  assert.equal(someOf([ARABIC, PERSIAN, FAMILY]), `${apart(ARABIC)}, ${apart(PERSIAN)} and ${FAMILY}`);
  assert.equal(someOf(["a", "b", "c", "d", "e", "f"]), "a, b, c, d, e and f");
  assert.equal(someOf(["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e, f and others");
});

test("a wish has all words of a name", () => {
  const quantities = [loss(ARABIC, 0.5), loss(FAMILY, 2)];
  const wishes = new Map([[ARABIC, { mode: "improve", percent: 5 }], [FAMILY, { mode: "hold" }]]);
  const said = describeWishes(wishes, quantities);
  assert.ok(said.includes(apart(ARABIC)) && said.includes(FAMILY), said);
});
