// @ts-check
// Numbers as they are read: four significant digits for values, three for changes, a true minus.

/** @import { Maybe } from "./types.js" */

const MINUS = "\u2212";
const DUST = 1e-9; // of a value
const THIN = "\u202f";
/** @type {Record<string, string>} */
const SUPERSCRIPTS = { "-": "\u207b", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/**
 * A value such as a loss: 0.0431.
 * @param {Maybe<number>} value
 */
export function formatValue(value, digits = 4) {
  if (!isNumber(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : "";
  if (size >= 1e6 || size < 1e-4) return sign + powerOfTen(size, digits);
  if (size >= 10 ** (digits - 1)) return sign + Math.round(size).toString();
  return sign + size.toPrecision(digits);
}

/**
 * A change with its sign: −0.00210.
 * @param {Maybe<number>} change
 */
export function formatChange(change, digits = 3) {
  if (!isNumber(change)) return "–";
  return change > 0 ? `+${formatValue(change, digits)}` : formatValue(change, digits);
}

/**
 * The change of a value; what is only the dust of its arithmetic is none.
 * @param {Maybe<number>} change
 * @param {Maybe<number>} value
 */
export function formatChangeOf(change, value, digits = 3) {
  return formatChange(isDust(change, value) ? 0 : change, digits);
}

/**
 * Whether a change of a value is no more than what its arithmetic leaves behind.
 * @param {Maybe<number>} change
 * @param {Maybe<number>} value
 */
export function isDust(change, value) {
  return isNumber(change) && Math.abs(change) <= DUST * Math.abs(value ?? 0);
}

/**
 * A value with as many decimals as its standard error has with two digits: 0.923 (± 0.014).
 * @param {Maybe<number>} value
 * @param {Maybe<number>} error
 */
export function formatKnown(value, error, digits = 4) {
  const decimals = decimalsOf(error);
  if (!isNumber(value) || value === 0 || decimals === null || Math.abs(value) >= 1e6) return formatValue(value, digits);
  const text = Math.abs(value).toFixed(decimals);
  return `${value < 0 && Number(text) !== 0 ? MINUS : ""}${Number(text) === 0 ? "0" : text}`;
}

/**
 * A change of a value with its sign and as many decimals as its standard error has.
 * @param {Maybe<number>} change
 * @param {Maybe<number>} error
 * @param {Maybe<number>} value
 */
export function formatAgainst(change, error, value) {
  if (!isNumber(change) || isDust(change, value)) return isNumber(change) ? "0" : "–";
  const text = formatKnown(change, error, 3);
  return change > 0 && text !== "0" ? `+${text}` : text;
}

/**
 * Per cent with a sign (or `before` instead), no finer than their standard error and no finer than a hundredth.
 * @param {number} percent
 * @param {Maybe<number>} error
 * @param {string | null} before
 */
export function formatSharp(percent, error = null, before = null) {
  const size = Math.abs(percent);
  if (!isNumber(percent) || (before !== null && size === 0)) return "";
  const decimals = Math.min(2, decimalsOf(error) ?? (size >= 99.5 ? 0 : size >= 9.95 ? 1 : 2));
  const fixed = size.toFixed(decimals);
  const text = Number(fixed) === 0 && size >= 1e-6 ? size.toPrecision(1) : fixed;
  const shown = Number(text) === 0 || size < 1e-6 ? "0" : text.includes("e") ? formatValue(Number(text), 1) : text;
  const sign = before ?? (shown === "0" ? "" : percent > 0 ? "+" : MINUS);
  return `${sign}${shown}${THIN}%`;
}

/**
 * How many decimals show two digits of an error; null where there is none, or it is too small or too large for that.
 * @param {Maybe<number>} error
 */
function decimalsOf(error) {
  if (!isNumber(error) || !(error > 0) || error < 1e-7 || error >= 1e6) return null;
  const rounded = Number(error.toPrecision(2));
  return Math.max(0, 1 - Math.floor(Math.log10(rounded) + 1e-9));
}

/**
 * A standard error: ± 0.0012.
 * @param {Maybe<number>} error
 */
export function formatError(error) {
  return isNumber(error) && error > 0 ? `± ${formatValue(error, 2)}` : "";
}

/**
 * A share in per cent with its sign: +3.2 %.
 * @param {Maybe<number>} share
 */
export function formatShare(share) {
  if (!isNumber(share)) return "";
  return `${share > 0 ? "+" : share < 0 ? MINUS : ""}${formatPercent(100 * Math.abs(share))}`;
}

/**
 * Per cent without a sign: 3.2 %.
 * @param {Maybe<number>} percent
 */
export function formatPercent(percent) {
  if (!isNumber(percent)) return "";
  const size = Math.abs(percent);
  const text = size >= 99.5 ? size.toFixed(0) : size >= 0.095 ? size.toFixed(1) : size === 0 ? "0" : size.toPrecision(1);
  return `${percent < 0 ? MINUS : ""}${size < 1e-6 ? "0" : text}${THIN}%`;
}

/**
 * A percent that somebody asked for, without needless zeros: 5 %.
 * @param {number} percent
 */
export function formatAsked(percent) {
  return `${Number(Number(percent).toPrecision(4))}${THIN}%`;
}

/**
 * A value that somebody asked for, without needless zeros: 0.6.
 * @param {number} value
 */
export function formatGiven(value) {
  const short = Number(Number(value).toPrecision(4));
  return Math.abs(short) >= 1e-4 && Math.abs(short) < 1e6 ? String(short).replace("-", MINUS) : formatValue(value);
}

/**
 * A duration: 0.61 s, 12 s, 3 min.
 * @param {Maybe<number>} seconds
 */
export function formatSeconds(seconds) {
  if (!isNumber(seconds)) return "";
  if (seconds < 9.95) return `${seconds < 0.995 ? seconds.toPrecision(2) : seconds.toFixed(1)}${THIN}s`;
  if (seconds < 99.5) return `${Math.round(seconds)}${THIN}s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}${THIN}min`;
  return `${(seconds / 3600).toFixed(1)}${THIN}h`;
}

/**
 * Whether there is a finite number.
 * @param {unknown} value
 * @returns {value is number}
 */
export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * A name within a sentence: one that is read from the right keeps its words and leaves the others where they are.
 * @param {string} name
 */
export function isolated(name) {
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/.test(name) ? `\u2068${name}\u2069` : name;
}

/**
 * `a`, `a and b`, `a, b and c`.
 * @param {string[]} words
 */
export function listWords(words) {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/**
 * The smallest of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten that is not below `size`.
 * @param {number} size
 */
export function niceAbove(size) {
  if (!(size > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(size));
  const nice = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8].find((times) => times * power >= size * (1 - 1e-9));
  return tidy((nice ?? 10) * power);
}

/**
 * The largest of 1, 2, 5 times a power of ten that is not above `size`.
 * @param {number} size
 */
export function niceBelow(size) {
  if (!(size > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(size));
  return tidy(([5, 2].find((times) => times * power <= size * (1 + 1e-9)) ?? 1) * power);
}

/**
 * Without the dust of binary fractions.
 * @param {number} value
 */
export function tidy(value) {
  return Number(value.toPrecision(12));
}

/**
 * @param {number} size
 * @param {number} digits
 */
function powerOfTen(size, digits) {
  const [mantissa, exponent] = size.toExponential(Math.max(0, digits - 2)).split("e");
  const raised = [...String(Number(exponent))].map((sign) => SUPERSCRIPTS[sign]).join("");
  return `${mantissa}\u00b710${raised}`;
}
