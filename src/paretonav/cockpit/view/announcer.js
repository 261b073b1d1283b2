// @ts-check
// One polite live region, so that nothing is said over something else.

import { build } from "./dom.js";

const QUIET = 900; // ms without movement before an outcome is read out

/** `say(text)` at once; `sayLater(text)` once it has stopped changing. */
export function createAnnouncer() {
  const root = build("div", { class: "pn-visually-hidden", role: "status", "aria-live": "polite" });
  let timer = 0;
  let said = "";
  let waiting = "";
  /** @param {string} text */
  const say = (text) => {
    clearTimeout(timer);
    if (text && text !== said) root.textContent = text;
    said = text || said;
  };
  return {
    root,
    say,
    /** @param {string} text */
    sayLater(text) {
      if (text === waiting) return;
      waiting = text;
      clearTimeout(timer);
      timer = setTimeout(() => say(text), QUIET);
    },
    destroy() {
      clearTimeout(timer);
    },
  };
}
