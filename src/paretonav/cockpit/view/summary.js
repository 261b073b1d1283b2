// @ts-check
// What is asked and what it would bring, as sentences above the rows.

/** @import { Sentence } from "./types.js" */

import { build, setAttribute, setShown, setText } from "./dom.js";

/** The paragraph; `draw(sentences)` with [{ text, tone }]. */
export function createSummary() {
  const root = build("p", { class: "pn-summary" });
  /** @type {HTMLElement[]} */
  const parts = [];
  return {
    root,
    /** @param {Sentence[]} sentences */
    draw(sentences) {
      while (parts.length < sentences.length) {
        const part = build("span", {});
        parts.push(part);
        root.append(part, " ");
      }
      parts.forEach((part, i) => {
        const sentence = sentences[i];
        setShown(part, sentence !== undefined);
        setText(part, sentence?.text ?? "");
        setAttribute(part, "data-tone", sentence?.tone || null);
      });
    },
  };
}
