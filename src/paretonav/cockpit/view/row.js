// @ts-check
// One quantity: where it is, what is asked of it, what is predicted for it. Built once, then its texts are replaced.

/** @import { Amounted, Measured, Mode, Quantity, Reach, RowEvents, Split, Units, Wish } from "./types.js" */

import { amountOf, createAmount } from "./amount.js";
import { createBar, goodShare } from "./bar.js";
import { activeIn, build, freshId, setAttribute, setShown, setText } from "./dom.js";
import { formatKnown, formatValue, isNumber } from "./numbers.js";
import { tellChange, tellWithError } from "./units.js";
import { modesOf } from "./wishes.js";
import { describeSince, describeValue, isLittle, senseOf } from "./words.js";

const SURE = 2; // standard errors of a difference
const MUCH = 0.25; // of what is predicted

/**
 * A row; `on.mode(name, mode)` and `on.amount(name, wish, settled)` hear of what the user does.
 * @param {Quantity} quantity
 * @param {boolean} live
 * @param {RowEvents} on
 */
export function createRow(quantity, live, on) {
  const labelId = freshId("name");
  const name = build("span", { class: "pn-name", id: labelId, text: quantity.name, title: quantity.name, dir: "auto" });
  const kind = build("span", { class: "pn-kind" }, ...kindInWords(quantity));
  const value = build("span", { class: "pn-value" });
  const training = build("span", { class: "pn-training" });
  const select = build("select", { class: "pn-mode", "aria-label": `What to ask of ${quantity.name}` });
  for (const [mode, label] of modesOf(quantity, live)) select.append(build("option", { value: mode, text: label }));
  select.addEventListener("change", () => on.mode(quantity.name, /** @type {Mode} */ (select.value)));
  /** @type {Wish} */
  let wish = { mode: "free" };
  const amount = createAmount(quantity.name, (given, settled) => {
    const { mode } = wish;
    const other = mode === "improve" ? { mode, percent: given } : /** @type {Amounted} */ ({ mode, value: given });
    on.amount(quantity.name, other, settled);
  });
  const bar = createBar();
  const change = build("span", { class: "pn-change" });
  const error = build("span", { class: "pn-error" });
  const alone = build("span", { class: "pn-alone" });
  const outcome = build("span", { class: "pn-outcome" });
  const trial = build("span", { class: "pn-trial" });
  const sinceStart = build("span", { class: "pn-since" });
  const sinceLast = build("span", { class: "pn-since" });
  const price = build("p", { class: "pn-price" });
  const root = build(
    "div",
    { class: "pn-row", role: "group", "aria-labelledby": labelId },
    build("div", { class: "pn-what" }, name, build("div", { class: "pn-measure" }, value, kind), training, sinceStart, sinceLast),
    build(
      "div",
      { class: "pn-ask" },
      build("div", { class: "pn-ask-line" }, select, amount.field, amount.unit),
      amount.slider,
      amount.reason,
      price,
    ),
    build(
      "div",
      { class: "pn-predicted" },
      bar.root,
      alone,
      build("div", { class: "pn-numbers" }, change, " ", error),
      outcome,
      trial,
    ),
  );

  return {
    root,
    /**
     * Another state of the quantity: its values and what is known about its price.
     * @param {Quantity} now
     * @param {Split} split
     * @param {Units} units
     */
    describe(now, split, units) {
      quantity = now;
      setText(value, describeValue(now.value, now.error));
      const apart = now.kind === "loss" && split === "validation";
      setText(training, apart ? `training ${formatValue(now.train)}` : "");
      setShown(training, apart);
      setText(sinceStart, describeSince(now.start, "start", now.value, units));
      const first = now.last?.change === now.start?.change; // the parent is the start: once is enough
      setText(sinceLast, first ? "" : describeSince(now.last, "last", now.value, units));
      setAttribute(name, "title", isNumber(now.weight) ? `${now.name}, weight ${formatValue(now.weight, 3)}` : now.name);
      setText(price, now.price || now.conflict);
      setAttribute(price, "title", [now.conflict, now.price].filter(Boolean).join(" ") || null);
      setShown(price, Boolean(now.price || now.conflict));
    },
    /**
     * What is asked; `reach` is null and `known` false until Python has answered for these modes.
     * @param {{ wish: Wish, reach: Reach | null, known: boolean, outcome: number | null, locked: boolean }} now
     */
    ask({ wish: asked, reach, known, outcome: expected, locked }) {
      wish = asked;
      setAttribute(root, "data-mode", asked.mode);
      if (select.value !== asked.mode) select.value = asked.mode;
      if (select.disabled !== locked) select.disabled = locked;
      const given = amountOf(asked) !== undefined;
      // What goes out of sight hands the keyboard on, or the page would lose it.
      const active = activeIn(root);
      if (!given && (active === amount.field || active === amount.slider)) select.focus();
      for (const part of [amount.field, amount.unit, amount.slider]) setShown(part, given);
      if (given) {
        amount.draw({ wish: /** @type {Amounted} */ (asked), quantity, reach, known, outcome: expected });
      } else {
        amount.reset();
        setShown(amount.reason, false);
      }
    },
    /** Choose another scale for the slider with the next answer: another point. */
    rescale: amount.rescale,
    /**
     * What is predicted: null for nothing, "pending", or { change, error, noise, full }.
     * @param {{ change: number, error: number | null, noise: boolean, full: number } | "pending" | null} predicted
     * @param {Units} units
     */
    predict(predicted, units) {
      if (predicted === null || predicted === "pending") {
        setText(change, predicted === null ? "" : "…");
        for (const part of [error, outcome]) setText(part, "");
        bar.draw(null);
        setAttribute(root, "data-open", predicted === null);
        setAttribute(root, "data-sense", null);
        return;
      }
      setAttribute(root, "data-open", false);
      const sense = senseOf(quantity, predicted.change);
      const told = tellChange(predicted.change, predicted.error, quantity.value, units);
      setText(change, sense === "same" ? "unchanged" : told[0]);
      setText(error, sense === "same" ? "" : told[1]);
      const lost = predicted.noise && sense !== "same";
      const after = formatKnown(quantity.value + predicted.change, quantity.error);
      setText(outcome, sense === "same" ? "" : `${lost ? "within noise" : sense || "changed"} → ${after}`);
      setAttribute(root, "data-sense", lost ? "noise" : sense);
      bar.draw({
        share: goodShare(quantity, predicted.change) / predicted.full,
        error: isNumber(predicted.error) ? predicted.error / (Math.abs(quantity.value) || 1) / predicted.full : 0,
        sense,
        noise: lost,
      });
    },
    /**
     * How far it could become better by itself: as a share of its value, and to which value; null: not known.
     * @param {number | null} share
     * @param {number | null} end
     * @param {number} full
     * @param {boolean} idle whether nothing is predicted, so that it is said in words, too
     * @param {Units} units
     */
    room(share, end, full, idle, units) {
      bar.drawRoom(share === null ? null : share / full);
      setAttribute(root, "data-idle", idle && share !== null);
      setText(alone, idle && share !== null ? roomInWords(quantity, share, end, units) : "");
    },
    /**
     * What was measured along the tangent: { change, error, predicted, predictedError }; null: nothing.
     * @param {Measured | null} measured
     * @param {Units} units
     */
    measure(measured, units) {
      const odd = measured !== null && contradicts(measured);
      const told = measured ? tellWithError(measured.change, measured.error, quantity.value, units) : "";
      const sure = !odd || (isNumber(measured.error) && measured.error > 0) ? "" : " (error not known)";
      setText(trial, measured ? `measured ${told}${sure}${odd ? " – not as predicted" : ""}` : "");
      setAttribute(trial, "data-odd", odd);
      setAttribute(trial, "title", measured ? `${trial.textContent}; measured on the data, along the way that a step would begin with` : null);
    },
  };
}

