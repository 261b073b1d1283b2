// @ts-check
// The colours of the page, as a canvas needs them.

/** @import { Colours } from "../types.js" */

import { build } from "../dom.js";

const PROBED = ["ink", "faint", "line", "edge", "back", "accent", "front", "start", "star", "ghost", "better", "pick-1", "pick-2", "pick-3", "pick-4"];
const SHADES = 20;

/**
 * Colours below `root`: `.now` has one per name, a ramp of shades of the front, `font`; `.read()` says whether they changed.
 * @param {HTMLElement} root
 */
export function createPalette(root) {
  const probes = PROBED.map((name) => {
    const probe = build("span");
    probe.style.color = `var(--pn-c-${name})`;
    return probe;
  });
  root.append(build("div", { class: "pn-probe", "aria-hidden": "true" }, ...probes));
  const palette = {
    now: /** @type {Colours} */ (/** @type {unknown} */ (null)), // until it is read below
    read() {
      /** @type {Record<string, any>} */
      const found = Object.fromEntries(PROBED.map((name, i) => [name, getComputedStyle(probes[i]).color]));
      found.font = getComputedStyle(root).fontFamily || "sans-serif";
      /** @type {Record<string, any>} */
      const before = palette.now;
      if (before && [...PROBED, "font"].every((name) => before[name] === found[name])) return false;
      found.picks = PROBED.filter((name) => name.startsWith("pick")).map((name) => found[name]);
      found.ramp = mixRamp(found.back, found.front);
      palette.now = /** @type {any} */ (found);
      return true;
    },
  };
  palette.read();
  return palette;
}

/**
 * Opaque shades from a light to a full mixture: faces that overlap do not add up.
 * @param {string} back
 * @param {string} colour
 */
function mixRamp(back, colour) {
  const canvas = document.createElement("canvas");
  canvas.width = SHADES;
  canvas.height = 1;
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  brush.fillStyle = back;
  brush.fillRect(0, 0, SHADES, 1);
  brush.fillStyle = colour;
  for (let i = 0; i < SHADES; i += 1) {
    brush.globalAlpha = 0.2 + (0.45 * i) / (SHADES - 1);
    brush.fillRect(i, 0, 1, 1);
  }
  const { data } = brush.getImageData(0, 0, SHADES, 1);
  return Array.from({ length: SHADES }, (_, i) => `rgb(${data[4 * i]} ${data[4 * i + 1]} ${data[4 * i + 2]})`);
}
