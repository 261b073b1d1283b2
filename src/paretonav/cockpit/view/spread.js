// @ts-check
// Models that lie evenly along the front: how many are wanted, what that takes, and those that have come.

/** @import { Points, Spread, State, Wishes } from "./types.js" */

import { build, makeButton, setShown, setText, setUsable } from "./dom.js";
import { formatSeconds, formatValue } from "./numbers.js";
import { describeWishes } from "./wishes.js";
import { called } from "./words.js";

const USUAL = 5; // models
const MOST = 50;
const MOST_EACH = 3; // steps for each model, where the ends are far or steps end early
const COMPARED = 8; // models that are compared at a click

/**
 * The section; `on.make(count)`, `on.stop()`, `on.go(id)`, `on.compare(ids)`, `on.only(ids)`, `on.point(id | null)`.
 * @param {{ make(count: number): void, stop(): void, go(id: number): void, compare(ids: number[]): void, only(ids: number[]): void, point(id: number | null): void }} on
 */
export function createSpread(on) {
  const field = build("input", { type: "number", class: "pn-number", min: 2, max: MOST, step: 1, value: USUAL, "aria-label": "How many models" });
  const wanted = () => Math.max(2, Math.min(MOST, Math.round(field.valueAsNumber) || USUAL));
  const make = makeButton("Make them", () => on.make(wanted()), { title: "Models are made one by one; where you are now is where you will be" });
  const stop = makeButton("Stop", on.stop, { title: "Those that are there stay (Escape)" });
  const bounds = build("p", { class: "pn-quiet" });
  const cost = build("p", { class: "pn-quiet", role: "status" });
  const words = build("p", { class: "pn-spread-words", role: "status" });
  const list = build("div", { class: "pn-scrolled" });
  /** @type {number[]} */
  let ids = [];
  const compare = makeButton("Compare them", () => on.compare(ids.slice(0, COMPARED)), { kind: "pn-plain" });
  const only = makeButton("Show only these", () => on.only(ids), { kind: "pn-plain", title: "In all charts and in the table" });
  const asking = build(
    "div",
    {},
    build("p", { text: "To see what there is to choose from: models that lie evenly from one end of what is possible to the other. Each is an ordinary point, and you stay where you are." }),
    build("div", { class: "pn-asked-line" }, build("label", { class: "pn-asked-label" }, "How many ", field), make, stop),
    bounds,
    cost,
  );
  const saved = build("p", { class: "pn-empty", text: "A saved copy makes no models: to spread them out needs the running cockpit." });
  const root = build(
    "section",
    { class: "pn-spread", "aria-label": "Models spread out" },
    asking,
    saved,
    words,
    list,
    build("div", { class: "pn-asked-line" }, compare, only),
  );
  /** @type {State | null} */
  let here = null;
  const sayCost = () => setText(cost, here ? costInWords(here, wanted()) : "");
  field.addEventListener("input", sayCost);
  /** @type {unknown[]} */
  let drawn = [];
  return {
    root,
    /** @param {{ state: State, points: Points | null, spread: Spread | null, wishes: Wishes, running: boolean, why: string }} now */
    draw({ state, points, spread, wishes, running, why }) {
      here = state;
      setShown(asking, state.live);
      setShown(saved, !state.live);
      sayCost();
      const kept = describeWishes(new Map([...wishes].filter(([, { mode }]) => mode === "hold" || mode === "limit")), state.quantities);
      setText(bounds, kept ? `Within what you hold and allow: none is worse than that. ${kept}.` : "To leave out what is too bad for you, hold it, or say how far it may go.");
      setShown(make, !running);
      setShown(stop, running);
      setUsable(make, why === "", why);
      const now = [state.quantities, points, spread, running];
      if (now.every((one, i) => one === drawn[i])) return;
      drawn = now;
      ids = (spread?.points ?? []).filter((id) => id < (points?.parent.length ?? 0));
      setText(words, spread ? inWords(spread) : "");
      list.replaceChildren(...(points && ids.length ? [table(ids, state, points)] : []));
      setShown(compare, ids.length > 1);
      setShown(only, ids.length > 1);
    },
  };

  /**
   * @param {number[]} some
   * @param {State} state
   * @param {Points} points
   */
  function table(some, state, points) {
    const heads = ["Point", ...state.quantities.map(({ name }) => name)];
    const rows = some.map((id) => {
      const go = makeButton("Go", () => on.go(id), { kind: "pn-plain" });
      go.setAttribute("aria-label", `Go to point ${id}`);
      return build(
        "tr",
        { "data-id": id },
        build("th", { scope: "row", text: `${id}${called(points.name?.[id])}` }),
        ...state.quantities.map((_, i) => build("td", { class: "pn-right", text: formatValue(shownOf(points, state, i, id)) })),
        build("td", {}, ...(id === state.current ? ["here"] : [go])),
      );
    });
    const made = build(
      "table",
      { class: "pn-table" },
      build("caption", { class: "pn-visually-hidden", text: "Models that were spread out, with their values" }),
      build("thead", {}, build("tr", {}, ...heads.map((text, i) => build("th", { scope: "col", class: i ? "pn-right" : null, dir: "auto", text })), build("th", { scope: "col" }, build("span", { class: "pn-visually-hidden", text: "Go there" })))),
      build("tbody", {}, ...rows),
    );
    /** @param {Event} event */
    const look = ({ target }) => {
      const id = /** @type {HTMLElement} */ (target).closest("tr")?.dataset.id;
      on.point(id === undefined ? null : Number(id));
    };
    for (const event of ["pointerover", "focusin"]) made.addEventListener(event, look);
    for (const event of ["pointerleave", "focusout"]) made.addEventListener(event, () => on.point(null));
    return made;
  }
}

/**
 * What of a point is shown.
 * @param {Points} points
 * @param {State} state
 * @param {number} i
 * @param {number} id
 */
export function shownOf(points, state, i, id) {
  const losses = state.split === "validation" && points.validation ? points.validation : points.train;
  return (i < state.objectives ? losses[i] : points.metrics[i - state.objectives])?.[id] ?? null;
}

/**
 * What so many models are expected to take.
 * @param {State} state
 * @param {number} count
 */
export function costInWords({ pace }, count) {
  if (!pace) return "How long that takes is known once there has been a step.";
  const [least, most] = [count * pace.seconds, MOST_EACH * count * pace.seconds].map(formatSeconds);
  return `${count} to ${MOST_EACH * count} steps, each ${pace.words}: ${least} to ${most} in all, the more the farther the ends are. Models that are there already are used, and cost nothing.`;
}

/** @param {Spread} spread */
function inWords({ status, wanted, points, words }) {
  if (status !== "running") return words.join(" ");
  const come = points.length === 1 ? "1 new model has come" : `${points.length} new models have come`;
  return `${wanted} are being made: ${come}. What you ask for is answered again once that has ended.`;
}
