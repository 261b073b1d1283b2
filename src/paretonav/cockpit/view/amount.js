// @ts-check
// A slider and a number field that belong together.

/** @import { Amounted, Drawn, Quantity, Reach, Scale, Wish, WishOf } from "./types.js" */

import { build, freshId, setAttribute, setShown, setText } from "./dom.js";
import { formatAsked, formatPercent, formatValue, isNumber, tidy } from "./numbers.js";
import { chooseScale, including, reachable } from "./scales.js";
import { sizeOf, wayOf, worseSign } from "./wishes.js";
import { describeReach, isLittle } from "./words.js";

/**
 * The amount of one wish; `onAmount(amount, settled)` hears of every movement.
 * @param {string} name
 * @param {(amount: number, settled: boolean) => void} onAmount
 */
export function createAmount(name, onAmount) {
  const reasonId = freshId("reason");
  const field = build("input", { type: "number", step: "any", class: "pn-number", "aria-label": `${name}, number` });
  const unit = build("span", { class: "pn-unit" });
  const slider = build("input", {
    type: "range",
    class: "pn-slider",
    "aria-label": name,
    "aria-describedby": reasonId,
  });
  const reason = build("p", { class: "pn-reason", id: reasonId });
  /** @type {Drawn | null} */
  let drawn = null;
  let typing = false;
  let held = false; // between the first movement of a slider and its release

  /** @param {Drawn} now */
  const allowedIn = (now) => reachable(now.wish, now.quantity, now.reach, now.scale);
  /** @param {boolean} settled */
  const slide = (settled) => {
    if (!drawn) return;
    // Before the first answer nobody knows how far one may go; disabling it would take the focus away.
    const [from, to] = drawn.known ? allowedIn(drawn) : [amountOf(drawn.wish), amountOf(drawn.wish)];
    const value = tidy(Math.min(to, Math.max(from, Number(slider.value))));
    if (Number(slider.value) !== value) slider.value = String(value);
    held = !settled;
    onAmount(value, settled);
  };
  /** @param {boolean} settled */
  const type = (settled) => {
    const value = field.valueAsNumber;
    typing = !settled;
    if (!drawn || !isNumber(value)) return;
    onAmount(value, settled); // as it was typed: what is not possible is said, not changed
  };
  slider.addEventListener("input", () => slide(false));
  slider.addEventListener("change", () => slide(true));
  field.addEventListener("input", () => type(false));
  field.addEventListener("change", () => type(true));
  field.addEventListener("blur", () => {
    typing = false;
    if (drawn) write(drawn.wish);
  });

  /** @param {Amounted} wish */
  const write = (wish) => {
    const amount = amountOf(wish);
    if (!typing && Number(field.value) !== amount) field.value = String(amount);
    if (Number(slider.value) !== amount) slider.value = String(amount);
  };

  return {
    field,
    unit,
    slider,
    reason,
    /** Forget all: a mode without an amount. */
    reset() {
      drawn = null;
    },
    /** Choose another scale with the next answer: another point. */
    rescale() {
      if (drawn) drawn = { ...drawn, scaled: false };
    },
    /**
     * Draw a wish that has an amount; `outcome` is the value predicted for it, or null.
     * @param {{ wish: Amounted, quantity: Quantity, reach: Reach | null, known: boolean, outcome: number | null }} now
     */
    draw({ wish, quantity, reach: answered, known, outcome }) {
      // While other modes or another point are being answered, what was drawn stays: nothing flickers.
      const same = drawn !== null && drawn.wish.mode === wish.mode ? drawn : null;
      const reach = answered ?? (same && !known ? same.reach : null);
      // The reach may come after the map; nothing moves below a hand that is on the slider already.
      const rescaled = same && !same.scaled && answered !== null && !held;
      const chosen = same && !rescaled ? same.scale : chooseScale(wish, quantity, reach);
      const scaled = same ? same.scaled || Boolean(rescaled) : answered !== null;
      const scale = including(chosen, wish.mode === "improve" ? Math.max(0, wish.percent) : wish.value);
      const fresh = !same || scale !== same.scale;
      if (fresh) {
        setAttribute(slider, "min", scale.min);
        setAttribute(slider, "max", scale.max);
        setAttribute(slider, "step", scale.step);
        setAttribute(field, "step", scale.step);
        setAttribute(field, "min", wish.mode === "improve" ? 0 : null);
        setText(unit, wish.mode === "improve" ? "%" : "");
      }
      drawn = { wish, quantity, reach, scale, scaled, known: known || Boolean(same?.known) };
      setAttribute(slider, "aria-disabled", drawn.known ? null : "true");
      write(wish);
      drawTrack(slider, drawn, allowedIn(drawn));
      const spoken = valueInWords(wish, quantity, outcome);
      setAttribute(slider, "aria-valuetext", spoken);
      const text = reasonInWords(wish, quantity, reach);
      setText(reason, text);
      setShown(reason, text !== "");
      setAttribute(reason, "title", text || null);
      setAttribute(slider, "title", text || null);
    },
  };
}

