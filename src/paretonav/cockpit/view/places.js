// @ts-check
// A place that somebody chose, on the map or by typing values: what is predicted there, where the way begins, and what it takes.

/** @import { Ghost, Place, State, Units } from "./types.js" */

import { build, makeButton, setAttribute, setShown, setText, setUsable } from "./dom.js";
import { formatValue, isNumber } from "./numbers.js";
import { buildTable } from "./table.js";
import { describeChange, senseOf } from "./words.js";

/**
 * The section; `on.look(target)` asks what is at a place, `on.go(target)` goes there, `on.visit(id)` to a point that is as good, `on.changed()` when another one is looked at.
 * @param {{ look(target: Record<string, number>): number, go(target: Record<string, number>): void, visit(id: number): void, changed(): void }} on
 */
export function createPlaces(on) {
  const fields = build("div", { class: "pn-place-fields" });
  /** @type {Map<string, HTMLInputElement>} */
  let inputs = new Map();
  const told = build("div", { class: "pn-scrolled" });
  const words = build("p", { class: "pn-place-words", role: "status" });
  /** @type {Place | null} */
  let place = null;
  /** @type {number | null} */
  let asked = null; // number of the question that is awaited
  const typed = () => Object.fromEntries([...inputs].flatMap(([name, { valueAsNumber }]) => (isNumber(valueAsNumber) ? [[name, valueAsNumber]] : [])));
  /** @param {Record<string, number>} target */
  const look = (target) => {
    if (Object.keys(target).length === 0) return;
    asked = on.look(target);
  };
  const seek = makeButton("Look", () => {}, { title: "What is predicted there, and what it would take; nothing is moved" });
  const go = makeButton("Go there", () => place && on.go(place.target), { title: "The model itself moves" });
  const visit = makeButton("", () => place && place.start !== null && on.visit(place.start));
  const forget = makeButton("Forget it", () => forgetIt(), { kind: "pn-plain" });
  const forgetIt = () => {
    asked = null;
    place = null;
    on.changed();
  };
  seek.type = "submit"; // Enter in a field is the same
  const form = build("form", { class: "pn-place-form" }, fields, seek);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    look(typed());
  });
  const asking = build(
    "div",
    {},
    build("p", { text: "To see what a model elsewhere would be like: press a free place on the map in 2D, or type values to come to; what is left out is free." }),
    form,
  );
  const saved = build("p", { class: "pn-empty", text: "A saved copy knows what is around its point: to look elsewhere needs the running cockpit." });
  const root = build(
    "section",
    { class: "pn-place", "aria-label": "A place on the map" },
    asking,
    saved,
    words,
    told,
    build("div", { class: "pn-asked-line" }, go, visit, forget),
  );
  let names = "";
  /** @type {unknown[]} */
  let drawn = [];
  return {
    root,
    /**
     * Somebody pressed a place on the map.
     * @param {Record<string, number>} target
     */
    choose(target) {
      for (const [name, input] of inputs) input.value = name in target ? String(target[name]) : "";
      look(target);
    },
    /**
     * What is there.
     * @param {{ seq: number, data: Place }} answer
     */
    answered({ seq, data }) {
      if (seq !== asked) return;
      asked = null;
      place = data;
      on.changed();
    },
    forget: forgetIt,
    /** Whether there is a place that is looked at. */
    get isOpen() {
      return place !== null;
    },
    /**
     * Where it would lead, for the charts; null where nothing is looked at.
     * @returns {Ghost | null}
     */
    ghost() {
      if (!place?.shown || !place.train) return null;
      return { train: place.train, shown: place.shown, sure: place.attainable, from: place.start, target: place.target };
    },
    /** @param {{ state: State, units: Units, why: string }} now */
    draw({ state, units, why }) {
      const those = JSON.stringify(state.quantities.map(({ name }) => name));
      if (those !== names) {
        names = those;
        inputs = new Map(state.quantities.map(({ name }) => [name, build("input", { type: "number", step: "any", class: "pn-number", "aria-label": `${name} to come to` })]));
        fields.replaceChildren(...[...inputs].map(([name, input]) => build("label", { class: "pn-place-field" }, build("span", { text: name, dir: "auto", title: name }), input)));
      }
      for (const { name, value } of state.quantities) setAttribute(/** @type {HTMLInputElement} */ (inputs.get(name)), "placeholder", formatValue(value));
      setShown(asking, state.live);
      setShown(saved, !state.live);
      setUsable(go, why === "", why);
      setUsable(visit, why === "", why);
      const now = [state, units, place];
      if (now.every((one, i) => one === drawn[i])) return;
      drawn = now;
      const found = Boolean(place?.shown);
      setText(words, place ? placeInWords(place) : "");
      setAttribute(words, "data-tone", place?.problem ? "warn" : null);
      told.replaceChildren(...(place?.shown ? [outcome(place, state, units)] : []));
      setShown(go, found);
      const there = place && !found && place.start !== null && place.start !== state.current;
      setShown(visit, Boolean(there));
      setText(visit, there ? `Go to point ${place?.start}` : "");
      setShown(forget, place !== null);
    },
  };
}

/**
 * Where the way begins, and what it takes.
 * @param {Place} place
 */
export function placeInWords({ problem, start, attainable, legs, estimate }) {
  if (problem) return `No way there. ${problem}`;
  const nearest = attainable ? "" : "There is nothing just there; this is the nearest that is. ";
  const times = legs === 1 ? "" : `${legs} legs, each `;
  return `${nearest}The way begins at point ${start}: ${estimate ? `${times}${estimate}` : "how long it takes is known once there has been a step"}.`;
}

/**
 * @param {Place} place
 * @param {State} state
 * @param {Units} units
 */
function outcome({ shown = [], target }, state, units) {
  const rows = state.quantities.map((quantity, i) => {
    const there = shown[i];
    if (!isNumber(there)) return [quantity.name, formatValue(quantity.value), "", ""];
    const change = there - quantity.value;
    const sense = senseOf(quantity, change);
    const asked = quantity.name in target ? { title: `asked for ${formatValue(target[quantity.name])}` } : {};
    return [quantity.name, formatValue(quantity.value), { text: formatValue(there), ...asked }, { text: describeChange(quantity, change, quantity.value, units), class: sense === "better" || sense === "worse" ? `pn-${sense}` : "pn-quiet" }];
  });
  return buildTable("What is predicted there", ["Quantity", "now", "there", "than now"], rows);
}
