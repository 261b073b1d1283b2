// @ts-check
// What the marks mean, in the same words and order in every chart.

/** @import { Data, Ghost, LegendItem, Role } from "../types.js" */

/**
 * The items of a legend for `drawLegend`; `lines`: points are lines here, `front`: what is possible is drawn.
 * @param {Data} data
 * @param {{ ghost: Ghost | null, front?: unknown, lines?: boolean, most?: number }} about
 * @returns {LegendItem[]}
 */
export function legendOf(data, { ghost, front = null, lines = false, most = Infinity }) {
  const { points, selected, current } = data;
  const others = lines ? selected.slice(0, most).filter((id) => id !== current && id !== 0) : [];
  /** @type {Omit<LegendItem, "lines">[]} */
  const items = [
    ...(current === null ? [] : [marked("current", "now")]),
    ...(current === 0 ? [] : [marked("start", "start")]),
    ...(ghost ? [marked("ghost", "asked for")] : []),
    ...(front ? [marked("front", "possible from here")] : []),
    ...((points.star ?? []).some(Boolean) ? [marked("star", "starred")] : []),
    ...(!lines && points.efficient?.includes(false) ? [marked("worse", "outperformed")] : []),
    ...others.map((id) => ({ pick: data.picks.get(id), text: `point ${id}` })),
  ];
  return items.map((item) => ({ ...item, lines }));
}

/**
 * @param {Role | "front"} role
 * @param {string} text
 */
function marked(role, text) {
  return { role, text };
}