/**
 * How far it could become better by itself, in words.
 * @param {Quantity} quantity
 * @param {number} share
 * @param {number | null} end
 * @param {Units} units
 */
function roomInWords(quantity, share, end, units) {
  if (end === null) return "no end in sight";
  if (isLittle(100 * share)) return "as good as it gets from here";
  return `by itself ${tellChange(end - quantity.value, null, quantity.value, units)[0]}, to ${formatKnown(end, quantity.error)}`;
}

/**
 * Whether what was measured is another thing than what is predicted: by more than both are unsure of, and by much.
 * @param {Measured} measured
 */
function contradicts({ change, error, predicted, predictedError }) {
  if (!isNumber(change) || !isNumber(predicted)) return false;
  const off = Math.abs(change - predicted);
  return off > SURE * Math.hypot(error ?? 0, predictedError ?? 0) && off > MUCH * Math.abs(predicted);
}

/**
 * Which way is better, as in the charts; for ears it is said in words.
 * @param {Quantity} quantity
 */
function kindInWords({ kind, better }) {
  if (better === null) return kind === "loss" ? [] : ["metric"];
  const arrow = better === "higher" ? "\u2191" : "\u2193";
  return [build("span", { "aria-hidden": "true", text: `${arrow} better`, title: `${better} is better` }), build("span", { class: "pn-visually-hidden", text: `${better} is better` })];
}
