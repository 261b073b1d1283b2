// @ts-check
// Tabs after the pattern of the ARIA practices: arrow keys go from one to the next, one of them is in the tab order.
// Where there is room for two panels, one of them stands beside the tabs and is always seen.

import { build, freshId, setAttribute, setShown, setText } from "./dom.js";

const TWO = 880; // pixels, from which on there is room for two panels

/**
 * Tabs over `panels`: [{ key, label, content }]. `label(key, text)` renames one, `show(key)` goes there. `first` is chosen at
 * first, `beside` is the key of the panel that stands aside where it can, `chosen(key)` hears of what somebody goes to.
 * @param {string} name
 * @param {{ key: string, label: string, content: HTMLElement }[]} panels
 * @param {{ first?: string, beside?: string | null, chosen?: (key: string) => void }} more
 */
export function createTabs(name, panels, { first = panels[0].key, beside = null, chosen = () => {} } = {}) {
  const list = build("div", { class: "pn-tabs", role: "tablist", "aria-label": name });
  const root = build("div", { class: "pn-tabbed" }, list);
  let now = first;
  let wide = false;
  const made = panels.map(({ key, label, content }) => {
    const id = freshId(key);
    const tab = build("button", { type: "button", class: "pn-tab", role: "tab", id: `${id}-tab`, "aria-controls": id, text: label });
    const heading = build("h2", { class: "pn-tab-heading", id: `${id}-heading`, text: label });
    const panel = build("div", { class: "pn-tab-panel", role: "tabpanel", id, tabindex: "0" }, content);
    const box = build("div", { class: "pn-tab-box" }, heading, panel);
    tab.addEventListener("click", () => {
      show(key);
      chosen(key);
    });
    list.append(tab);
    root.append(box);
    return { key, id, tab, heading, panel, box };
  });
  /** @param {string} key */
  const isAside = (key) => wide && key === beside;
  const draw = () => {
    if (isAside(now)) now = panels.find(({ key }) => key !== beside)?.key ?? now;
    setAttribute(root, "data-two", wide && beside !== null);
    for (const { key, id, tab, heading, panel, box } of made) {
      const aside = isAside(key);
      setAttribute(tab, "aria-selected", String(key === now));
      setAttribute(tab, "tabindex", key === now ? "0" : "-1");
      setShown(tab, !aside);
      setShown(heading, aside);
      setAttribute(panel, "role", aside ? "region" : "tabpanel");
      setAttribute(panel, "aria-labelledby", `${id}-${aside ? "heading" : "tab"}`);
      setAttribute(box, "data-aside", aside);
      setShown(box, aside || key === now);
    }
  };
  /** @param {string} key */
  const show = (key) => {
    if (!isAside(key)) now = key;
    draw();
  };
  list.addEventListener("keydown", (event) => {
    const seen = made.filter(({ key }) => !isAside(key));
    const at = seen.findIndex(({ tab }) => tab === event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: seen.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = seen[(to + seen.length) % seen.length];
    show(next.key);
    chosen(next.key);
    next.tab.focus();
  });
  const sizes = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === 0 || wide === contentRect.width >= TWO) return;
    wide = !wide;
    draw();
  });
  if (beside !== null) sizes.observe(root);
  draw();
  return {
    root,
    show,
    /** The keys of the panels that are seen, the chosen one first. */
    seen: () => (beside !== null && isAside(beside) ? [now, beside] : [now]),
    /**
     * @param {string} key
     * @param {string} text
     */
    label(key, text) {
      const named = made.find((one) => one.key === key);
      if (!named) return;
      setText(named.tab, text);
      setText(named.heading, text);
    },
    destroy: () => sizes.disconnect(),
  };
}
