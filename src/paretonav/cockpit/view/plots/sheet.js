// @ts-check
// A canvas: crisp on any screen, drawn at most once per frame, and only what changed while somebody can see it.

/** @import { Painter } from "../types.js" */

import { build, setAttribute } from "../dom.js";
import { brushOf } from "./marks.js";

/**
 * A canvas that `still(brush, width, height)` draws into a layer that is kept, and `live(brush, width, height)` over it.
 * `changed()` has both drawn anew, `touched()` the live part alone.
 */
/** @param {{ still: Painter, live: Painter, resized?: (width: number, height: number) => void }} of */
export function createSheet({ still, live, resized = () => {} }) {
  const canvas = build("canvas", { role: "application", "aria-roledescription": "chart", tabindex: "0" });
  const root = build("div", { class: "pn-sheet" }, canvas);
  const layer = document.createElement("canvas");
  let width = 0;
  let height = 0;
  let scale = 0;
  let near = true; // on the screen or close to it
  let frame = 0;
  let stale = true; // the still part
  let kept = false; // whether the layer has it
  let touchedSince = true;

  const paint = () => {
    frame = 0;
    if (!isSeen()) return;
    const density = Math.max(1, Math.min(globalThis.devicePixelRatio || 1, 4));
    const across = Math.max(1, Math.round(width * density));
    const down = Math.max(1, Math.round(height * density));
    if (canvas.width !== across || canvas.height !== down || scale !== density) {
      for (const one of [canvas, layer]) {
        one.width = across;
        one.height = down;
      }
      scale = density;
      stale = true;
      resized(width, height);
    }
    // While all changes with every frame nothing is worth keeping: the layer is made when the live part first moves alone.
    if (!stale && !kept) draw(layer, density, still, width, height);
    kept = !stale;
    const brush = brushOf(canvas);
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, across, down);
    if (kept) brush.drawImage(layer, 0, 0);
    else drawOver(brush, density, still, width, height);
    drawOver(brush, density, live, width, height);
    stale = false;
    touchedSince = false;
  };
  const isSeen = () => near && width > 0 && height > 0;
  const ask = () => {
    if (!frame && isSeen() && (stale || touchedSince)) frame = requestAnimationFrame(paint);
  };
  const sizes = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === width && contentRect.height === height) return;
    ({ width, height } = contentRect);
    stale = true;
    ask();
  });
  const sights = new IntersectionObserver((entries) => {
    near = entries[entries.length - 1].isIntersecting;
    ask();
  });
  sizes.observe(root);
  sights.observe(root);

  return {
    root,
    canvas,
    get width() {
      return width;
    },
    get height() {
      return height;
    },
    changed() {
      stale = true;
      ask();
    },
    touched() {
      touchedSince = true;
      ask();
    },
    /** @param {string} text */
    label(text) {
      setAttribute(canvas, "aria-label", text);
    },
    /**
     * The same on a ground of its own, as a PNG.
     * @param {string} ground
     */
    picture(ground) {
      if (!(width > 0 && height > 0)) return Promise.resolve(null);
      const copy = document.createElement("canvas");
      const density = Math.max(2, scale);
      copy.width = Math.round(width * density);
      copy.height = Math.round(height * density);
      draw(copy, density, still, width, height);
      const brush = brushOf(copy);
      drawOver(brush, density, live, width, height);
      brush.setTransform(1, 0, 0, 1, 0, 0);
      brush.globalCompositeOperation = "destination-over";
      brush.fillStyle = ground;
      brush.fillRect(0, 0, copy.width, copy.height);
      return new Promise((resolve) => {
        copy.toBlob(resolve, "image/png");
      });
    },
    destroy() {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      sights.disconnect();
      root.remove();
    },
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} density
 * @param {Painter} painter
 * @param {number} width
 * @param {number} height
 */
function draw(canvas, density, painter, width, height) {
  const brush = brushOf(canvas);
  brush.setTransform(1, 0, 0, 1, 0, 0);
  brush.clearRect(0, 0, canvas.width, canvas.height);
  drawOver(brush, density, painter, width, height);
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {number} density
 * @param {Painter} painter
 * @param {number} width
 * @param {number} height
 */
function drawOver(brush, density, painter, width, height) {
  brush.save();
  brush.setTransform(density, 0, 0, density, 0, 0);
  brush.lineJoin = "round";
  painter(brush, width, height);
  brush.restore();
}
