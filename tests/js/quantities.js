// Quantities as Python sends them.

export function loss(name, value, more = {}) {
  return { name, kind: "loss", better: "lower", value, error: 0.01, train: value, start: null, last: null, weight: 0.5, conflict: "", price: "", ...more };
}

export function accuracy(name, value, more = {}) {
  return { ...loss(name, value), kind: "metric", better: "higher", weight: null, ...more };
}

/** A metric of which nobody said which way is better. */
export function metric(name, value, more = {}) {
  return { ...accuracy(name, value), better: null, ...more };
}
