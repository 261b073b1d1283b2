// @ts-check
// Points coloured by one of their quantities: from worse to better, or, where nobody said which is better, from low to high.

/** @import { Axis, Colours } from "../types.js" */

import { formatValue, isNumber } from "../numbers.js";
import { drawText, fitText, fontOf } from "./marks.js";

export const TINTS = 7;
const LEAST = 46; // pixels, below which a name says nothing: it stands in the choice, too
const BAR = 9; // pixels of a colour in the legend

/**
 * Which of the colours each point has, the last being the best; null for a value that is missing.
 * @param {Axis} axis
 * @returns {(id: number) => number | null}
 */
export function tintOf(axis) {
  const [low, high] = axis.range ?? [0, 0];
  return (id) => {
    const value = axis.value(id);
    if (!isNumber(value)) return null;
    const share = high > low ? (value - low) / (high - low) : 0.5;
    const good = axis.better === "lower" ? 1 - share : share;
    return Math.max(0, Math.min(TINTS - 1, Math.floor(TINTS * good)));
  };
}

/**
 * What the colours are, right-aligned at a place.
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {Axis} axis
 * @param {number} right
 * @param {number} y
 * @param {number} width
 */
export function drawTintKey(brush, colours, axis, right, y, width) {
  const [low, high] = axis.range ?? [0, 0];
  const ends = axis.better === "lower" ? [high, low] : [low, high];
  const best = axis.better === null ? formatValue(ends[1], 3) : `${formatValue(ends[1], 3)} better`;
  const worst = formatValue(ends[0], 3);
  brush.save();
  brush.font = fontOf(colours);
  const [before, after] = [worst, best].map((text) => brush.measureText(text).width + 6);
  const bar = TINTS * BAR;
  const room = width - before - after - bar - 10;
  const name = room < LEAST ? "" : fitText(brush, axis.name, room);
  drawText(brush, colours, best, right, y, { align: "right", halo: false });
  for (let k = 0; k < TINTS; k += 1) {
    brush.fillStyle = colours.tints[k];
    brush.fillRect(right - after - bar + k * BAR, y - 4, BAR + 0.5, 8);
  }
  drawText(brush, colours, worst, right - after - bar - 6, y, { align: "right", halo: false });
  drawText(brush, colours, name, right - after - bar - before - 10, y, { align: "right", halo: false, colour: colours.ink });
  brush.restore();
}
