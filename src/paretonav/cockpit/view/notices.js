// @ts-check
// What went wrong, in words, until it is dismissed.

import { build, makeButton } from "./dom.js";

const MOST = 3; // notices at once: the oldest give way

/** `show(text)` adds a notice; one that says the same replaces the old one. */
export function createNotices() {
  const root = build("div", { class: "pn-notices", role: "alert" });
  /** @param {string} text */
  const show = (text) => {
    if (!text) return;
    for (const old of [...root.children]) if (old.firstChild?.textContent === text) old.remove();
    while (root.children.length >= MOST) root.children[0].remove();
    const notice = build("div", { class: "pn-notice" }, build("p", { text }));
    notice.append(makeButton("Dismiss", () => notice.remove(), { kind: "pn-plain" }));
    root.append(notice);
  };
  return { root, show };
}
