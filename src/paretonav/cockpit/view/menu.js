// @ts-check
// A menu that opens below its button and closes again by itself.

import { build } from "./dom.js";

/**
 * A disclosure called `label`; `fill(panel)` makes its content whenever it opens.
 * @param {string} label
 * @param {(panel: HTMLElement) => void} fill
 * @param {{ stays?: boolean }} more it stays open while something in it is chosen
 */
export function createMenu(label, fill, { stays = false } = {}) {
  const summary = build("summary", { class: "pn-button", text: label });
  const panel = build("div", { class: "pn-menu-panel" });
  const root = build("details", { class: "pn-menu" }, summary, panel);
  const close = () => {
    root.open = false;
  };
  root.addEventListener("toggle", () => {
    if (root.open) fill(panel);
  });
  root.addEventListener("focusout", (event) => {
    const to = /** @type {Node | null} */ (event.relatedTarget);
    if (to && !root.contains(to)) close();
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !root.open) return;
    event.stopPropagation();
    close();
    summary.focus();
  });
  if (!stays) panel.addEventListener("click", close);
  /** @param {Event} event */
  const outside = (event) => {
    if (!event.composedPath().includes(root)) close();
  };
  document.addEventListener("pointerdown", outside);
  return { root, destroy: () => document.removeEventListener("pointerdown", outside) };
}
