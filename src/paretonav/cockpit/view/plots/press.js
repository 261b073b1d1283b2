// @ts-check
// One press chooses a point to compare, two go there.

const TWICE = 260; // ms in which a second press makes it a double one

/**
 * `press(id)` for every click: the first waits for a second one before it chooses.
 * @param {{ choose(id: number): void, go(id: number): void }} on
 */
export function createPress({ choose, go }) {
  let timer = 0;
  /** @type {number | null} */
  let waiting = null;
  const forget = () => {
    clearTimeout(timer);
    timer = 0;
    waiting = null;
  };
  return {
    /** @param {number} id */
    press(id) {
      if (waiting === id) {
        forget();
        go(id);
        return;
      }
      if (waiting !== null) choose(waiting);
      forget();
      waiting = id;
      timer = setTimeout(() => {
        forget();
        choose(id);
      }, TWICE);
    },
    forget,
  };
}

/**
 * The chosen ids with one more or one less.
 * @param {number[]} ids
 * @param {number} id
 */
export function toggled(ids, id) {
  return ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id];
}
