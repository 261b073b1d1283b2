// @ts-check
// What all charts draw: the visited points by their quantities, and who is who among them.

/** @import { Axis, Charted, Data, Split } from "../types.js" */

import { isNumber } from "../numbers.js";
import { EVERYTHING, passing } from "./filter.js";
import { rangeOf } from "./ticks.js";

const LONELY = 3; // below so many points, what is proposed says how large a change is

/**
 * The axes, points and roles of a state; null while there is nothing to draw. An axis of `axes` is a quantity on one
 * split: { key, label, name, better, values, ghost(ghost), i, aims, onFront, range }; `shown` are those of what is shown.
 * @param {Charted} now
 * @param {Data | null} before
 * @returns {Data | null}
 */
export function arrange({ state, points, selected = [], outlook = null, units = "percent", filter = EVERYTHING }, before = null) {
  const count = points?.parent?.length ?? 0;
  if (!state || !points || !count || !state.quantities?.length) return null;
  const m = state.objectives;
  const split = state.split;
  const current = isNumber(state.current) && state.current < count ? state.current : null;
  const exact = outlook?.point === state.current ? (outlook?.exact ?? null) : null;
  const hints = [...(exact ? [exact] : []), ...(count < LONELY ? (state.options ?? []) : [])];

  /**
   * @param {number} i
   * @param {Split} part
   * @returns {Axis}
   */
  const axisOf = (i, part) => {
    const { name, kind, better, value, train } = state.quantities[i];
    const training = kind === "loss" && part === "training";
    const values = (kind === "loss" ? (training ? points.train : points.validation)?.[i] : points.metrics?.[i - m]) ?? [];
    const here = training ? train : value;
    const predicted = hints.map((hint) => here + (training ? hint.train : hint.shown)?.[i]);
    const trusted = !training && kind === "loss" && split !== part;
    return {
      key: `${training ? "train" : "shown"}:${i}`,
      label: kind === "loss" && points.validation ? `${name} (${part})` : name,
      name,
      kind,
      better: kind === "loss" ? "lower" : better,
      training,
      i,
      values,
      value: (id) => (isNumber(values[id]) ? values[id] : null),
      ghost: trusted ? () => null : (ghost) => (training ? ghost.train[i] : ghost.shown[i]) ?? null,
      aims: part === split || kind !== "loss",
      onFront: part === split && i < m ? i : null,
      range: rangeOf(trusted ? [] : predicted, rangeOf(values)),
    };
  };
  const losses = Array.from({ length: m }, (_, i) => i);
  const metrics = Array.from({ length: state.quantities.length - m }, (_, i) => m + i);
  const axes = [
    ...(points.validation ? losses.map((i) => axisOf(i, "validation")) : []),
    ...losses.map((i) => axisOf(i, "training")),
    ...metrics.map((i) => axisOf(i, split)),
  ];
  /** @param {number} i */
  const shownKey = (i) => (i < m && (split === "training" || !points.validation) ? `train:${i}` : `shown:${i}`);
  /** @type {Data} */
  const data = {
    state,
    points,
    count,
    current,
    split,
    m,
    axes,
    shown: /** @type {Axis[]} */ (state.quantities.map((_, i) => axes.find(({ key }) => key === shownKey(i)))),
    front: state.front?.outcomes?.length ? state.front : null,
    selected: selected.filter((id) => id < count),
    picks: new Map(selected.filter((id) => id < count).map((id, k) => [id, k])),
    trail: trailOf(points.parent, current),
    filter,
    passing: passing({ points, count, axes }, filter),
    outlook,
    units,
    live: state.live !== false,
  };
  // While one point is looked at, axes only widen: what is asked for next shall not shake them.
  if (before && before.state.version === state.version && before.count === count && before.current === current) {
    for (const axis of axes) {
      const known = before.axes.find(({ key, name }) => key === axis.key && name === axis.name)?.range;
      if (known) axis.range = rangeOf(known, axis.range);
    }
  }
  return data;
}

/**
 * Whether two updates say the same of the points and who is who.
 * @param {Charted | null} one
 * @param {Charted} other
 */
export function isSame(one, other) {
  return (
    one !== null &&
    one.points === other.points &&
    one.state === other.state &&
    one.units === other.units &&
    one.filter === other.filter &&
    one.selected?.join() === other.selected?.join()
  );
}

/**
 * The points from the start to one, inclusive.
 * @param {(number | null)[]} parent
 * @param {number | null} id
 */
export function trailOf(parent, id) {
  const trail = [];
  for (let at = id; isNumber(at) && trail.length <= parent.length; at = parent[at]) trail.push(at);
  return trail.reverse();
}
