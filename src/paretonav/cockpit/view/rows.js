// @ts-check
// All quantities, one row each, in a list with its own scrolling.

/** @import { Prediction, Reach, RowEvents, State, Trial, Units, Wishes } from "./types.js" */

import { barScale, roomOf } from "./bar.js";
import { build, setAttribute, setText } from "./dom.js";
import { formatAsked, isNumber, niceAbove } from "./numbers.js";
import { createRow } from "./row.js";

const MANY = 7; // quantities: from here on a row says only what is needed

/**
 * The list; `units` is the switch of what changes are shown in, `on` as for a row.
 * @param {{ root: HTMLElement, now: Units }} units
 * @param {RowEvents} on
 */
export function createRows(units, on) {
  const scale = build("span", { class: "pn-scale" });
  const what = build("span", { text: "Predicted" });
  const now = build("span", { class: "pn-head-now", text: "Now" });
  const head = build(
    "div",
    { class: "pn-head" },
    now,
    build("span", { class: "pn-head-ask" }, build("span", { text: "You ask" }), units.root),
    build("span", { class: "pn-head-predicted" }, what, scale),
  );
  const list = build("div", { class: "pn-rows" });
  const root = build("div", { class: "pn-quantities" }, head, list);
  /** @type {ReturnType<typeof createRow>[]} */
  let rows = [];
  let names = "";
  let full = 0.05;

  return {
    root,
    /**
     * Another state; rows are made anew only if there are other quantities.
     * @param {State} state
     */
    describe(state) {
      const those = JSON.stringify(state.quantities.map(({ name, kind, better }) => [name, kind, better]));
      setText(now, state.split === "validation" ? "Now (validation data)" : "Now");
      if (those !== names) {
        names = those;
        rows = state.quantities.map((quantity) => createRow(quantity, state.live, on));
        list.replaceChildren(...rows.map((row) => row.root));
        setAttribute(root, "data-many", rows.length > MANY);
      }
      rows.forEach((row, i) => {
        row.describe(state.quantities[i], state.split, units.now);
      });
    },
    /** Choose other scales for all sliders with the next answer. */
    rescale() {
      for (const row of rows) row.rescale();
    },
    /**
     * What is asked, predicted and measured.
     * `alone` is how far each quantity could go by itself.
     * @param {{ alone: (Reach | null)[] | null, state: State, wishes: Wishes, prediction: Prediction, reach: (Reach | null)[] | null, known: boolean, trial: Trial | null, dragging: boolean, locked: boolean }} now
     */
    draw({ state, wishes, prediction, reach, alone, known, trial, dragging, locked }) {
      const { quantities } = state;
      if (prediction.shown) full = barScale(quantities, prediction.shown, full, dragging);
      const rooms = quantities.map((quantity, i) => roomOf(quantity, alone?.[i]));
      const idle = ["none", "problem"].includes(prediction.kind) && rooms.some((room) => room !== null);
      // Nothing is asked, or nothing comes of it: the bars show how far each quantity could go.
      if (idle) full = niceAbove(1.02 * Math.max(0.005, ...rooms.filter((room, i) => isNumber(room) && quantities[i].kind === "loss").map(Number)));
      setText(what, idle ? "Within reach" : "Predicted");
      if (prediction.kind !== "pending") setText(scale, prediction.shown || idle ? `full ${formatAsked(100 * full)}, better \u2192` : "");
      rows.forEach((row, i) => {
        const quantity = quantities[i];
        const change = prediction.shown?.[i];
        const expected = isNumber(change) ? quantity.value + change : null;
        row.room(rooms[i], rooms[i] === null ? null : (alone?.[i]?.end ?? null), full, idle, units.now);
        const wish = wishes.get(quantity.name) ?? { mode: "free" };
        row.ask({ wish, reach: reach?.[i] ?? null, known, outcome: expected, locked });
        if (isNumber(change)) {
          row.predict({ change, error: prediction.errors?.[i] ?? null, noise: prediction.noise?.[i] ?? false, full }, units.now);
        } else row.predict(prediction.kind === "pending" ? "pending" : null, units.now);
        row.measure(
          trial
            ? { change: trial.shown[i], error: trial.errors?.[i] ?? null, predicted: change ?? null, predictedError: prediction.errors?.[i] ?? null }
            : null,
          units.now,
        );
      });
    },
  };
}