/**
 * The percent or the value of a wish.
 * @overload
 * @param {Amounted} wish
 * @returns {number}
 *
 * @overload
 * @param {Wish} wish
 * @returns {number | undefined}
 *
 * @param {Wish} wish
 */
export function amountOf(wish) {
  return wish.mode === "improve" ? wish.percent : wish.value;
}

/**
 * @param {HTMLElement} slider
 * @param {{ wish: Amounted, quantity: Quantity, scale: Scale }} drawn
 * @param {[number, number]} allowed
 */
function drawTrack(slider, { wish, quantity, scale }, [from, to]) {
  /** @param {number} value */
  const along = (value) => Math.max(0, Math.min(1, (value - scale.min) / (scale.max - scale.min || 1)));
  const start = wish.mode === "improve" ? 0 : along(quantity.value);
  const thumb = along(amountOf(wish));
  // The middle of the thumb never reaches the ends of the track; what is usable does.
  /** @param {number} share */
  const place = (share) => `calc(var(--pn-half) + var(--pn-usable) * ${share.toFixed(4)})`;
  const ends = { "--pn-from": from <= scale.min ? "0%" : place(along(from)), "--pn-to": to >= scale.max ? "100%" : place(along(to)) };
  // What is asked beyond the reach, since other wishes have shortened it, is not filled.
  /** @param {number} share */
  const within = (share) => Math.max(along(from), Math.min(along(to), share));
  const filled = {
    "--pn-fill-from": place(within(Math.min(start, thumb))),
    "--pn-fill-to": place(within(Math.max(start, thumb))),
  };
  for (const [property, value] of Object.entries({ ...ends, ...filled })) slider.style.setProperty(property, value);
  const worse = wish.mode === "limit" || (wish.mode === "aim" && (wish.value - quantity.value) * worseSign(quantity) > 0);
  setAttribute(slider, "data-sense", worse ? "worse" : "better");
}

/**
 * @param {Amounted} wish
 * @param {Quantity} quantity
 * @param {number | null} outcome
 */
function valueInWords(wish, quantity, outcome) {
  if (wish.mode === "improve") {
    return `${formatPercent(wish.percent)} better${isNumber(outcome) ? `: ${formatValue(outcome)}` : ""}`;
  }
  if (wish.mode === "limit") return `${wayOf(quantity)} to ${formatValue(wish.value)}`;
  const change = wish.value - quantity.value;
  const percent = formatPercent((100 * Math.abs(change)) / sizeOf(quantity));
  const way = change * worseSign(quantity) > 0 ? "worse" : "better";
  return `${formatValue(wish.value)}, ${quantity.better === null ? `${percent} away` : `${percent} ${way}`}`;
}

/**
 * How far an amount is from the value now: `2.0 % worse than now`.
 * @param {WishOf<"limit" | "aim">} wish
 * @param {Quantity} quantity
 */
function awayInWords(wish, quantity) {
  const change = wish.value - quantity.value;
  if (change === 0) return "The value now";
  const way = quantity.better === null ? (change > 0 ? "higher" : "lower") : change * worseSign(quantity) > 0 ? "worse" : "better";
  return `${formatPercent((100 * Math.abs(change)) / sizeOf(quantity))} ${way} than now`;
}

/**
 * @param {Amounted} wish
 * @param {Quantity} quantity
 * @param {Reach | null} reach
 */
function reasonInWords(wish, quantity, reach) {
  if (wish.mode === "limit") return `${awayInWords(wish, quantity)}.`;
  if (!reach) return wish.mode === "aim" ? `${awayInWords(wish, quantity)}.` : "";
  const said = (reach.reason ?? "").trim();
  const why = said ? ` ${said[0].toUpperCase()}${said.slice(1)}` : "";
  if (!isNumber(reach.end)) return why.trim();
  if (wish.mode === "aim") return `${awayInWords(wish, quantity)}; possible is ${formatValue(reach.end)}.${why}`;
  if (isLittle(reach.end)) return `Nothing to trade here.${why}`;
  const end = describeReach(quantity, reach.end);
  if (!end) return `No end of it is known here.${why}`;
  return wish.percent > reach.end ? `Asked for ${formatAsked(wish.percent)}, possible is ${end}.${why}` : `Possible: up to ${end}.${why}`;
}
