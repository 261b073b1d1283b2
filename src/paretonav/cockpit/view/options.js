// @ts-check
// Options from here, which are preferences that are proposed: each with what it would change; looking at one shows it in the charts and the rows.

/** @import { Option, Quantity, State, Units } from "./types.js" */

import { goodShare } from "./bar.js";
import { build, makeButton, setUsable } from "./dom.js";
import { formatAsked, isolated, listWords, niceAbove } from "./numbers.js";
import { isNoise } from "./whatif.js";
import { describeChange, isNothing, senseOf } from "./words.js";

const SPOKEN = 3; // changes of an option that are put in words
const TIMES = 2; // standard errors of what is called noise here

/**
 * The list of options; `on.look(k | null)`, `on.take(k)`.
 * @param {{ look(k: number | null): void, take(k: number): void }} on
 */
export function createOptions(on) {
  const root = build("div", { class: "pn-options" });
  /** @type {Option[] | null} */
  let drawn = null;
  let shown = "";
  /** @type {HTMLElement[]} */
  let buttons = [];
  return {
    root,
    /**
     * @param {State} state
     * @param {Units} units
     * @param {boolean} usable
     * @param {string} why
     */
    draw(state, units, usable, why) {
      const now = `${units} ${state.live}`;
      if (drawn !== state.options || shown !== now) {
        drawn = state.options;
        shown = now;
        buttons = [];
        root.replaceChildren(...fill(state, units, on, buttons));
      }
      for (const button of buttons) setUsable(button, usable, why);
    },
  };
}

/**
 * @param {State} state
 * @param {Units} units
 * @param {{ look(k: number | null): void, take(k: number): void }} on
 * @param {HTMLElement[]} buttons
 */
function fill(state, units, on, buttons) {
  const { options, quantities } = state;
  if (!options?.length) return [build("p", { class: "pn-empty", text: "There are no options from this point." })];
  const losses = options.flatMap(({ shown }) => shown.filter((_, i) => quantities[i].kind === "loss").map((change, i) => Math.abs(goodShare(quantities[i], change))));
  const full = niceAbove(Math.max(0.005, ...losses));
  const items = options.map((option, k) => {
    const take = makeButton("Take", () => on.take(k));
    take.setAttribute("aria-label", `Take: ${option.title}`);
    buttons.push(take);
    const item = build(
      "li",
      { class: "pn-option" },
      build("div", { class: "pn-option-text" }, build("strong", { text: option.title }), build("p", { text: outcomeOf(option, quantities, units) })),
      columns(option, quantities, full, units),
      ...(state.live ? [take] : []),
    );
    item.addEventListener("pointerenter", () => on.look(k));
    item.addEventListener("pointerleave", () => on.look(null));
    item.addEventListener("focusin", () => on.look(k));
    item.addEventListener("focusout", () => on.look(null));
    return item;
  });
  return [
    build("p", { class: "pn-quiet", text: `Bars, one for each quantity in the order of the list: up is better, down is worse, full is ${formatAsked(100 * full)}.` }),
    build("ul", { class: "pn-plain-list" }, ...items),
  ];
}

/**
 * @param {Option} option
 * @param {Quantity[]} quantities
 * @param {number} full
 * @param {Units} units
 */
function columns(option, quantities, full, units) {
  const made = option.shown.map((change, i) => {
    const share = Math.max(-1, Math.min(1, goodShare(quantities[i], change) / full));
    const noise = isNoise(change, option.errors?.[i], TIMES);
    const fillBar = build("span", { class: "pn-column-fill", "data-sense": senseOf(quantities[i], change) || "plain", "data-noise": noise });
    fillBar.style.transform = `scaleY(${share.toFixed(3)})`;
    return build("span", { class: "pn-column", title: `${quantities[i].name}: ${describeChange(quantities[i], change, quantities[i].value, units)}${noise ? " (noise)" : ""}` }, fillBar);
  });
  const root = build("span", { class: "pn-columns", "aria-hidden": "true" }, ...made);
  root.style.setProperty("--pn-count", String(made.length));
  return root;
}

/**
 * @param {Option} option
 * @param {Quantity[]} quantities
 * @param {Units} units
 */
function outcomeOf(option, quantities, units) {
  const moved = quantities
    .map((quantity, i) => ({ quantity, change: option.shown[i], error: option.errors?.[i] }))
    .filter(({ quantity, change, error }) => !isNoise(change, error, TIMES) && !isNothing(change, quantity.value))
    .sort((one, other) => Math.abs(goodShare(other.quantity, other.change)) - Math.abs(goodShare(one.quantity, one.change)));
  const words = moved.slice(0, SPOKEN).map(({ quantity, change }) => `${isolated(quantity.name)} ${describeChange(quantity, change, quantity.value, units)}`);
  if (words.length === 0) return "No change beyond noise.";
  return moved.length > SPOKEN ? `${words.join(", ")}, and ${moved.length - SPOKEN} more.` : `${listWords(words)}.`;
}
