// Random inputs that are the same in every run: what fails once fails again.

/** `count` numbers in [0, 1), by the generator mulberry32. */
function uniform(count, seed = 1) {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  });
}

/** Numbers of all sizes from 10^low to 10^high, every other one negative. */
export function sizes(count, low, high, seed = 1) {
  return uniform(count, seed).map((share, i) => (i % 2 ? -1 : 1) * 10 ** (low + share * (high - low)));
}

/** Numbers between two ends. */
export function between(count, low, high, seed = 1) {
  return uniform(count, seed).map((share) => low + share * (high - low));
}
