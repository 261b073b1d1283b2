// @ts-check
// A change as a bar: better to the right, worse to the left, a thin line for one standard error either way.

/** @import { Quantity, Reach } from "./types.js" */

import { build, setAttribute } from "./dom.js";
import { niceAbove } from "./numbers.js";
import { worseSign } from "./wishes.js";

/** A bar and `draw({ share, error, sense, noise })`, in units of the full half width; null empties it. */
export function createBar() {
  const fill = build("span", { class: "pn-bar-fill" });
  const whisker = build("span", { class: "pn-bar-error" });
  const room = build("span", { class: "pn-bar-room" });
  const root = build("span", { class: "pn-bar", "aria-hidden": "true" }, room, fill, build("span", { class: "pn-bar-zero" }), whisker);
  /** @param {{ share: number, error: number, sense: string, noise: boolean } | null} drawn */
  const draw = (drawn) => {
    const share = drawn ? limited(drawn.share) : 0;
    const error = drawn ? Math.min(1, drawn.error ?? 0) : 0;
    fill.style.transform = `scaleX(${share.toFixed(4)})`;
    whisker.style.left = `${(50 * (1 + Math.max(-1, share - error))).toFixed(2)}%`;
    whisker.style.width = `${(50 * Math.max(0, Math.min(1, share + error) - Math.max(-1, share - error))).toFixed(2)}%`;
    whisker.style.visibility = error > 0.004 ? "visible" : "hidden";
    setAttribute(root, "data-sense", drawn ? drawn.sense : null);
    setAttribute(root, "data-noise", drawn?.noise ?? false);
    setAttribute(root, "data-over", drawn !== null && Math.abs(drawn.share) > 1.02);
  };
  /** @param {number | null} share how far it could become better by itself; null: not known */
  const drawRoom = (share) => {
    room.style.inlineSize = `${(50 * limited(Math.max(0, share ?? 0))).toFixed(2)}%`;
    setAttribute(root, "data-room", share !== null && share <= 1); // else its end is not on the bar
  };
  return { root, draw, drawRoom };
}

/**
 * A change as a share of the value, positive where better (or, if nobody said what is better, where higher).
 * @param {Pick<Quantity, "better" | "value">} quantity
 * @param {number} change
 */
export function goodShare(quantity, change) {
  const sign = quantity.better === null ? 1 : -worseSign(quantity);
  return (sign * change) / (Math.abs(quantity.value) || 1);
}

/**
 * How far a quantity could become better by itself, as a share of its value; null where that is not known.
 * @param {Pick<Quantity, "better" | "value">} quantity
 * @param {Reach | null | undefined} alone
 */
export function roomOf(quantity, alone) {
  if (!alone || quantity.better === null) return null;
  return alone.end === null ? Infinity : Math.max(0, goodShare(quantity, alone.end - quantity.value));
}

/**
 * The share that a full bar stands for; while something is being dragged it only grows.
 * @param {Quantity[]} quantities
 * @param {number[]} shown
 * @param {number} before
 * @param {boolean} dragging
 */
export function barScale(quantities, shown, before, dragging) {
  // Metrics may be next to nothing, and then any change is many times their value: the losses make the scale.
  const losses = quantities.flatMap((quantity, i) => (quantity.kind === "loss" ? [Math.abs(goodShare(quantity, shown[i]))] : []));
  const needed = niceAbove(Math.max(0.005, ...losses) * 1.02);
  return dragging && before > needed ? before : needed;
}

/** @param {number} share */
function limited(share) {
  return Math.max(-1, Math.min(1, share));
}
