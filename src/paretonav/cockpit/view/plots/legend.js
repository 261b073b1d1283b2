// What the marks mean, in the same words and order in every chart.

/** The items of a legend for `drawLegend`; `lines`: points are lines here, `front`: what is possible is drawn. */
export function legendOf(data, { ghost, front = null, lines = false, most = Infinity }) {
  const { points, selected, current } = data;
  const others = lines ? selected.slice(0, most).filter((id) => id !== current && id !== 0) : [];
  return [
    ...(current === null ? [] : [{ role: "current", text: "now" }]),
    ...(current === 0 ? [] : [{ role: "start", text: "start" }]),
    ...(ghost ? [{ role: "ghost", text: "asked for" }] : []),
    ...(front ? [{ role: "front", text: "possible from here" }] : []),
    ...((points.star ?? []).some(Boolean) ? [{ role: "star", text: "starred" }] : []),
    ...(!lines && points.efficient?.includes(false) ? [{ role: "worse", text: "outperformed" }] : []),
    ...others.map((id) => ({ pick: data.picks.get(id), text: `point ${id}` })),
  ].map((item) => ({ ...item, lines }));
}
