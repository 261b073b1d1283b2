// @ts-check
// Points in words: for the tip below the pointer, and for who listens instead of looking.

/** @import { Axis, Data, Told, Units } from "../types.js" */

import { formatValue, isNumber } from "../numbers.js";
import { tellWithError } from "../units.js";
import { called } from "../words.js";

const MANY_ROWS = 8;

/**
 * `point 5 “fair” (now, starred)`.
 * @param {Data} data
 * @param {number} id
 */
export function nameOfPoint(data, id) {
  const roles = rolesOf(data, id);
  return `point ${id}${called(data.points.name?.[id])}${roles.length ? ` (${roles.join(", ")})` : ""}`;
}

/**
 * What a point is beside being one, in the words of the legend.
 * @param {Data} data
 * @param {number} id
 */
export function rolesOf(data, id) {
  const roles = [];
  if (id === data.current) roles.push("now");
  if (id === 0) roles.push("start");
  if (data.points.star?.[id]) roles.push("starred");
  if (data.picks.has(id)) roles.push("compared");
  if (data.points.efficient?.[id] === false) roles.push("outperformed");
  return roles;
}

/**
 * How a point was reached, in words.
 * @param {Data} data
 * @param {number} id
 */
export function wayOfPoint(data, id) {
  const asked = data.points.asked?.[id] || (id === 0 ? "start" : "");
  const parent = data.points.parent[id];
  return isNumber(parent) ? `${asked || "reached"}, from point ${parent}` : asked;
}

/**
 * { title, how, rows: [[name, value, change]], more, note, hint } of a point; the axes in `first` come first.
 * @param {Data} data
 * @param {number} id
 * @param {Axis[]} first
 * @returns {Told}
 */
export function tellPoint(data, id, first = [], hint = "") {
  const others = data.shown.filter(({ key }) => !first.some((axis) => axis.key === key));
  /** @type {[string, string, string][]} */
  const rows = [...first, ...others].map((axis) => [axis.label, formatValue(axis.value(id)), sinceStart(axis, id, data.units)]);
  return {
    title: capital(nameOfPoint(data, id)),
    how: wayOfPoint(data, id),
    rows: rows.slice(0, MANY_ROWS),
    more: rows.length > MANY_ROWS ? `and ${rows.length - MANY_ROWS} more in the table` : "",
    note: data.points.note?.[id] ?? "",
    hint,
  };
}

/**
 * The same as one sentence.
 * @param {Data} data
 * @param {number} id
 * @param {Axis[]} axes
 */
export function sayPoint(data, id, axes) {
  const values = axes.map((axis) => `${axis.label} ${formatValue(axis.value(id))}`).join(", ");
  const note = data.points.note?.[id];
  return `${capital(nameOfPoint(data, id))}: ${values}${note ? `. ${note}` : ""}.`;
}

/**
 * What a chart sums up about its points.
 * @param {Data} data
 */
export function sayPoints(data) {
  const many = data.count === 1 ? "1 visited point" : `${data.count.toLocaleString("en")} visited points`;
  const stars = (data.points.star ?? []).filter(Boolean).length;
  const parts = [many];
  if (data.current !== null) parts.push(`now at point ${data.current}`);
  if (stars) parts.push(`${stars} starred`);
  if (data.selected.length) parts.push(`${data.selected.length} chosen to compare`);
  return parts.join(", ");
}

/**
 * The change of a value since the first point.
 * @param {Axis} axis
 * @param {number} id
 * @param {Units} units
 */
export function sinceStart(axis, id, units) {
  const now = axis.value(id);
  const then = axis.value(0);
  if (id === 0 || now === null || then === null) return "";
  return now === then ? "unchanged" : tellWithError(now - then, null, then, units);
}

/**
 * With a capital letter.
 * @param {string} text
 */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
