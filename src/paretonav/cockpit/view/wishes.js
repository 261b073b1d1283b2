// @ts-check
// What is asked for of each quantity. Wishes are a Map from name to { mode, percent | value }; what is absent is free.
// A Map, because names are other people's: one may be called "__proto__".

/** @import { Maybe, Mode, Modes, Quantity, Sized, Wish, WishOf, Wishes } from "./types.js" */

import { formatAsked, formatGiven, isolated, listWords, tidy } from "./numbers.js";

/**
 * The ways of asking that make sense for a quantity: [mode, label]; a saved page can answer the first three.
 * @param {Sized} quantity
 * @returns {[Mode, string][]}
 */
export function modesOf(quantity, live = true) {
  const sided = quantity.better !== null;
  return [
    ["free", "free"],
    ...only(sided, "improve", "improve by"),
    ["hold", "hold"],
    ...only(sided && live, "limit", `allow ${wayOf(quantity)} to`),
    ...only(live, "aim", "aim for"),
  ];
}

/**
 * Where a bound on a quantity lies: "up", or "down" where higher is better.
 * @param {Pick<Quantity, "better">} quantity
 */
export function wayOf(quantity) {
  return worseSign(quantity) > 0 ? "up" : "down";
}

/**
 * What a freshly chosen mode asks for.
 * @param {Mode} mode
 * @param {Sized} quantity
 * @returns {Wish}
 */
export function firstWish(mode, quantity) {
  const now = quantity.value;
  if (mode === "improve") return { mode, percent: 1 };
  if (mode === "aim") return { mode, value: rounded(now) };
  if (mode === "limit") return { mode, value: rounded(now + worseSign(quantity) * 0.1 * sizeOf(quantity)) };
  return { mode };
}

/**
 * Whether a wish is something that a step could go for.
 * @param {Wishes} wishes
 */
export function isAsking(wishes) {
  return [...wishes.values()].some((wish) => wish.mode === "aim" || (wish.mode === "improve" && wish.percent !== 0));
}

/**
 * As the protocol writes it.
 * @param {Wishes} wishes
 * @returns {Modes}
 */
export function wishesToModes(wishes) {
  return Object.fromEntries([...wishes].filter(([, wish]) => wish.mode !== "free"));
}

/**
 * From the protocol, for the quantities that there are.
 * @param {Maybe<Modes>} modes
 * @param {Pick<Quantity, "name">[]} quantities
 * @returns {Wishes}
 */
export function wishesFromModes(modes, quantities) {
  const known = new Set(quantities.map((quantity) => quantity.name));
  return new Map(Object.entries(modes ?? {}).filter(([name, wish]) => known.has(name) && wish.mode !== "free"));
}

/**
 * A text that is the same for the same wishes.
 * @param {Maybe<Modes>} modes
 */
export function wishesKey(modes) {
  const known = modes ?? {};
  const names = Object.keys(known).sort();
  return JSON.stringify(names.map((name) => [name, known[name].mode, known[name].percent ?? known[name].value ?? null]));
}

/**
 * The same, of the modes without their amounts.
 * @param {Maybe<Modes>} modes
 */
export function kindsKey(modes) {
  const known = modes ?? {};
  const names = Object.keys(known).sort();
  return JSON.stringify(names.map((name) => [name, known[name].mode]));
}

/**
 * What is asked, in words.
 * @param {Wishes} wishes
 * @param {Pick<Quantity, "name" | "better">[]} quantities
 */
export function describeWishes(wishes, quantities) {
  /**
   * @template {Mode} Chosen
   * @param {Chosen} mode
   * @param {(quantity: Pick<Quantity, "name" | "better">, wish: WishOf<Chosen>) => string} words
   */
  const said = (mode, words) =>
    quantities.flatMap((quantity) => {
      const wish = wishes.get(quantity.name);
      return wish?.mode === mode ? [words(quantity, /** @type {WishOf<Chosen>} */ (wish))] : [];
    });
  const parts = [
    phrase("improve", said("improve", (quantity, wish) => `${isolated(quantity.name)} by ${formatAsked(wish.percent)}`)),
    phrase("aim for", said("aim", (quantity, wish) => `${isolated(quantity.name)} ${formatGiven(wish.value)}`)),
    phrase("hold", said("hold", (quantity) => isolated(quantity.name))),
    phrase("allow", said("limit", (quantity, wish) => `${isolated(quantity.name)} ${wayOf(quantity)} to ${formatGiven(wish.value)}`)),
  ].filter(Boolean);
  const text = parts.join("; ");
  return text && text[0].toUpperCase() + text.slice(1);
}

/**
 * +1 if larger is worse, −1 if smaller is.
 * @param {Pick<Quantity, "better">} quantity
 */
export function worseSign(quantity) {
  return quantity.better === "higher" ? -1 : 1;
}

/**
 * The size of a quantity that changes are compared with; never zero.
 * @param {Sized} quantity
 */
export function sizeOf(quantity) {
  return Math.abs(quantity.value ?? 0) || Math.abs(quantity.train ?? 0) || 10 * (quantity.error ?? 0) || 1;
}

/**
 * What is offered where it makes sense.
 * @param {boolean} sensible
 * @param {Mode} mode
 * @param {string} label
 * @returns {[Mode, string][]}
 */
function only(sensible, mode, label) {
  return sensible ? [[mode, label]] : [];
}

/** @param {number} value */
function rounded(value) {
  return tidy(Number(value.toPrecision(4)));
}

/**
 * @param {string} verb
 * @param {string[]} things
 */
function phrase(verb, things) {
  return things.length ? `${verb} ${listWords(things)}` : "";
}
