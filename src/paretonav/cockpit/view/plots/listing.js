// @ts-check
// All points as a table: what the charts show, to read, sort, mark and go to.

/** @import { Axis, ChartActions, Column, Data } from "../types.js" */
/** @typedef {"name" | "note"} Said what somebody says of a point */

import { build, setAttribute, setShown, setText } from "../dom.js";
import { formatValue, isNumber } from "../numbers.js";
import { tellWithError } from "../units.js";
import { ENDINGS } from "../words.js";
import { createNarrow } from "./narrow.js";
import { toggled } from "./press.js";
import { capital } from "./told.js";

const PAGE = 100; // rows at once
/** @type {Record<Said, number>} */
const SAID = { name: 60, note: 2000 }; // letters at most
const SAME = 5e-4; // of its value: a change that is neither better nor worse

/**
 * The chart "Table": every point with all its values.
 * @param {ChartActions} actions
 */
export function createListing(actions) {
  let data = /** @type {Data} */ (/** @type {unknown} */ (null)); // until it is drawn first
  let sort = { key: "id", falling: false };
  let page = 0;
  /** @type {number[]} */
  let order = [];
  /** @type {{ id: number, what: Said, input: HTMLInputElement, before: string, moving?: boolean } | null} */
  let editing = null;
  /** @type {Data | null} */
  let drawnFor = null;
  /** @type {number | null} */
  let seenCurrent = null;

  const losses = pick("Losses", [["shown", "validation losses"], ["train", "training losses"]], () => redraw());
  const way = pick("Values", [["value", "values"], ["change", "change since start"]], () => redraw());
  const efficient = build("input", { type: "checkbox", onchange: () => actions.filter({ ...data.filter, efficient: efficient.checked }) });
  const starred = build("input", { type: "checkbox", onchange: () => actions.filter({ ...data.filter, starred: starred.checked }) });
  const ticks = [[efficient, "not outperformed"], [starred, "starred"]].map(([box, text]) => build("label", { class: "pn-tick" }, box, build("span", { text })));
  /** @type {Set<string>} */
  let hidden = new Set();
  const narrow = createNarrow({
    columns: () => columns().slice(2),
    filter: () => data.filter,
    hidden: () => hidden,
    setFilter: actions.filter,
    /** @param {Set<string>} keys */
    setHidden(keys) {
      hidden = keys;
      redraw();
    },
  });
  const count = build("span", { class: "pn-hint" });
  const back = button("‹", "Earlier rows", () => turn(-1));
  const on = button("›", "Later rows", () => turn(1));
  const caption = build("caption", { class: "pn-visually-hidden" });
  const head = build("thead");
  const body = build("tbody");
  const scroller = build("div", { class: "pn-list", tabindex: "0", role: "region", "aria-label": "Table of the visited points" },
    build("table", {}, caption, head, body));
  const root = build(
    "div",
    { class: "pn-chart" },
    build("div", { class: "pn-chart-top pn-list-top" }, way, losses, ...ticks, narrow.root, count, back, on),
    scroller,
  );

  const axes = () => {
    const train = losses.value === "train";
    return data.shown.map((axis) => (train && axis.kind === "loss" ? (data.axes.find(({ key }) => key === `train:${axis.i}`) ?? axis) : axis));
  };
  /**
   * @param {Axis} axis
   * @param {number} id
   */
  const amount = (axis, id) => {
    const value = axis.value(id);
    if (way.value === "value" || value === null) return value;
    const start = axis.value(0);
    return start === null ? null : value - start;
  };
  /** @returns {Column[]} */
  const columns = () => [
    { key: "id", label: "Point", name: "Point", of: (id) => id },
    { key: "star", label: "★", name: "★ Starred", of: (id) => (data.points.star?.[id] ? 0 : 1) },
    { key: "name", label: "Name", name: "Name", of: (id) => data.points.name?.[id] || null },
    ...axes().map((axis) => ({ key: `q${axis.i}`, label: axis.name, name: axis.label, axis, of: (/** @type {number} */ id) => amount(axis, id) })),
    { key: "asked", label: "Reached by", name: "Reached by", of: (id) => data.points.asked?.[id] ?? "" },
    { key: "parent", label: "From", name: "From", of: (id) => data.points.parent[id] },
    { key: "note", label: "Note", name: "Note", of: (id) => data.points.note?.[id] || null },
  ];

  /** @param {number} by */
  const turn = (by) => {
    page += by;
    redraw();
    scroller.scrollTop = 0;
  };
  /** @param {string} key */
  const sortBy = (key) => {
    sort = { key, falling: sort.key === key && !sort.falling };
    page = 0;
    redraw();
    scroller.scrollTop = 0; // what is first now is what was asked for
  };
  const redraw = () => {
    drawnFor = null;
    draw();
  };
  const draw = () => {
    if (!data || drawnFor === data || scroller.clientHeight === 0) return;
    drawnFor = data;
    const shown = columns().filter(({ key }) => !hidden.has(key));
    const sorted = shown.find(({ key }) => key === sort.key) ?? shown[0];
    order = sortedIds(data.count, sorted.of, sort.falling).filter((id) => data.passing === null || data.passing[id]);
    efficient.checked = data.filter.efficient;
    starred.checked = data.filter.starred;
    const pages = Math.ceil(order.length / PAGE);
    let reveal = false;
    if (seenCurrent !== data.current) {
      seenCurrent = data.current;
      if (data.current !== null) {
        reveal = true;
        if (order.includes(data.current)) page = Math.floor(order.indexOf(data.current) / PAGE);
      }
    }
    page = Math.max(0, Math.min(pages - 1, page));
    const ids = order.slice(page * PAGE, (page + 1) * PAGE);
    const held = keepFocus();
    drawHead(shown);
    body.replaceChildren(...ids.map((id) => rowFor(id, shown)));
    held();
    if (reveal) showRow(body.querySelector("[data-here]"));
    for (const one of [back, on, count]) setShown(one, pages > 1);
    back.disabled = page === 0;
    on.disabled = page >= pages - 1;
    const many = ids.length ? `${page * PAGE + 1}–${page * PAGE + ids.length} of ${order.length.toLocaleString("en")}` : "none";
    setText(count, many);
    const what = `${losses.hidden ? "" : `${losses.selectedOptions[0].text}, `}${way.selectedOptions[0].text}`;
    setText(caption, `Visited points ${many}: ${what}; sorted by ${sorted.name.toLowerCase()}, ${sort.falling ? "falling" : "rising"}.`);
  };

  /**
   * Into view without moving the page.
   * @param {HTMLElement | null} row
   */
  const showRow = (row) => {
    if (!row) return;
    const top = row.offsetTop - head.offsetHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (row.offsetTop + row.offsetHeight > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = row.offsetTop + row.offsetHeight - scroller.clientHeight + 4;
    }
  };

  /** @param {Column[]} shown */
  const drawHead = (shown) => {
    const cells = shown.map(({ key, label, name, axis }) => {
      const side = axis?.better === "higher" ? " (higher is better)" : "";
      const sorter = build("button", { type: "button", class: "pn-sort", title: `Sort by ${name}${side}`, onclick: () => sortBy(key), "data-focus": `sort ${key}` },
        build("span", { text: label, dir: "auto" }));
      if (label !== name) sorter.setAttribute("aria-label", name);
      const sorting = key === sort.key ? (sort.falling ? "descending" : "ascending") : null;
      return build("th", { scope: "col", "aria-sort": sorting, "data-number": Boolean(axis) || key === "parent", "data-stuck": key === "id" }, sorter);
    });
    if (data.live) cells.splice(2, 0, build("th", { scope: "col" }, build("span", { class: "pn-visually-hidden", text: "Go there" })));
    head.replaceChildren(build("tr", {}, ...cells));
  };
  /**
   * @param {number} id
   * @param {Column[]} shown
   */
  const rowFor = (id, shown) => {
    const { points, current } = data;
    const here = id === current;
    const starred = Boolean(points.star?.[id]);
    const check = build("input", { type: "checkbox", "aria-label": `Compare point ${id}`, title: "Compare", "data-focus": `check ${id}`, onchange: () => actions.select(toggled(data.selected, id)) });
    check.checked = data.picks.has(id);
    const star = !data.live ? build("span", { class: "pn-starred", text: starred ? "★" : "" }) : build("button", {
      type: "button", class: "pn-star", text: starred ? "★" : "☆", title: starred ? "Take the star away" : "Star",
      "aria-pressed": String(starred), "aria-label": `Star point ${id}`, "data-focus": `star ${id}`, onclick: () => actions.star(id, !starred),
    });
    const go = build("button", { type: "button", class: "pn-go", text: here ? "here" : "Go", "aria-label": here ? `Point ${id} is here` : `Go to point ${id}`, "data-focus": `go ${id}`, onclick: () => actions.go(id) });
    go.disabled = here;
    const dominated = points.efficient?.[id] === false;
    const number = build("th", { scope: "row", "data-stuck": true }, build("label", { class: "pn-cell-pick" }, check, build("span", { text: `${id}` })));
    if (dominated) number.append(build("span", { class: "pn-visually-hidden", text: " (outperformed)" }));
    const cells = shown.flatMap(({ axis }) => (axis ? [valueCell(axis, id, amount(axis, id))] : []));
    /** @type {Record<string, () => HTMLElement>} */
    const last = {
      asked: () => build("td", { class: "pn-how", title: [how, points.reason?.[id]].filter(Boolean).join("\n"), text: how, dir: "auto" }),
      parent: () => build("td", { "data-number": true, text: isNumber(points.parent[id]) ? `${points.parent[id]}` : "" }),
      note: () => build("td", {}, said(id, "note")),
    };
    const asked = points.asked?.[id] ?? "";
    const status = points.status?.[id];
    const how = `${asked}${status && status !== "accepted" ? ` (${ENDINGS[status] ?? status})` : ""}`;
    return build(
      "tr",
      { "data-id": id, "data-here": here, "aria-current": here ? "true" : null, "data-worse": dominated, title: dominated ? "Outperformed: another point is at least as good in everything" : null },
      number,
      build("td", {}, star),
      ...(data.live ? [build("td", {}, go)] : []),
      ...shown.flatMap(({ key }) => (key === "name" ? [build("td", {}, said(id, "name"))] : [])),
      ...cells,
      ...shown.flatMap(({ key }) => (last[key] ? [last[key]()] : [])),
    );
  };
  /**
   * @param {Axis} axis
   * @param {number} id
   * @param {number | null} value
   */
  const valueCell = (axis, id, value) => {
    if (way.value === "value") return build("td", { "data-number": true, text: formatValue(value) });
    const start = axis.value(0) ?? 0; // without one there is no change either
    const text = id === 0 ? formatValue(axis.value(0)) : tellWithError(value, null, start, data.units);
    const small = value === null || id === 0 || Math.abs(value) <= SAME * Math.abs(start);
    const better = axis.better === "higher" ? Number(value) > 0 : Number(value) < 0;
    const sense = small || axis.better === null ? null : `pn-change-${better ? "better" : "worse"}`;
    return build("td", { "data-number": true, class: sense, text: `${text}${sense ? (better ? " better" : " worse") : ""}`, title: formatValue(axis.value(id)) });
  };

  /**
   * What is said of a point: to be changed, being changed, or to be read.
   * @param {number} id
   * @param {Said} what
   */
  const said = (id, what) => {
    if (editing?.id === id && editing.what === what) return editing.input;
    const text = data.points[what]?.[id] ?? "";
    return data.live ? saidButton(id, what, text) : build("span", { class: "pn-note-said", dir: "auto", text });
  };
  /**
   * @param {number} id
   * @param {Said} what
   * @param {string} text
   */
  const saidButton = (id, what, text) => {
    const label = text ? `${capital(what)} of point ${id}: ${text}. Change it` : `Add a ${what} to point ${id}`;
    return build("button", { type: "button", class: `pn-note pn-note-${what}`, dir: "auto", text, title: text || null, "aria-label": label, "data-focus": `${what} ${id}`, onclick: () => edit(id, what) });
  };
  /**
   * @param {number} id
   * @param {Said} what
   */
  const edit = (id, what) => {
    if (editing) finish(true);
    const before = data.points[what]?.[id] ?? "";
    const focus = `${what} ${id}`;
    const input = build("input", { type: "text", class: "pn-note-input", dir: "auto", maxlength: SAID[what], "aria-label": `${capital(what)} of point ${id}: Enter saves, Escape leaves`, "data-focus": focus });
    input.value = before;
    editing = { id, what, input, before };
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      if (event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      finish(event.key === "Enter");
      /** @type {HTMLElement | null} */ (body.querySelector(`[data-focus="${focus}"]`))?.focus();
    });
    input.addEventListener("blur", () => {
      // Rows that are drawn anew take the input along; who leaves it has meant what was written.
      if (editing?.input === input && !editing.moving) finish(true);
    });
    body.querySelector(`[data-focus="${focus}"]`)?.replaceWith(input);
    input.focus();
    input.select();
  };
  /** @param {boolean} saved */
  const finish = (saved) => {
    if (!editing) return;
    const { id, what, input, before } = editing;
    editing = null;
    const text = input.value.trim();
    const changed = saved && text !== before;
    const button = saidButton(id, what, changed ? text : before); // shown at once; the answer draws it anew
    if (changed) actions[what](id, text);
    if (input.isConnected) input.replaceWith(button);
  };
  /** The focus, and the caret, come back to the same thing after the rows are drawn anew. */
  const keepFocus = () => {
    const active = /** @type {HTMLElement | null} */ (document.activeElement);
    const focus = root.contains(active) ? active?.dataset.focus : undefined;
    const [from, to] = [editing?.input.selectionStart ?? null, editing?.input.selectionEnd ?? null];
    if (editing) editing.moving = true;
    return () => {
      if (focus) /** @type {HTMLElement | null} */ (root.querySelector(`[data-focus="${CSS.escape(focus)}"]`))?.focus({ preventScroll: true });
      if (!editing) return;
      editing.moving = false;
      if (!editing.input.isConnected) finish(true);
      else editing.input.setSelectionRange(from, to);
    };
  };

  /** @param {Event} of */
  const linkOf = ({ target }) => {
    const id = /** @type {Element} */ (target).closest("tr")?.dataset.id;
    actions.point(id === undefined ? null : Number(id));
  };
  for (const event of ["pointerover", "focusin"]) body.addEventListener(event, linkOf);
  for (const event of ["pointerleave", "focusout"]) body.addEventListener(event, () => actions.point(null));
  const sizes = new ResizeObserver(() => draw());
  sizes.observe(scroller);
  return {
    root,
    /**
     * @param {Data} next
     * @param {boolean} same
     */
    draw(next, same) {
      const known = drawnFor !== null && same;
      data = next;
      if (known) drawnFor = data;
      setShown(losses, Boolean(data.points.validation) && data.split === "validation");
      draw();
    },
    /** @param {number | null} id */
    link(id) {
      for (const row of body.rows) setAttribute(row, "data-linked", id !== null && Number(row.dataset.id) === id);
    },
    destroy() {
      narrow.destroy();
      sizes.disconnect();
    },
  };
}

