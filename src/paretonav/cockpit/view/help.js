// @ts-check
// How to use it, on one page.

import { build, makeButton, setShown } from "./dom.js";

const STEPS = [
  "Choose, for what matters to you, “improve by”, “aim for”, “hold” or a bound with “allow up to” (“down to” where higher is better). Everything else is free to pay.",
  "Move the sliders. The bars show at once what it would cost: to the right is better, to the left is worse.",
  "Let go: the outcome is then also measured, roughly, next to what is predicted.",
  "Press Step. The model itself moves there, and the report tells what was promised and what came of it.",
  "Undo, or go to any earlier point in the charts. Nothing is lost.",
  "To see first what there is to choose from: Spread makes models from one end of what is possible to the other, and Place says what a model elsewhere on the map would be like.",
  "Once you have chosen: Download has the model of the point where you are, and a card that says what was traded for what.",
];
const LOOKING = [
  "This is a saved copy: look at all points in the charts and the table, and compare those that you select.",
  "Choose “improve by” or “hold” and move the sliders: the bars show what it would cost.",
  "Nothing is measured here, and the model cannot be moved; that takes the navigation itself.",
];
const WORDS = [
  ["noise", "A change that chance alone could make: within about two standard errors (±) of nothing."],
  ["possible", "How far one can go from here with the rest as asked. Beyond it the slider is grey, and the reason is below it. In the charts, what is possible from here is green."],
  ["within reach", "How far each quantity could become better by itself, if it alone were asked for: the pale part of its bar, up to the line. Together they cannot all go so far."],
  ["per cent, values", "Changes are shown in per cent of a quantity's value, or as they are: the switch above the rows changes that everywhere. For an accuracy of 0.40, +5 % is 0.42."],
  ["outperformed", "Another point is at least as good in everything, and better in something."],
  ["training, validation", "What is asked for, aims and limits included, is about validation data, if there is any; so is what is shown as the value. Training losses stand beside."],
];
const KEYS = [
  ["Tab, Shift+Tab", "next, previous control"],
  ["Arrow keys, Page Up, Page Down", "move a slider, change a choice or a tab"],
  ["Ctrl+Enter", "step"],
  ["Escape", "cancel what is running"],
  ["Ctrl+Z", "undo the last step (not while typing)"],
];

/** A dialogue; `open(live)`, of a page from which the model can be moved or not. */
export function createHelp() {
  const keys = build("div", {}, build("h3", { text: "Keyboard" }), definitions(KEYS));
  const steps = build("ol", {});
  /** @type {HTMLDialogElement} */
  const root = build(
    "dialog",
    { class: "pn-help", "aria-label": "Help" },
    build("h2", { text: "How to steer", tabindex: "-1", autofocus: true }),
    steps,
    build("h3", { text: "Words" }),
    definitions(WORDS),
    keys,
    makeButton("Close", () => root.close(), { kind: "pn-primary" }),
  );
  return {
    root,
    /** @param {boolean} live */
    open(live) {
      steps.replaceChildren(...(live ? STEPS : LOOKING).map((text) => build("li", { text })));
      setShown(keys, live);
      root.showModal();
    },
  };
}

/** @param {string[][]} pairs */
function definitions(pairs) {
  return build("dl", {}, ...pairs.flatMap(([term, meaning]) => [build("dt", { text: term }), build("dd", { text: meaning })]));
}
