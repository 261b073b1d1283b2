// @ts-check
// Tables of numbers.

/** @import { Cell, Group } from "./types.js" */

import { build } from "./dom.js";

/**
 * A table with a header row; cells are strings or { text, class, title }. Rows are arrays, or { group } for a heading.
 * @param {string} caption
 * @param {string[]} columns
 * @param {(Cell[] | Group)[]} rows
 */
export function buildTable(caption, columns, rows) {
  const head = build("tr", {}, ...columns.map((text, i) => build("th", { scope: "col", class: i ? "pn-right" : null, text })));
  const body = rows.map((row) => {
    if (!Array.isArray(row)) {
      return build("tr", { class: "pn-group" }, build("th", { scope: "rowgroup", colspan: columns.length, text: row.group }));
    }
    return build("tr", {}, ...row.map((cell, i) => buildCell(cell, i)));
  });
  return build(
    "table",
    { class: "pn-table" },
    build("caption", { class: "pn-visually-hidden", text: caption }),
    build("thead", {}, head),
    build("tbody", {}, ...body),
  );
}

/**
 * What the colours of changes mean, each in its own colour.
 * @param {string} than
 */
export function buildKey(than) {
  const words = [["pn-better", "better"], ["pn-worse", "worse"], ["pn-quiet", "noise"]];
  const shown = words.flatMap(([kind, text], i) => [...(i ? [", "] : []), build("span", { class: kind, text })]);
  return build("p", { class: "pn-key" }, "Colours: ", ...shown.slice(0, 3), ` ${than}, `, shown[4], " (what chance alone would do).");
}

/**
 * @param {Cell} cell
 * @param {number} i
 */
function buildCell(cell, i) {
  const { text, class: kind = "", title = null } = typeof cell === "string" ? { text: cell } : cell;
  if (i === 0) return build("th", { scope: "row", class: kind || null, title: title ?? text, dir: "auto", text });
  return build("td", { class: `pn-right ${kind}`.trim(), title, text });
}
