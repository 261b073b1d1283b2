// @ts-check
// The colours of the page, as a canvas needs them.

/** @import { Colours } from "../types.js" */

import { build } from "../dom.js";
import { TINTS } from "./tint.js";

const PROBED = ["ink", "faint", "line", "edge", "back", "accent", "front", "start", "star", "ghost", "better", "good", "middle", "bad", "pick-1", "pick-2", "pick-3", "pick-4"];
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
      found.tints = mixTints(found.bad, found.middle, found.good);
      palette.now = /** @type {any} */ (found);
      return true;
    },
  };
  palette.read();
  return palette;
}

/**
 * Colours from one over another to a third.
 * @param {string[]} ends
 */
function mixTints(...[bad, middle, good]) {
  const canvas = document.createElement("canvas");
  canvas.width = TINTS;
  canvas.height = 1;
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  const half = (TINTS - 1) / 2;
  for (let k = 0; k < TINTS; k += 1) {
    brush.globalAlpha = 1;
    brush.fillStyle = middle;
    brush.fillRect(k, 0, 1, 1);
    brush.globalAlpha = Math.abs(k - half) / half;
    brush.fillStyle = k < half ? bad : good;
    brush.fillRect(k, 0, 1, 1);
  }
  const { data } = brush.getImageData(0, 0, TINTS, 1);
  return Array.from({ length: TINTS }, (_, i) => `rgb(${data[4 * i]} ${data[4 * i + 1]} ${data[4 * i + 2]})`);
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
