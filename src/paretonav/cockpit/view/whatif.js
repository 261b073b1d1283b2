// @ts-check
// What would happen, without Python: the map of the outlook, evaluated. Pure functions of plain numbers.

/** @import { Amounted, Outlook, Quadratic, Quantity, WhatIf, Wish, Wishes } from "./types.js" */

/**
 * Predicted changes at inputs x: { train [m], shown [q], errors [q] | null, weights [m] | null }.
 * @param {WhatIf} map
 * @param {number[]} x
 */
export function evaluateMap(map, x) {
  return {
    train: quadraticForms(map.train, x),
    shown: quadraticForms(map.shown, x),
    errors: map.errors ? map.errors.map((form) => Math.sqrt(Math.max(0, bilinear(form, x)))) : null,
    weights: map.weights ? map.weights.map((row) => inner(row, x)) : null,
  };
}

/**
 * The inputs x of a map for what is asked for now; null if the map is of other modes.
 * @param {Outlook} outlook
 * @param {Quantity[]} quantities
 * @param {Wishes} wishes
 */
export function inputsOf(outlook, quantities, wishes) {
  const { map, inputs } = outlook;
  const wanted = quantities.flatMap((quantity, i) => (isInput(wishes.get(quantity.name)) ? [i] : []));
  if (!map || wanted.length !== inputs.length || wanted.some((i) => !inputs.includes(i))) return null;
  return inputs.map((i, j) => {
    const wish = /** @type {Amounted} */ (wishes.get(quantities[i].name));
    return wish.mode === "improve" ? wish.percent : wish.value - map.base[j];
  });
}

/**
 * Whether a change is no more than noise: within so many standard errors of nothing.
 * @param {number} change
 * @param {number | null | undefined} error
 * @param {number} times
 */
export function isNoise(change, error, times) {
  return error !== null && error !== undefined && error > 0 && Math.abs(change) <= times * error;
}

/** @param {Wish | undefined} wish */
function isInput(wish) {
  return wish !== undefined && (wish.mode === "improve" || wish.mode === "aim");
}

/**
 * @param {Quadratic} form
 * @param {number[]} x
 */
function quadraticForms({ linear, bend }, x) {
  return linear.map((row, i) => inner(row, x) + (bend ? bilinear(bend[i], x) / 2 : 0));
}

/**
 * @param {number[][]} form
 * @param {number[]} x
 */
function bilinear(form, x) {
  let sum = 0;
  for (let i = 0; i < x.length; i += 1) sum += x[i] * inner(form[i], x);
  return sum;
}

/**
 * @param {number[]} row
 * @param {number[]} x
 */
function inner(row, x) {
  let sum = 0;
  for (let i = 0; i < x.length; i += 1) sum += row[i] * x[i];
  return sum;
}
