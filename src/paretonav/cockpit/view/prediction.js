// @ts-check
// What is predicted for what is asked now: from the exact answer if it is there, else from the map, at once.

/** @import { Exact, KeptWish, Maybe, Option, Outlook, Prediction, State, Wishes } from "./types.js" */

import { evaluateMap, inputsOf, isNoise } from "./whatif.js";
import { isAsking, kindsKey, wishesKey, wishesToModes } from "./wishes.js";

const TWO_SIDED = 1.96; // standard errors, where the outlook does not say

/**
 * { kind, train, shown, errors, noise, weights, requested, problem, attainable, trusted } with kind "none" (nothing is
 * asked), "pending" (Python has not answered for these modes), "problem" (they are not possible), "map", "exact" or
 * "option".
 * @param {{ state: State, outlook: Outlook | null, wishes: Wishes, option: Option | KeptWish | null }} now
 * @returns {Prediction}
 */
export function predictNow({ state, outlook, wishes, option }) {
  const times = outlook?.map?.noise ?? TWO_SIDED;
  if (option) return { ...complete("option", option, times), ...("modes" in option ? { title: option.title } : {}) };
  if (!isAsking(wishes)) return { kind: "none", problem: "" };
  const here = outlook !== null && outlook.point === state.current ? outlook : null;
  const modes = wishesToModes(wishes);
  const answered = here && wishesKey(here.modes) === wishesKey(modes) ? here : null;
  const problem = answered ? answered.problem : "";
  // What is not possible has no outcome, whatever the map would say of it.
  if (answered && problem) return { kind: "problem", problem };
  if (answered?.exact) {
    return { ...complete("exact", answered.exact, times), ...trust(answered.exact), problem };
  }
  const x = here && kindsKey(here.modes) === kindsKey(modes) ? inputsOf(here, state.quantities, wishes) : null;
  if (!here?.map || x === null) return { kind: "pending", problem };
  const changes = evaluateMap(here.map, x);
  const weights = changes.weights?.map((change, i) => (state.quantities[i].weight ?? 0) + change) ?? null;
  return { ...complete("map", { ...changes, weights }, times), ...trust(here.exact), problem };
}

/**
 * Absolute values for the charts, or null.
 * @param {Prediction} prediction
 * @param {State} state
 */
export function ghostOf(prediction, state) {
  if (!prediction.shown || !prediction.train) return null;
  return {
    train: prediction.train.map((change, i) => state.quantities[i].train + change),
    shown: prediction.shown.map((change, i) => state.quantities[i].value + change),
    sure: prediction.attainable && prediction.trusted && !prediction.problem,
  };
}

/** @param {Maybe<Exact>} exact */
function trust(exact) {
  return { attainable: exact?.attainable ?? true, trusted: exact?.trusted ?? true };
}

/**
 * @param {Prediction["kind"]} kind
 * @param {Pick<Exact, "train" | "shown"> & Partial<Prediction>} outcome
 * @param {number} times
 * @returns {Prediction}
 */
function complete(kind, { train, shown, errors = null, weights = null, requested = null }, times) {
  const noise = shown.map((change, i) => isNoise(change, errors?.[i], times));
  return { kind, train, shown, errors, noise, weights, requested, problem: "", attainable: true, trusted: true };
}
