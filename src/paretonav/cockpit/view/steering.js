// @ts-check
// What is asked for: the wishes, told to Python and heard from other views.

/** @import { Amounted, Maybe, Mode, Model, Modes, Outlook, Quantity, State, Trial, Wishes } from "./types.js" */

import { createClient } from "./client.js";
import { isNumber } from "./numbers.js";
import { reachable, chooseScale } from "./scales.js";
import { firstWish, isAsking, kindsKey, wishesFromModes, wishesKey, wishesToModes } from "./wishes.js";

/**
 * The wishes over `model`; `changed()` is called whenever they are others.
 * @param {Model} model
 * @param {() => void} changed
 */
export function createSteering(model, changed) {
  /** @type {Wishes} */
  let wishes = new Map();
  let mine = false; // whether the latest steer came from here
  /** @type {Set<string>} */
  let fresh = new Set(); // names whose first amount has not met its reach yet
  const quantities = () => model.get("state")?.quantities ?? [];
  const client = createClient(model, (steer) => {
    mine = false;
    wishes = wishesFromModes(steer.modes, quantities());
    changed();
  });
  /**
   * @param {string | null} active
   * @param {boolean} settled
   */
  const tell = (active, settled) => {
    const { current } = /** @type {State} */ (model.get("state"));
    mine = true;
    client.steer({ point: current, modes: wishesToModes(wishes), active, settled });
    changed();
  };
  /**
   * Whether an outlook's reaches and map are for the current point and the present modes.
   * @param {Maybe<Outlook>} outlook
   */
  const isOf = (outlook) => {
    const state = model.get("state");
    if (!outlook || outlook.point !== state?.current) return false;
    return kindsKey(outlook.modes) === kindsKey(wishesToModes(wishes));
  };
  /** What a step was taken for is not asked again. */
  const useUp = () => {
    for (const [name, { mode }] of [...wishes]) if (mode === "improve" || mode === "aim") wishes.delete(name);
  };
  const wasTaken = () => ["step", "take"].includes(model.get("state")?.after ?? "");
  const known = model.get("steer");
  wishes = wishesFromModes(known?.modes, quantities());
  if (known && known.point !== model.get("state")?.current && wasTaken()) useUp(); // while nobody was looking

  return {
    client,
    get wishes() {
      return wishes;
    },
    isAsking: () => isAsking(wishes),
    /** As the protocol writes it. */
    modes: () => wishesToModes(wishes),
    /**
     * Whether an answer or a trial is of exactly what is asked now.
     * @param {Maybe<Outlook | Trial>} answer
     */
    isCurrent: (answer) => Boolean(answer) && wishesKey(answer?.modes) === wishesKey(wishesToModes(wishes)),
    /**
     * @param {Quantity} quantity
     * @param {Mode} mode
     */
    setMode(quantity, mode) {
      if (mode === "free") wishes.delete(quantity.name);
      else wishes.set(quantity.name, firstWish(mode, quantity));
      fresh = new Set([...fresh, quantity.name]);
      tell(quantity.name, true);
    },
    /**
     * @param {string} name
     * @param {Amounted} wish
     * @param {boolean} settled
     */
    setAmount(name, wish, settled) {
      wishes.set(name, wish);
      fresh.delete(name);
      tell(name, settled);
    },
    /**
     * Aim for values, instead of what was to be improved or aimed for until now.
     * @param {Record<string, number>} values
     */
    aim(values, settled = true) {
      const kept = [...wishes].filter(([name, { mode }]) => !(name in values) && (mode === "hold" || mode === "limit"));
      wishes = new Map(kept);
      for (const [name, value] of Object.entries(values)) wishes.set(name, { mode: "aim", value });
      tell(null, settled);
    },
    clear() {
      wishes = new Map();
      tell(null, true);
    },
    /**
     * Back to what an answer answers.
     * @param {Maybe<Outlook>} answer
     */
    restore(answer) {
      wishes = wishesFromModes(answer?.modes, quantities());
      changed();
    },
    /**
     * Ask for this, as the protocol writes it.
     * @param {Modes} modes
     */
    ask(modes) {
      wishes = wishesFromModes(modes, quantities());
      tell(null, true);
    },
    /**
     * The current point is another one: ask the same there, but for what a step was taken for. Only the view that asked
     * last does, not all of them.
     */
    moved() {
      const taken = wasTaken();
      if (taken) useUp();
      const known = new Set(quantities().map((quantity) => quantity.name));
      for (const name of [...wishes.keys()]) if (!known.has(name)) wishes.delete(name);
      if (mine && (wishes.size > 0 || taken)) tell(null, true);
    },
    /**
     * An answer has come: a first amount that is beyond its reach is drawn back into it.
     * @param {Maybe<Outlook>} outlook
     */
    answered(outlook) {
      if (!outlook || fresh.size === 0 || !isOf(outlook)) return;
      const beyond = quantities().flatMap(/** @returns {[string, number][]} */ (quantity, i) => {
        const wish = wishes.get(quantity.name);
        const reach = outlook.reach?.[i];
        if (!fresh.has(quantity.name) || wish?.mode !== "improve" || !isNumber(reach?.end)) return [];
        const [, end] = reachable(wish, quantity, reach, chooseScale(wish, quantity, reach));
        return wish.percent > end ? [[quantity.name, end]] : [];
      });
      const met = quantities().flatMap(({ name }, i) => (outlook.reach?.[i] ? [name] : []));
      fresh = new Set([...fresh].filter((name) => wishes.get(name)?.mode === "improve" && !met.includes(name)));
      for (const [name, percent] of beyond) wishes.set(name, { mode: "improve", percent });
      if (beyond.length) tell(null, true);
    },
    isOf,
  };
}
