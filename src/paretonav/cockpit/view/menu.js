// A menu that opens below its button and closes again by itself.

import { build } from "./dom.js";

/** A disclosure called `label`; `fill(panel)` makes its content whenever it opens. */
export function createMenu(label, fill) {
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
    if (event.relatedTarget && !root.contains(event.relatedTarget)) close();
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !root.open) return;
    event.stopPropagation();
    close();
    summary.focus();
  });
  panel.addEventListener("click", close);
  const outside = (event) => {
    if (!event.composedPath().includes(root)) close();
  };
  document.addEventListener("pointerdown", outside);
  return { root, destroy: () => document.removeEventListener("pointerdown", outside) };
}
