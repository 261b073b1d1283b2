// @ts-check
// Selected points side by side, each against the first of them.

/** @import { Cell, Compared, ComparedRow, Group, Points, Quantity, Split, Units } from "./types.js" */

import { build, makeButton } from "./dom.js";
import { formatValue, isNumber } from "./numbers.js";
import { buildKey, buildTable } from "./table.js";
import { tellWithError } from "./units.js";
import { called, senseOf } from "./words.js";

/**
 * Draw a comparison (the protocol's data, or null while it is awaited) of `selected` points; `on.clear()`.
 * @param {HTMLElement} root
 * @param {{ selected: number[], names: string[], data: Compared | null, live: boolean, unsure: string, units: Units }} now
 * @param {{ clear(): void }} on
 */
export function drawComparison(root, { selected, names, data, live, unsure, units }, on) {
  if (selected.length < 2) {
    const text = "Select two or more points, in a chart or in the table, to see how they differ.";
    root.replaceChildren(build("p", { class: "pn-empty", text }));
    return;
  }
  const top = build(
    "div",
    { class: "pn-compare-top" },
    build("p", { text: `Changes against point ${data?.points[0] ?? selected[0]}; ± is one standard error.${live ? "" : " A saved copy has no errors."}${unsure ? ` ${unsure}` : ""}` }),
    makeButton("Clear selection", on.clear, { kind: "pn-plain" }),
  );
  if (!data) {
    root.replaceChildren(top, build("p", { class: "pn-quiet", text: "…" }));
    return;
  }
  const columns = ["Quantity", ...data.points.map((id) => `point ${id}${called(names[id])}`)];
  root.replaceChildren(top, buildTable("Selected points", columns, rowsOfComparison(data, units)), buildKey(`than point ${data.points[0]}`));
}

/**
 * What can be said of points without Python: values and changes, no errors.
 * @param {Points} points
 * @param {Quantity[]} quantities
 * @param {number[]} ids
 * @param {Split} split
 * @returns {Compared}
 */
export function compareColumns(points, quantities, ids, split) {
  const losses = quantities.filter((quantity) => quantity.kind === "loss");
  const metrics = quantities.filter((quantity) => quantity.kind !== "loss");
  /**
   * @param {Quantity["kind"]} kind
   * @param {Split | ""} part
   * @param {Quantity[]} named
   * @param {number[][]} columns
   * @returns {ComparedRow[]}
   */
  const rows = (kind, part, named, columns) =>
    named.map(({ name, better }, i) => {
      const values = ids.map((id) => columns[i][id]);
      const changes = values.map((value, k) => (k ? value - values[0] : null));
      return { name, kind, split: part, better, values, changes, errors: values.map(() => null), noise: values.map(() => false) };
    });
  return {
    points: ids,
    rows: [
      ...rows("loss", split, losses, split === "validation" && points.validation ? points.validation : points.train),
      ...rows("metric", "", metrics, points.metrics),
    ],
  };
}

/**
 * @param {Compared} data
 * @param {Units} units
 * @returns {(Cell[] | Group)[]}
 */
function rowsOfComparison(data, units) {
  const groups = [...new Set(data.rows.map(groupOf))];
  return groups.flatMap((group) => [
    ...(groups.length > 1 ? [{ group }] : []),
    ...data.rows.filter((row) => groupOf(row) === group).map((row) => [row.name, ...row.values.map((value, k) => cellOf(row, value, k, units))]),
  ]);
}

/** @param {ComparedRow} row */
function groupOf(row) {
  return row.kind === "loss" ? `Losses on ${row.split} data` : "Metrics";
}

/**
 * @param {ComparedRow} row
 * @param {number} value
 * @param {number} k
 * @param {Units} units
 * @returns {Cell}
 */
function cellOf(row, value, k, units) {
  const change = row.changes[k];
  if (!isNumber(change)) return formatValue(value);
  const told = tellWithError(change, row.errors[k], row.values[0], units);
  if (row.noise[k]) return { text: `${told} noise`, class: "pn-quiet", title: formatValue(value) };
  const sense = senseOf(row, change, row.values[0]);
  return { text: sense === "same" || !sense ? told : `${told} ${sense}`, class: sense ? `pn-${sense}` : "", title: formatValue(value) };
}
