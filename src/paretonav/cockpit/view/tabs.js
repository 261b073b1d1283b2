// @ts-check
// Tabs after the pattern of the ARIA practices: arrow keys go from one to the next, one of them is in the tab order.

import { build, freshId, setAttribute, setShown, setText } from "./dom.js";

/**
 * Tabs over `panels`: [{ key, label, content }]. `label(key, text)` renames one, `show(key)` goes there.
 * @param {string} name
 * @param {{ key: string, label: string, content: HTMLElement }[]} panels
 */
export function createTabs(name, panels) {
  const list = build("div", { class: "pn-tabs", role: "tablist", "aria-label": name });
  const root = build("div", { class: "pn-tabbed" }, list);
  const made = panels.map(({ key, label, content }) => {
    const id = freshId(key);
    const tab = build("button", { type: "button", class: "pn-tab", role: "tab", id: `${id}-tab`, "aria-controls": id, text: label });
    const panel = build("div", { class: "pn-tab-panel", role: "tabpanel", id, "aria-labelledby": `${id}-tab`, tabindex: "0" }, content);
    tab.addEventListener("click", () => show(key));
    list.append(tab);
    root.append(panel);
    return { key, tab, panel };
  });
  /** @param {string} key */
  const show = (key) => {
    for (const { key: other, tab, panel } of made) {
      setAttribute(tab, "aria-selected", String(other === key));
      setAttribute(tab, "tabindex", other === key ? "0" : "-1");
      setShown(panel, other === key);
    }
  };
  list.addEventListener("keydown", (event) => {
    const at = made.findIndex(({ tab }) => tab === event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: made.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = made[(to + made.length) % made.length];
    show(next.key);
    next.tab.focus();
  });
  show(panels[0].key);
  return {
    root,
    show,
    /**
     * @param {string} key
     * @param {string} text
     */
    label(key, text) {
      const named = made.find((one) => one.key === key);
      if (named) setText(named.tab, text);
    },
  };
}
