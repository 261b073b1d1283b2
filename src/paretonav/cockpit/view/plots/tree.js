// The tree of visited points, as buttons on branches; only a fork indents.

import { build, setAttribute } from "../dom.js";
import { shorten } from "./lines.js";

const MOST = 400; // rows in the page; of more, those around the current point

/** The tree. */
export function createTree(actions) {
  const list = build("ol", { class: "pn-tree", role: "listbox", "aria-label": "Visited points", "aria-multiselectable": "true", tabindex: "0" });
  const note = build("p", { class: "pn-quiet" });
  const root = build("div", { class: "pn-chart pn-scrolling" }, note, list);
  let rows = [];
  let active = null;
  let drawn = "";

  const activate = (id, scroll = true) => {
    active = id;
    for (const row of rows) {
      setAttribute(row.item, "data-active", row.id === active);
      if (row.id === active) {
        setAttribute(list, "aria-activedescendant", row.item.id);
        if (scroll) row.item.scrollIntoView({ block: "nearest" });
      }
    }
  };
  list.addEventListener("keydown", (event) => {
    const at = rows.findIndex((row) => row.id === active);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined && rows[to]) activate(rows[to].id);
    else if (event.key === "ArrowLeft" && rows[at]?.parent != null) activate(rows[at].parent);
    else if (event.key === " " && active !== null) actions.toggle(active);
    else if (event.key === "Enter" && active !== null && !event.ctrlKey && !event.metaKey) actions.go(active);
    else return;
    event.preventDefault();
  });

  return {
    root,
    draw({ state, points, selected }) {
      const signature = JSON.stringify([points.version, state.current, selected, points.note, points.star]);
      if (signature === drawn) return;
      drawn = signature;
      const all = walk(points.parent);
      const here = all.findIndex(({ id }) => id === state.current);
      const from = Math.max(0, Math.min(here - MOST / 2, all.length - MOST));
      const seen = all.slice(from, from + MOST);
      note.textContent = seen.length < all.length ? `${seen.length} of ${all.length} points, those around the current one. Click selects for comparison, a double click goes there.` : "Click selects for comparison, a double click goes there.";
      rows = seen.map(({ id, depth }) => {
        const item = build(
          "li",
          { role: "option", id: `${list.dataset.key}-${id}`, "aria-selected": String(selected.includes(id)), "data-current": id === state.current, "data-active": id === active, style: null },
          build("span", { class: "pn-node", text: `${id === state.current ? "◆" : points.star[id] ? "★" : id === 0 ? "■" : "●"} ${id}` }),
          build("span", { class: "pn-asked", text: shorten(points.asked[id], 90), title: points.asked[id] }),
          build("span", { class: "pn-noted", text: shorten(points.note[id], 60), title: points.note[id] || null }),
        );
        item.style.paddingInlineStart = `${0.5 + 1.1 * Math.min(depth, 12)}em`;
        item.addEventListener("click", () => {
          activate(id, false);
          actions.toggle(id);
        });
        item.addEventListener("dblclick", () => actions.go(id));
        return { id, item, parent: points.parent[id] };
      });
      list.replaceChildren(...rows.map(({ item }) => item));
      activate(rows.some(({ id }) => id === active) ? active : state.current, false);
    },
    ghost() {},
    destroy() {},
    name(key) {
      list.dataset.key = key;
    },
  };
}

/** The points below each other, with how far each is indented. */
export function walk(parents) {
  const children = new Map();
  parents.forEach((parent, id) => {
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(id);
  });
  const found = [];
  const stack = (children.get(null) ?? []).map((id) => ({ id, depth: 0 })).reverse();
  while (stack.length) {
    const next = stack.pop();
    found.push(next);
    const ahead = children.get(next.id) ?? [];
    for (const id of [...ahead].reverse()) stack.push({ id, depth: next.depth + (ahead.length > 1 ? 1 : 0) });
  }
  return found;
}
