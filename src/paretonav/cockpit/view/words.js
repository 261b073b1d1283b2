// @ts-check
// Changes and outcomes in words.

/** @import { Further, Judged, Maybe, Outlook, Prediction, Quantity, Sentence, Since, State, Units, Wishes } from "./types.js" */

import { formatAsked, formatChange, formatError, formatKnown, formatPercent, formatValue, isNumber, isolated, listWords } from "./numbers.js";
import { isTellable, tellWithError } from "./units.js";
import { describeWishes, isAsking, worseSign } from "./wishes.js";

const NOTHING = 5e-4; // of its value: a change that is said to be none
const LITTLE = 0.01; // per cent: who can improve by no more has nothing to trade
const FURTHER = 2; // quantities that pay for a little more, which are named
const SPOKEN = 4; // quantities that a sentence speaks of

/**
 * "better", "worse", "same" or "" (nobody said which way is better).
 * @param {Judged} quantity
 * @param {Maybe<number>} change
 * @param {Maybe<number>} value
 */
export function senseOf(quantity, change, value = quantity.value) {
  if (!isNumber(change) || isNothing(change, value)) return "same";
  if (quantity.better === null) return "";
  return change * worseSign(quantity) > 0 ? "worse" : "better";
}

/**
 * Whether a change is too small to be spoken of.
 * @param {number} change
 * @param {Maybe<number>} value
 */
export function isNothing(change, value) {
  return Math.abs(change) <= NOTHING * (Math.abs(value ?? 0) || 1);
}

/**
 * The name of a point behind its number: ` “the fair one”`; nothing where it has none.
 * @param {Maybe<string>} name
 */
export function called(name) {
  return name ? ` \u201c${isolated(name)}\u201d` : "";
}

/**
 * How a step ended, in the same words wherever it is said.
 * @type {Record<string, string>}
 */
export const ENDINGS = { accepted: "accepted", shortened: "ended early", rejected: "taken back" };

/**
 * `3.2 % better`, or the change itself where that is wanted or there is no size to compare with.
 * @param {Judged} quantity
 * @param {Maybe<number>} change
 * @param {Maybe<number>} value
 * @param {Units} units
 */
export function describeChange(quantity, change, value = quantity.value, units = "percent") {
  const sense = senseOf(quantity, change, value);
  if (sense === "same" || !isNumber(change)) return "unchanged";
  const way = sense || (change > 0 ? "higher" : "lower");
  const inPercent = units === "percent" && isNumber(value) && isTellable(change, value);
  return inPercent ? `${formatPercent(100 * Math.abs(change / value))} ${way}` : `${formatChange(change)} (${way})`;
}

/**
 * How far a quantity can improve: `11.7 %`, or the value that it can come to where per cent say nothing; "" if both do.
 * @param {Quantity} quantity
 * @param {number} percent
 */
export function describeReach(quantity, percent) {
  if (percent < 100) return formatPercent(percent);
  const reached = quantity.value - (worseSign(quantity) * percent * Math.abs(quantity.value)) / 100;
  return reached * quantity.value > 0 ? formatValue(reached) : "";
}

/**
 * Whether an improvement by so many per cent is none worth asking for.
 * @param {number} percent
 */
export function isLittle(percent) {
  return percent < LITTLE;
}

/**
 * `since start −2.6 %`, and whether that is noise.
 * @param {Maybe<Since>} since
 * @param {string} moment
 * @param {number} value
 * @param {Units} units
 */
export function describeSince(since, moment, value, units) {
  if (!since || !isNumber(since.change)) return "";
  const told = tellWithError(since.change, null, value - since.change, units);
  return `since ${moment} ${told}${since.noise ? ", noise" : ""}`;
}

/**
 * A value with its standard error.
 * @param {Maybe<number>} value
 * @param {Maybe<number>} error
 */
export function describeValue(value, error) {
  return [formatKnown(value, error), formatError(error)].filter(Boolean).join(" ");
}

/**
 * The sentences above the rows: [{ text, tone }] with tone "", "plain" or "warn".
 * @param {{ state: State, wishes: Wishes, prediction: Prediction, outlook: Outlook | null, live: boolean, units: Units, taking?: boolean, further?: Further | null }} now
 * @returns {Sentence[]}
 */
