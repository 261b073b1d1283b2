// @ts-check
// What is predicted for what is asked now: from the exact answer if it is there, else from the map, at once.

/** @import { Exact, Further, KeptWish, Maybe, Option, Outlook, Prediction, State, Wishes } from "./types.js" */

import { isNumber } from "./numbers.js";
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
 * What else would change if a little more were asked for: one per cent more of the first quantity that is to improve. Null
 * where that is not known: beyond its reach. Of bounds the map knows nothing, so beside one it is what Python says of these amounts.
 * @param {{ state: State, outlook: Outlook | null, wishes: Wishes }} now
 * @returns {Further | null}
 */
export function furtherOf({ state, outlook, wishes }) {
  const map = outlook?.point === state.current ? outlook?.map : null;
  if (!outlook || !map || kindsKey(outlook.modes) !== kindsKey(wishesToModes(wishes)) || outlook.problem) return null;
  if ([...wishes.values()].some(({ mode }) => mode === "limit")) {
    const { further } = outlook;
    if (!further || wishesKey(outlook.modes) !== wishesKey(wishesToModes(wishes))) return null;
    return { asked: further.asked, changes: further.shown.map((change, i) => (isNoise(change, further.errors[i], map.noise) ? null : change)) };
  }
  const x = inputsOf(outlook, state.quantities, wishes);
  const at = outlook.inputs.findIndex((i) => wishes.get(state.quantities[i].name)?.mode === "improve");
  if (x === null || at < 0) return null;
  const asked = outlook.inputs[at];
  const end = outlook.reach[asked]?.end;
  if (isNumber(end) && x[at] + 1 > end) return null;
  const [before, after] = [x, x.map((value, j) => (j === at ? value + 1 : value))].map((inputs) => evaluateMap(map, inputs).shown);
  const { errors } = evaluateMap(map, x.map((_, j) => (j === at ? 1 : 0)));
  const changes = after.map((value, i) => (isNoise(value - before[i], errors?.[i], map.noise) ? null : value - before[i]));
  return { asked, changes };
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
