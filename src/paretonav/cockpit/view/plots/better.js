// @ts-check
// Which way is better, said in every chart by the same word and an arrow.

/** @import { Better, Colours } from "../types.js" */

import { drawText, fitText, fontOf } from "./marks.js";

/** Turned with whatever it is written along, its arrow points to where better is. */
export const TOWARDS_BETTER = "\u2190 better";
const BEFORE = "better \u2192";
const GAP = 14; // pixels between the name of an axis and this

/**
 * The word with its arrow along a way, centred at a place; text is never upside down.
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {number} x
 * @param {number} y
 * @param {[number, number]} way
 */
export function drawBetter(brush, colours, x, y, [dx, dy]) {
  const right = dx > 1e-9 || (Math.abs(dx) <= 1e-9 && dy < 0); // as text that is turned by a quarter is read upwards
  brush.save();
  brush.translate(x, y);
  brush.rotate(right ? Math.atan2(dy, dx) : Math.atan2(-dy, -dx));
  brush.font = fontOf(colours, 11, 600);
  drawText(brush, colours, right ? BEFORE : TOWARDS_BETTER, 0, 0, { colour: colours.better });
  brush.restore();
}

/**
 * The name of an axis that runs to the right, centred at a place, and at the side of the better values the arrow.
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {{ label: string, better: Better }} axis
 * @param {number} x
 * @param {number} y
 * @param {number} width
 */
export function drawAxisName(brush, colours, { label, better }, x, y, width) {
  brush.save();
  brush.font = fontOf(colours, 11, 600);
  const word = better === "higher" ? BEFORE : better === "lower" ? TOWARDS_BETTER : "";
  const wide = word ? brush.measureText(word).width + GAP : 0;
  brush.font = fontOf(colours, 12, 600);
  const name = fitText(brush, label, width - wide);
  const all = brush.measureText(name).width + wide;
  const left = x - all / 2;
  drawText(brush, colours, name, better === "lower" ? left + wide : left, y, { colour: colours.ink, align: "left", halo: false });
  brush.font = fontOf(colours, 11, 600);
  if (word) drawText(brush, colours, word, better === "lower" ? left : left + all, y, { colour: colours.better, align: better === "lower" ? "left" : "right", halo: false });
  brush.restore();
}

/**
 * The word with the one of eight arrows that points most that way.
 * @param {[number, number]} way
 */
export function betterTowards([dx, dy]) {
  const eighth = (Math.round((4 * Math.atan2(-dy, dx)) / Math.PI) + 8) % 8;
  return `${"\u2192\u2197\u2191\u2196\u2190\u2199\u2193\u2198"[eighth]} better`;
}
