// A canvas: crisp on any screen, drawn at most once per frame, and only what changed while somebody can see it.

import { build, setAttribute } from "../dom.js";

/**
 * A canvas that `still(brush, width, height)` draws into a layer that is kept, and `live(brush, width, height)` over it.
 * `changed()` has both drawn anew, `touched()` the live part alone.
 */
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
    const brush = canvas.getContext("2d");
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
    near = entries.at(-1).isIntersecting;
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
    label(text) {
      setAttribute(canvas, "aria-label", text);
    },
    /** The same on a ground of its own, as a PNG. */
    picture(ground) {
      if (!(width > 0 && height > 0)) return Promise.resolve(null);
      const copy = document.createElement("canvas");
      const density = Math.max(2, scale);
      copy.width = Math.round(width * density);
      copy.height = Math.round(height * density);
      draw(copy, density, still, width, height);
      const brush = copy.getContext("2d");
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

function draw(canvas, density, painter, width, height) {
  const brush = canvas.getContext("2d");
  brush.setTransform(1, 0, 0, 1, 0, 0);
  brush.clearRect(0, 0, canvas.width, canvas.height);
  drawOver(brush, density, painter, width, height);
}

function drawOver(brush, density, painter, width, height) {
  brush.save();
  brush.setTransform(density, 0, 0, density, 0, 0);
  brush.lineJoin = "round";
  painter(brush, width, height);
  brush.restore();
}
