// The columns that can be drawn, and how numbers become places.

const TICKS = 4;
const NEAR = 0.06; // of a value

/** What can be an axis: { key, label, name, values, better, ghost(ghost), aim: name or null, on }. */
export function axesOf(state, points) {
  const { quantities, objectives } = state;
  const held = points.validation;
  const axes = [];
  quantities.slice(0, objectives).forEach(({ name }, i) => {
    axes.push({
      key: `train ${i}`,
      label: held ? `${name} (training)` : name,
      name,
      values: points.train[i],
      better: "lower",
      ghost: (ghost) => ghost.train[i],
      aim: name,
      on: "train",
    });
  });
  quantities.slice(0, held ? objectives : 0).forEach(({ name }, i) => {
    axes.push({
      key: `validation ${i}`,
      label: `${name} (validation)`,
      name,
      values: held[i],
      better: "lower",
      ghost: (ghost) => ghost.shown[i],
      aim: null, // targets of losses are those of training data
      on: "validation",
    });
  });
  quantities.slice(objectives).forEach(({ name, better }, j) => {
    axes.push({
      key: `metric ${j}`,
      label: name,
      name,
      values: points.metrics[j],
      better,
      ghost: (ghost) => ghost.shown[objectives + j],
      aim: name,
      on: "metric",
    });
  });
  return axes;
}

/** The axes of the shown losses and of the metrics that have a better side: what profiles are drawn of. */
export function profileAxes(state, points) {
  const split = points.validation ? "validation" : "train";
  return axesOf(state, points)
    .filter(({ on, better }) => on === split || (on === "metric" && better !== null))
    .map((axis) => ({ ...axis, label: axis.name }));
}

/** Numbers around the current value of an axis: what a step or two can lead to has to be in sight. */
export function around(axis, current) {
  const value = axis.values[current];
  return [value - NEAR * Math.abs(value), value + NEAR * Math.abs(value)];
}

/** The least and the largest finite number, with a margin; never the same. */
export function rangeOf(lists, margin = 0.06) {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (const value of list) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return [0, 1];
  const room = (high - low) * margin || Math.abs(high) * margin || 1;
  return [low - room, high + room];
}

/** A few round numbers in a range. */
export function ticksOf([low, high]) {
  const rough = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(Math.abs(tick) < step / 1e6 ? 0 : tick);
  return ticks;
}

/** A number with no more digits than ticks need. */
export function tickText(tick) {
  return String(Number(tick.toPrecision(4)));
}
