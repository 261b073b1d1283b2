// @ts-check
// Drawing once per frame, however often something changes.

/**
 * A function that has `draw` called with the next frame; `.cancel()` forgets it.
 * @param {() => void} draw
 */
export function oncePerFrame(draw) {
  let frame = 0;
  let timer = 0;
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
    timer = 0;
    draw();
  };
  const ask = () => {
    if (frame || timer) return;
    // A hidden page has no frames, but its live regions and titles are still read.
    if (document.hidden) timer = setTimeout(run, 100);
    else frame = requestAnimationFrame(run);
  };
  ask.cancel = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
    timer = 0;
  };
  return ask;
}

/**
 * A function that has `draw` called once it has not been called for `delay` ms; `.cancel()` forgets it.
 * @param {() => void} draw
 * @param {number} delay
 */
export function onceQuiet(draw, delay) {
  let timer = 0;
  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(draw, delay);
  };
  ask.cancel = () => clearTimeout(timer);
  return ask;
}