/**
 * Ids by what a column has of them; what is missing comes last, equals by number.
 * @param {number} count
 * @param {(id: number) => string | number | null | undefined} of
 * @param {boolean} falling
 */
function sortedIds(count, of, falling) {
  const keys = Array.from({ length: count }, (_, id) => of(id));
  /** @param {string | number | null | undefined} key */
  const isMissing = (key) => key === null || key === undefined || key === "";
  /**
   * @param {string | number | null | undefined} one
   * @param {string | number | null | undefined} other
   */
  const compare = (one, other) => (typeof one === "string" ? one.localeCompare(String(other), undefined, { numeric: true }) : Number(one) - Number(other));
  return [...keys.keys()].sort((i, j) => {
    if (isMissing(keys[i]) || isMissing(keys[j])) return Number(isMissing(keys[i])) - Number(isMissing(keys[j])) || i - j;
    return (falling ? -1 : 1) * compare(keys[i], keys[j]) || i - j;
  });
}

/**
 * @param {string} name
 * @param {string[][]} options
 * @param {() => void} onchange
 */
function pick(name, options, onchange) {
  return build("select", { class: "pn-choice", "aria-label": capital(name), onchange }, ...options.map(([value, text]) => build("option", { value, text })));
}

/**
 * @param {string} text
 * @param {string} name
 * @param {() => void} onclick
 */
function button(text, name, onclick) {
  return build("button", { type: "button", class: "pn-small", text, title: name, "aria-label": name, onclick });
}
