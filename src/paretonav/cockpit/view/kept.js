// @ts-check
// Wishes that are kept beside each other with what they would bring, until one of them is taken.

/** @import { KeptWish, State, Units } from "./types.js" */

import { build, makeButton, setShown, setUsable } from "./dom.js";
import { formatValue } from "./numbers.js";
import { buildKey } from "./table.js";
import { tellWithError } from "./units.js";
import { wishesKey } from "./wishes.js";
import { senseOf } from "./words.js";

const MOST = 8; // wishes at one point: who keeps more drops the oldest

/**
 * The wishes that are kept, with one more: the same wish is kept once, with what was predicted last, in its place.
 * @param {KeptWish[]} kept
 * @param {KeptWish} wish
 */
export function withKept(kept, wish) {
  const same = kept.findIndex((one) => one.point === wish.point && wishesKey(one.modes) === wishesKey(wish.modes));
  if (same >= 0) return kept.map((one, i) => (i === same ? wish : one));
  const here = kept.filter(({ point }) => point === wish.point);
  const oldest = here.length >= MOST ? here[0] : null;
  return [...kept.filter((one) => one !== oldest), wish];
}

/**
 * The wishes kept at the current point, side by side; `on.look(wish | null)`, `on.ask(wish)`, `on.take(wish)`, `on.changed(here)`
 * with how many are kept at this point; `on.kept(wish)` and `on.dropped(wish)` tell Python, where they outlive the page.
 * @param {{ look(wish: KeptWish | null): void, ask(wish: KeptWish): void, take(wish: KeptWish): void, changed(here: number): void, kept(wish: KeptWish): void, dropped(wish: KeptWish): void }} on
 */
export function createKept(on) {
  const root = build("div", { class: "pn-kept" });
  /** @type {KeptWish[]} */
  let kept = [];
  /** @type {unknown[]} */
  let drawn = [];
  /** @type {HTMLElement[]} */
  let takes = [];
  /** @param {KeptWish} wish */
  const drop = (wish) => {
    kept = kept.filter((one) => one !== wish);
    on.dropped(wish);
    on.look(null);
  };
  return {
    root,
    /** @param {KeptWish} wish */
    keep(wish) {
      kept = withKept(kept, wish);
      on.kept(wish);
    },
    /**
     * What Python has, whoever has kept it.
     * @param {KeptWish[]} wishes
     */
    hear(wishes) {
      if (JSON.stringify(wishes) !== JSON.stringify(kept)) kept = wishes;
    },
    /**
     * @param {State} state
     * @param {Units} units
     * @param {string} why not
     */
    draw(state, units, why) {
      const now = [kept, state, units];
      if (now.some((one, i) => one !== drawn[i])) {
        drawn = now;
        takes = [];
        const here = kept.filter(({ point }) => point === state.current);
        const away = kept.length - here.length;
        root.replaceChildren(...(here.length ? fill(here, state, units, { ...on, drop }, takes) : [invitation()]));
        if (away) root.append(build("p", { class: "pn-quiet", text: `${away} more ${away === 1 ? "is" : "are"} kept at other points, and seen again there.` }));
        on.changed(here.length);
      }
      for (const take of takes) setUsable(take, why === "", why);
    },
  };
}

function invitation() {
  return build("p", { class: "pn-empty", text: "To compare several wishes before you take one: ask for something, press “Keep beside”, and ask for something else." });
}

/**
 * A column for each wish: what it is, what it would bring, and what can be done with it.
 * @param {KeptWish[]} wishes
 * @param {State} state
 * @param {Units} units
 * @param {{ look(wish: KeptWish | null): void, ask(wish: KeptWish): void, take(wish: KeptWish): void, drop(wish: KeptWish): void }} on
 * @param {HTMLElement[]} takes
 */
function fill(wishes, state, units, on, takes) {
  const heads = wishes.map((wish) => {
    const again = makeButton(wish.title, () => on.ask(wish), { kind: "pn-plain", title: "Ask for this again" });
    const guess = build("span", { class: "pn-quiet", text: "far: a guess" });
    setShown(guess, !wish.sure);
    return build("th", { scope: "col" }, again, guess);
  });
  const rows = state.quantities.map((quantity, i) =>
    build(
      "tr",
      {},
      build("th", { scope: "row", dir: "auto", title: quantity.name, text: quantity.name }),
      build("td", { class: "pn-right", text: formatValue(quantity.value) }),
      ...wishes.map(({ shown, errors, noise }) => {
        const sense = noise[i] ? "noise" : senseOf(quantity, shown[i]);
        const word = sense === "same" ? "" : ` ${sense}`;
        const kind = sense === "noise" || sense === "same" ? "pn-quiet" : sense && `pn-${sense}`;
        const title = `${tellWithError(shown[i], errors?.[i] ?? null, quantity.value, units)}, to ${formatValue(quantity.value + shown[i])}`;
        return build("td", { class: `pn-right ${kind}`.trim(), title, text: `${tellWithError(shown[i], null, quantity.value, units)}${word}` });
      }),
    ),
  );
  const ends = wishes.map((wish) => {
    const take = makeButton("Take", () => on.take(wish), { title: "Go there: the model itself moves" });
    take.setAttribute("aria-label", `Take: ${wish.title}`);
    if (state.live) takes.push(take);
    const drop = makeButton("Drop", () => on.drop(wish), { kind: "pn-plain", title: "Keep it no longer" });
    drop.setAttribute("aria-label", `Drop: ${wish.title}`);
    return build("td", { class: "pn-right" }, ...(state.live ? [take, " "] : []), drop);
  });
  const table = build(
    "table",
    { class: "pn-table pn-kept-table" },
    build("caption", { class: "pn-visually-hidden", text: "Wishes kept beside each other, with the changes that are predicted for each" }),
    build("thead", {}, build("tr", {}, build("th", { scope: "col", text: "Quantity" }), build("th", { scope: "col", class: "pn-right", text: "now" }), ...heads)),
    build("tbody", {}, ...rows),
    build("tfoot", {}, build("tr", {}, build("td", {}), build("td", {}), ...ends)),
  );
  /** @param {Event} event */
  const look = ({ target }) => {
    const cell = /** @type {Element} */ (target).closest("th, td");
    const at = cell?.parentElement ? [...cell.parentElement.children].indexOf(cell) - 2 : -1;
    on.look(wishes[at] ?? null);
  };
  for (const event of ["pointerover", "focusin"]) table.addEventListener(event, look);
  for (const event of ["pointerleave", "focusout"]) table.addEventListener(event, () => on.look(null));
  return [table, buildKey("than now")];
}
