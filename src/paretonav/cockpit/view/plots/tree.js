// @ts-check
// The tree of visited points: rows with the lines of a graph beside them, made as they come into view.

/** @import { ChartActions, Colours, Data, PointRole, TreeRow } from "../types.js" */

import { build, freshId, setAttribute, setText } from "../dom.js";
import { layTree } from "./branches.js";
import { legendOf } from "./legend.js";
import { brushOf, drawLegend, drawMark, drawRing, drawText, fitText, fontOf, roleOf, sizeOfMark } from "./marks.js";
import { isolated } from "../numbers.js";
import { ENDINGS } from "../words.js";
import { createPress, toggled } from "./press.js";
import { nameOfPoint, rolesOf, sayPoints, wayOfPoint } from "./told.js";

const ROW = 26; // pixels, as in the style sheet
const LANE = 16;
const SPARE = 4; // rows above and below what is seen
const KEY = 22; // pixels of the line that says what the marks are
const WIDEST = 0.34; // of the width, that lanes may take

/**
 * The chart "Tree".
 * @param {{ now: Colours }} palette
 * @param {ChartActions} actions
 */
export function createTree(palette, actions) {
  let data = /** @type {Data} */ (/** @type {unknown} */ (null)); // until it is drawn first
  /** @type {TreeRow[]} */
  let rows = [];
  /** @type {Map<number | null, number>} */
  let rowOfId = new Map();
  let lanes = 1;
  let active = 0; // a row
  let frame = 0;
  let due = false; // changed while nobody could see it
  /** @type {number | null} */
  let known = -1; // the current point when it was last brought into view
  /** @type {number | null} */
  let linked = null; // a point that is pointed at, here or elsewhere
  /** @type {Map<number, HTMLElement>} */
  const made = new Map(); // id -> row element
  const stem = freshId("tree");
  const canvas = build("canvas", { class: "pn-tree-canvas", "aria-hidden": "true" });
  const list = build("div", { class: "pn-tree-rows", role: "presentation" });
  const space = build("div", { class: "pn-tree-space", role: "presentation" }, canvas, list);
  const scroller = build("div", { class: "pn-tree", role: "tree", tabindex: "0" }, space);
  const key = build("canvas", { class: "pn-tree-key", "aria-hidden": "true" }); // each row says in words what its mark does
  const root = build("div", { class: "pn-chart" }, key, scroller);
  const press = createPress({ choose: (id) => actions.select(toggled(data.selected, id)), go: (id) => data.live && actions.go(id) });

  const laneWidth = () => Math.min(LANE, (WIDEST * scroller.clientWidth) / Math.max(1, lanes));
  /** @param {number} lane */
  const xOf = (lane) => 12 + lane * laneWidth();
  const seen = () => {
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW) - SPARE);
    return [first, Math.min(rows.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW) + SPARE)];
  };

  const ask = () => {
    due = true;
    if (!frame) frame = requestAnimationFrame(paint);
  };
  const paint = () => {
    frame = 0;
    if (!data || !due || scroller.clientHeight === 0) return;
    due = false;
    space.style.blockSize = `${rows.length * ROW}px`;
    if (known !== data.current) {
      known = data.current;
      active = rowOfId.get(known) ?? active;
      if (rowOfId.has(known)) reveal(active);
    }
    fillRows();
    paintLines();
  };
  /** @param {number} at */
  const reveal = (at) => {
    const top = at * ROW;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + ROW > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + ROW - scroller.clientHeight;
  };
  const fillRows = () => {
    const [first, last] = seen();
    const wanted = new Set(rows.slice(first, last).map(({ id }) => id));
    for (const [id, row] of made) {
      if (wanted.has(id)) continue;
      row.remove();
      made.delete(id);
    }
    let before = null;
    for (let at = first; at < last; at += 1) {
      const { id } = rows[at];
      const row = made.get(id) ?? makeRow(id);
      made.set(id, row);
      fillRow(row, at);
      if (row.previousSibling !== before || row.parentNode !== list) list.insertBefore(row, before ? before.nextSibling : list.firstChild);
      before = row;
    }
    setAttribute(scroller, "aria-activedescendant", made.has(rows[active]?.id) ? `${stem}-${rows[active].id}` : null);
  };
  /** @param {number} id */
  const makeRow = (id) =>
    build(
      "div",
      { class: "pn-tree-row", role: "treeitem", id: `${stem}-${id}` },
      build("span", { class: "pn-tree-number" }, build("span", { class: "pn-visually-hidden", text: "point " }), `${id}`),
      build("span", { class: "pn-tree-star", text: "★" }),
      build("b", { class: "pn-tree-name", dir: "auto" }),
      build("span", { class: "pn-tree-how" }),
      build("span", { class: "pn-tree-note" }),
      build("span", { class: "pn-visually-hidden" }),
      // For the pointer alone: the keys have Enter.
      build("button", { type: "button", class: "pn-go", tabindex: "-1", "aria-hidden": "true", text: "Go", onclick: (/** @type {MouseEvent} */ event) => {
        event.stopPropagation();
        actions.go(id);
      } }),
    );
  /**
   * @param {HTMLElement} row
   * @param {number} at
   */
  const fillRow = (row, at) => {
    const { id, lane } = rows[at];
    const [, star, called, how, note, roles, go] = /** @type {HTMLElement[]} */ ([...row.children]);
    row.style.insetBlockStart = `${at * ROW}px`;
    row.style.paddingInlineStart = `${xOf(lane) + 12}px`;
    star.hidden = !data.points.star?.[id];
    called.hidden = !data.points.name?.[id];
    called.textContent = data.points.name?.[id] ?? "";
    setAttribute(how, "dir", "auto");
    setText(how, data.points.asked?.[id] || (id === 0 ? "start" : "reached"));
    const status = data.points.status?.[id];
    const told = [status && status !== "accepted" ? (ENDINGS[status] ?? status) : "", data.points.note?.[id] ?? ""].filter(Boolean).join(" · ");
    note.textContent = told;
    go.hidden = id === data.current || !data.live;
    setAttribute(note, "dir", "auto");
    const name = `${nameOfPoint(data, id)}: ${wayOfPoint(data, id)}`;
    setAttribute(row, "title", [name, data.points.reason?.[id], data.points.note?.[id]].filter(Boolean).join("\n"));
    setText(roles, rolesOf(data, id).join(", "));
    setAttribute(row, "aria-selected", String(data.picks.has(id)));
    setAttribute(row, "aria-level", rows[at].depth + 1);
    setAttribute(row, "aria-setsize", rows.length);
    setAttribute(row, "aria-posinset", at + 1);
    setAttribute(row, "aria-current", id === data.current ? "step" : null);
    setAttribute(row, "data-here", id === data.current);
    setAttribute(row, "data-active", at === active);
    setAttribute(row, "data-linked", id === linked);
  };

  const paintLines = () => {
    drawGraph(cleared(canvas, Math.ceil(xOf(lanes) + 14), scroller.clientHeight));
    drawKey(cleared(key, scroller.clientWidth, KEY), scroller.clientWidth);
  };
  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {number} width
   */
  const drawKey = (brush, width) => drawLegend(brush, palette.now, [...legendOf(data, { ghost: null }), { role: "way", text: "the way here", lines: true }], 6, KEY / 2, width - 12);
  /** @param {CanvasRenderingContext2D} brush */
  const drawGraph = (brush) => {
    const colours = palette.now;
    const [first, last] = seen();
    /** @param {number} at */
    const yOf = (at) => (at + 0.5) * ROW - scroller.scrollTop;
    const trail = new Set(data.trail);
    /** @param {number} at */
    const link = (at) => {
      const { lane, up } = rows[at];
      if (up === null) return;
      const [x, y, fromX, fromY] = [xOf(lane), yOf(at), xOf(rows[up].lane), yOf(up)];
      brush.moveTo(fromX, fromY);
      // Down in the parent's lane, then aside.
      if (x === fromX) brush.lineTo(x, y);
      else {
        brush.lineTo(fromX, y - 9);
        brush.quadraticCurveTo(fromX, y, Math.min(x, fromX + 9), y);
        brush.lineTo(x, y);
      }
    };
    brush.lineCap = "round";
    for (const strong of [false, true]) {
      brush.beginPath();
      // A link that is seen may begin above and end below what is seen.
      for (let at = first; at < rows.length; at += 1) {
        const { id, up } = rows[at];
        if (at >= last && (up === null || up >= last)) continue;
        if ((up !== null && trail.has(id) && trail.has(rows[up].id)) === strong) link(at);
      }
      brush.strokeStyle = strong ? colours.accent : colours.edge;
      brush.lineWidth = strong ? 2.5 : 1.5;
      brush.stroke();
    }
    for (let at = first; at < last; at += 1) {
      const { id, lane } = rows[at];
      const role = roleOf(data, id);
      const size = Math.min(sizeOfMark(role) + (role === "plain" || role === "worse" ? 0.6 : 0), 0.45 * laneWidth() + 2);
      drawMark(brush, colours, role, xOf(lane), yOf(at), { size });
      const pick = data.picks.get(id);
      if (pick !== undefined) drawRing(brush, colours, pick, xOf(lane), yOf(at), size - 1);
    }
  };

  /** @param {number | null | undefined} to */
  const walk = (to) => {
    if (to === undefined || to === null || !rows[to]) return;
    active = to;
    reveal(active);
    due = true;
    paint();
  };
  scroller.addEventListener("scroll", ask, { passive: true });
  list.addEventListener("click", (event) => {
    const row = /** @type {Element} */ (event.target).closest(".pn-tree-row");
    const id = [...made].find(([, one]) => one === row)?.[0];
    if (id === undefined) return;
    walk(rowOfId.get(id));
    press.press(id);
  });
  scroller.addEventListener("keydown", (event) => {
    if (!data || event.ctrlKey || event.metaKey || event.altKey || event.target !== scroller) return;
    const page = Math.max(1, Math.floor(scroller.clientHeight / ROW) - 1);
    const { id, up } = rows[active];
    const firstChild = rows.findIndex((row) => row.up === active);
    /** @type {Record<string, number | null>} */
    const to = {
      ArrowUp: active - 1,
      ArrowDown: active + 1,
      ArrowLeft: up,
      ArrowRight: firstChild,
      Home: 0,
      End: rows.length - 1,
      PageUp: Math.max(0, active - page),
      PageDown: Math.min(rows.length - 1, active + page),
    };
    if (event.key in to) walk(to[event.key]);
    else if (event.key === " ") actions.select(toggled(data.selected, id));
    else if (event.key === "Enter" && data.live) actions.go(id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("pointerover", ({ target }) => {
    const row = /** @type {Element} */ (target).closest(".pn-tree-row");
    const id = [...made].find(([, one]) => one === row)?.[0];
    if (id !== undefined && id !== linked) actions.point(id);
  });
  list.addEventListener("pointerleave", () => actions.point(null));
  const sizes = new ResizeObserver(ask);
  sizes.observe(scroller);

  return {
    root,
    /**
     * @param {Data} next
     * @param {boolean} same
     */
    draw(next, same) {
      const other = data?.points !== next.points;
      data = next;
      if (same) return;
      if (other) {
        rows = layTree(data.points.parent);
        rowOfId = new Map(rows.map(({ id }, at) => [id, at]));
        lanes = 1 + Math.max(...rows.map(({ lane }) => lane));
        active = Math.min(active, rows.length - 1);
        for (const row of made.values()) row.remove();
        made.clear();
      }
      setAttribute(scroller, "aria-label", `Tree of ${sayPoints(data)}. Up and down walk the rows, left goes to where a point comes from; Space chooses${data.live ? ", Enter goes there" : ""}.`);
      ask();
    },
    /** @param {number | null} id */
    link(id) {
      if (linked === id) return;
      for (const one of [linked, id]) {
        const row = one === null ? undefined : made.get(one);
        if (row) setAttribute(row, "data-linked", one === id);
      }
      linked = id;
    },
    recolour: ask,
    /**
     * The rows that are seen, with their words.
     * @param {string} ground
     */
    picture(ground) {
      const [width, height] = [scroller.clientWidth, scroller.clientHeight];
      if (!data || width === 0) return Promise.resolve(null);
      const copy = document.createElement("canvas");
      copy.width = 2 * width;
      copy.height = 2 * (height + KEY);
      const brush = brushOf(copy);
      brush.scale(2, 2);
      brush.fillStyle = ground;
      brush.fillRect(0, 0, width, height + KEY);
      drawKey(brush, width);
      brush.translate(0, KEY);
      drawGraph(brush);
      const [first, last] = seen();
      for (let at = first; at < last; at += 1) {
        const { id, lane } = rows[at];
        const x = xOf(lane) + 14;
        brush.font = fontOf(palette.now, 13, id === data.current ? 600 : 400);
        const note = data.points.note?.[id];
        const text = `${id}  ${data.points.star?.[id] ? "★ " : ""}${data.points.name?.[id] ? `${isolated(data.points.name[id])}  ` : ""}${data.points.asked?.[id] ?? ""}${note ? `  ${note}` : ""}`;
        const y = (at + 0.5) * ROW - scroller.scrollTop;
        drawText(brush, palette.now, fitText(brush, text, width - x - 6), x, y, { colour: palette.now.ink, align: "left", halo: false });
      }
      return new Promise((resolve) => {
        copy.toBlob(resolve, "image/png");
      });
    },
    destroy() {
      cancelAnimationFrame(frame);
      press.forget();
      sizes.disconnect();
    },
  };
}

/**
 * The brush of a canvas that has these sizes and nothing on it.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
function cleared(canvas, width, height) {
  const density = Math.max(1, Math.min(globalThis.devicePixelRatio || 1, 4));
  const [across, down] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
    canvas.style.inlineSize = `${width}px`;
    canvas.style.blockSize = `${height}px`;
  }
  const brush = brushOf(canvas);
  brush.setTransform(density, 0, 0, density, 0, 0);
  brush.clearRect(0, 0, width, height);
  return brush;
}
