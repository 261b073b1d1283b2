// How to use it, on one page.

import { build, makeButton } from "./dom.js";

const STEPS = [
  "Choose, for what matters to you, “improve by”, “aim for”, “hold” or “allow up to”. Everything else is free to pay.",
  "Move the sliders. The bars show at once what it would cost: to the right is better, to the left is worse.",
  "Let go: the outcome is then also measured, roughly, next to what is predicted.",
  "Press Step. The model itself moves there, and the report tells what was promised and what came of it.",
  "Undo, or go to any earlier point in the charts. Nothing is lost.",
];
const WORDS = [
  ["noise", "A change that chance alone could make: within about two standard errors (±) of nothing."],
  ["reach", "How far one can go from here with the rest as asked. Beyond it the slider is grey, and the reason is below it."],
  ["training, validation", "What is asked for, aims and limits included, is about validation data, if there is any; so is what is shown as the value. Training losses stand beside."],
];
const KEYS = [
  ["Tab, Shift+Tab", "next, previous control"],
  ["Arrow keys, Page Up, Page Down", "move a slider, change a choice or a tab"],
  ["Ctrl+Enter", "step"],
  ["Escape", "cancel what is running"],
  ["Ctrl+Z", "undo the last step (not while typing)"],
];

/** A dialogue; `open()`. */
export function createHelp() {
  const root = build(
    "dialog",
    { class: "pn-help", "aria-label": "Help" },
    build("h2", { text: "How to steer", tabindex: "-1", autofocus: true }),
    build("ol", {}, ...STEPS.map((text) => build("li", { text }))),
    build("h3", { text: "Words" }),
    definitions(WORDS),
    build("h3", { text: "Keyboard" }),
    definitions(KEYS),
    makeButton("Close", () => root.close(), { kind: "pn-primary" }),
  );
  return { root, open: () => root.showModal() };
}

function definitions(pairs) {
  return build("dl", {}, ...pairs.flatMap(([term, meaning]) => [build("dt", { text: term }), build("dd", { text: meaning })]));
}
