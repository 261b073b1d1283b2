// A canvas that is sharp, as large as its place, and drawn at most once per frame.

import { build } from "../dom.js";
import { oncePerFrame } from "../frames.js";

const COLOURS = ["paper", "ink", "muted", "line", "edge", "accent", "better", "worse"];
const MARKS = { start: "#e69f00", star: "#cc79a7", front: "#56b4e9" };

/**
 * A canvas; `still(pen, width, height, colours)` draws what stays, `moving` what follows the hand.
 * `changed()` asks for both, `moved()` for the second only.
 */
export function createCanvas({ still, moving }) {
  const canvas = build("canvas", { class: "pn-canvas", role: "img", tabindex: "0" });
  const root = build("div", { class: "pn-canvas-place" }, canvas);
  const pen = canvas.getContext("2d");
  const layer = document.createElement("canvas");
  const layerPen = layer.getContext("2d");
  let width = 0;
  let height = 0;
  let stale = true;
  const draw = oncePerFrame(() => {
    if (!width || !height || !root.isConnected) return;
    const colours = coloursOf(root);
    const sharpness = window.devicePixelRatio || 1;
    if (stale) {
      layer.width = canvas.width = Math.round(width * sharpness);
      layer.height = canvas.height = Math.round(height * sharpness);
      layerPen.setTransform(sharpness, 0, 0, sharpness, 0, 0);
      prepare(layerPen, root);
      still(layerPen, width, height, colours);
      stale = false;
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(layer, 0, 0);
    pen.setTransform(sharpness, 0, 0, sharpness, 0, 0);
    prepare(pen, root);
    moving(pen, width, height, colours);
  });
  const changed = () => {
    stale = true;
    draw();
  };
  const sizes = new ResizeObserver(() => {
    const box = root.getBoundingClientRect();
    if (Math.round(box.width) === width && Math.round(box.height) === height) return;
    width = Math.round(box.width);
    height = Math.round(box.height);
    changed();
  });
  sizes.observe(root);
  return {
    root,
    canvas,
    changed,
    moved: draw,
    size: () => [width, height],
    describe: (text) => canvas.setAttribute("aria-label", text),
    destroy() {
      draw.cancel();
      sizes.disconnect();
    },
  };
}

function prepare(pen, root) {
  pen.font = `12px ${getComputedStyle(root).fontFamily}`;
  pen.lineJoin = "round";
  pen.textBaseline = "middle";
}

function coloursOf(root) {
  const style = getComputedStyle(root);
  const found = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--pn-${name}`).trim() || "#888"]));
  return { ...found, ...MARKS };
}
