// What is predicted for what is asked now: from the exact answer if it is there, else from the map, at once.

import { evaluateMap, inputsOf, isNoise } from "./whatif.js";
import { isAsking, kindsKey, wishesKey, wishesToModes } from "./wishes.js";

const TWO_SIDED = 1.96; // standard errors, where the outlook does not say

/**
 * { kind, train, shown, errors, noise, weights, requested, problem, attainable, trusted } with kind "none" (nothing is
 * asked), "pending" (Python has not answered for these modes), "problem" (they are not possible), "map", "exact" or
 * "proposal".
 */
export function predictNow({ state, outlook, wishes, proposal }) {
  const times = outlook?.map?.noise ?? TWO_SIDED;
  if (proposal) return complete("proposal", proposal, times);
  if (!isAsking(wishes)) return { kind: "none", problem: "" };
  const here = outlook !== null && outlook.point === state.current;
  const modes = wishesToModes(wishes);
  const answered = here && wishesKey(outlook.modes) === wishesKey(modes);
  const problem = answered ? outlook.problem : "";
  // What is not possible has no outcome, whatever the map would say of it.
  if (answered && problem) return { kind: "problem", problem };
  if (answered && outlook.exact) {
    return { ...complete("exact", outlook.exact, times), ...trust(outlook.exact), problem };
  }
  const x = here && kindsKey(outlook.modes) === kindsKey(modes) ? inputsOf(outlook, state.quantities, wishes) : null;
  if (x === null) return { kind: "pending", problem };
  const changes = evaluateMap(outlook.map, x);
  const weights = changes.weights?.map((change, i) => (state.quantities[i].weight ?? 0) + change) ?? null;
  return { ...complete("map", { ...changes, weights }, times), ...trust(outlook.exact), problem };
}

/** Absolute values for the charts, or null. */
export function ghostOf(prediction, state) {
  if (!prediction.shown) return null;
  return {
    train: prediction.train.map((change, i) => state.quantities[i].train + change),
    shown: prediction.shown.map((change, i) => state.quantities[i].value + change),
    sure: prediction.attainable && prediction.trusted && !prediction.problem,
  };
}

function trust(exact) {
  return { attainable: exact?.attainable ?? true, trusted: exact?.trusted ?? true };
}

function complete(kind, { train, shown, errors = null, weights = null, requested = null }, times) {
  const noise = shown.map((change, i) => isNoise(change, errors?.[i], times));
  return { kind, train, shown, errors, noise, weights, requested, problem: "", attainable: true, trusted: true };
}