export function summarise({ state, wishes, prediction, outlook, live, units, taking = false, further = null }) {
  if (prediction.kind === "option") {
    const option = prediction.title === undefined ? "An option, not yet taken." : `Kept beside: ${prediction.title}.`;
    const what = taking ? "An option that is being taken." : option;
    return [{ text: what, tone: "strong" }, { text: outcomeWords(state, prediction, units), tone: "" }];
  }
  if (taking) return [{ text: "An option is being taken.", tone: "strong" }];
  if (!isAsking(wishes)) return [{ text: invitation(wishes, state), tone: "" }];
  /** @type {Sentence[]} */
  const said = [{ text: `${describeWishes(wishes, state.quantities)}.`, tone: "strong" }];
  if (prediction.problem) said.push({ text: `Not possible. ${prediction.problem}`, tone: "warn" });
  if (prediction.shown) said.push({ text: outcomeWords(state, prediction, units, wishes), tone: "" });
  else if (prediction.kind === "pending") said.push({ text: live ? "…" : "", tone: "" });
  if (prediction.attainable === false) {
    said.push({ text: "The aim is out of reach; shown is the nearest outcome.", tone: "warn" });
  }
  if (prediction.trusted === false) {
    said.push({ text: "This is far: what it costs can only be guessed from here.", tone: "warn" });
  }
  const reach = reachWords(state, wishes, outlook);
  if (reach) said.push({ text: reach, tone: "quiet" });
  if (further && prediction.shown) said.push({ text: furtherWords(state, further, units), tone: "quiet" });
  return said.filter((sentence) => sentence.text);
}

/**
 * @param {Wishes} wishes
 * @param {State} state
 */
function invitation(wishes, state) {
  const kept = describeWishes(wishes, state.quantities);
  return kept
    ? `${kept}. Now choose what to improve or to aim for.`
    : "Choose what to improve, or what to aim for; the others then show what it would cost.";
}

/**
 * `Expected: a 4 % better; b 2 % worse; the rest unchanged or noise.` What was asked for comes first, whatever becomes of it.
 * @param {State} state
 * @param {Prediction} prediction
 * @param {Units} units
 * @param {Wishes} wishes
 */
function outcomeWords(state, { shown = [], noise = [] }, units, wishes = new Map()) {
  /** @param {Quantity} quantity */
  const isAsked = ({ name }) => ["improve", "aim"].includes(wishes.get(name)?.mode ?? "free");
  const moved = state.quantities
    .map((quantity, i) => ({
      quantity,
      change: shown[i],
      share: Math.abs(shown[i] / (quantity.value || 1)),
      lost: noise[i] || isNothing(shown[i], quantity.value),
      asked: isAsked(quantity),
    }))
    .filter(({ lost, asked }) => asked || !lost)
    .sort((one, other) => Number(other.asked) - Number(one.asked) || other.share - one.share);
  if (moved.every(({ lost }) => lost)) return "Expected: no change beyond noise.";
  const words = moved
    .slice(0, SPOKEN)
    .map(({ quantity, change, lost }) => `${isolated(quantity.name)} ${lost ? "no change beyond noise" : describeChange(quantity, change, quantity.value, units)}`);
  const more = moved.length - words.length;
  const rest = state.quantities.length - moved.length;
  const ends = [more > 0 ? `${more} more change` : "", rest > 0 && more === 0 ? "the rest stays or is noise" : ""];
  return `Expected: ${listWords(words)}${ends.filter(Boolean).map((end) => `; ${end}`).join("")}.`;
}

/**
 * `1 % more of a: b 1.2 % worse, c 0.4 % better.`
 * @param {State} state
 * @param {Further} further
 * @param {Units} units
 */
function furtherWords({ quantities }, { asked, changes }, units) {
  const others = quantities
    .flatMap((quantity, i) => {
      const change = changes[i];
      return i === asked || change === null || isNothing(change, quantity.value) ? [] : [{ quantity, change, share: Math.abs(change / (quantity.value || 1)) }];
    })
    .sort((one, other) => other.share - one.share);
  const words = others.slice(0, FURTHER).map(({ quantity, change }) => `${isolated(quantity.name)} ${describeChange(quantity, change, quantity.value, units)}`);
  return `${formatAsked(1)} more of ${isolated(quantities[asked].name)}: ${words.length ? listWords(words) : "nothing else beyond noise"}.`;
}

/**
 * @param {State} state
 * @param {Wishes} wishes
 * @param {Outlook | null} outlook
 */
function reachWords(state, wishes, outlook) {
  if (!outlook || outlook.point !== state.current) return "";
  const reached = state.quantities.flatMap((quantity, i) => {
    const reach = outlook.reach?.[i];
    const wish = wishes.get(quantity.name);
    const name = isolated(quantity.name);
    if (!reach || !isNumber(reach.end) || !wish) return [];
    if (wish.mode === "improve" && isLittle(reach.end)) return [`nothing of ${name}`];
    if (wish.mode === "improve" && reach.end < 100) return [`${name} up to ${describeReach(quantity, reach.end)} better`];
    if (wish.mode === "improve") return [`${name} ${describeReach(quantity, reach.end) ? `up to ${describeReach(quantity, reach.end)}` : "without a known end"}`];
    if (wish.mode === "aim") return [`${name} ${formatValue(reach.end)}`];
    return [];
  });
  return reached.length && reached.length < SPOKEN ? `Within reach: ${listWords(reached)}.` : "";
}
