// @ts-check
// The scales along the edges of the box in space: numbers, names, and which way is better.

/** @import { Box, BoxPlan, Colours } from "../types.js" */

import { betterTowards } from "./better.js";
import { drawText, fitText, fontOf } from "./marks.js";
import { boxAround, freePlace, onSheet, overlaps } from "./room.js";

const SHORT = 40; // pixels of an edge that points at the viewer and has no scale
const BETWEEN = 34; // pixels from number to number, at least
const SHORTER = [0.6, 0.35]; // of its full length that a name may be cut to, to have room
const LINE = 14; // pixels from a name to what says which way is better

/**
 * The scales of all three axes: first all numbers, then the names where these leave room.
 * @param {CanvasRenderingContext2D} brush
 * @param {BoxPlan} plan
 * @param {Colours} colours
 */
export function drawScales(brush, plan, colours) {
  const edges = [0, 1, 2].flatMap((k) => edgeOf(plan, k) ?? []);
  /** @type {Box[]} */
  const taken = [];
  for (const edge of edges) drawNumbersAlong(brush, plan, colours, edge, taken);
  for (const edge of edges) drawNameBeside(brush, plan, colours, edge, taken);
}

/**
 * Of the four edges along an axis the one to write on: of the upright ones the left, of the others the lowest.
 * @param {BoxPlan} plan
 * @param {number} k
 */
function edgeOf({ view }, k) {
  const [p, q] = [0, 1, 2].filter((other) => other !== k);
  const seen = new Float64Array(6);
  /** @type {{ score: number, at: [number, number, number] } | null} */
  let best = null;
  for (const a of [-0.5, 0.5]) {
    for (const b of [-0.5, 0.5]) {
      /** @type {[number, number, number]} */
      const at = [0, 0, 0];
      at[p] = a;
      at[q] = b;
      view.project(...at, seen, 0);
      const score = k === 2 ? -seen[0] : seen[1];
      if (best === null || score > best.score + 1e-9) best = { score, at };
    }
  }
  const { at } = /** @type {{ at: [number, number, number] }} */ (best);
  /** @param {number} value @returns {[number, number]} */
  const put = (value) => {
    /** @type {[number, number, number]} */
    const place = [...at];
    place[k] = value;
    view.project(...place, seen, 0);
    return [seen[0], seen[1]];
  };
  const [from, to, middle] = [put(-0.5), put(0.5), put(0)];
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (length < SHORT) return null;
  // Outwards: away from the box's middle, at a right angle to the edge.
  view.project(0, 0, 0, seen, 3);
  /** @type {[number, number]} */
  let out = [-(to[1] - from[1]) / length, (to[0] - from[0]) / length];
  if (out[0] * (middle[0] - seen[3]) + out[1] * (middle[1] - seen[4]) < 0) out = [-out[0], -out[1]];
  return { k, put, from, to, middle, length, out };
}

/** @typedef {NonNullable<ReturnType<typeof edgeOf>>} Edge */

/**
 * The line of the scale with its numbers, but for one that would lie on that of another axis.
 * @param {CanvasRenderingContext2D} brush
 * @param {BoxPlan} plan
 * @param {Colours} colours
 * @param {Edge} edge
 * @param {Box[]} taken
 */
function drawNumbersAlong(brush, { box }, colours, { k, put, from, to, length, out }, taken) {
  brush.font = fontOf(colours);
  brush.strokeStyle = colours.edge;
  brush.lineWidth = 1;
  brush.beginPath();
  brush.moveTo(...from);
  brush.lineTo(...to);
  const spare = Math.max(1, Math.ceil((box.ticks[k].length * BETWEEN) / length));
  const numbers = box.ticks[k].filter((_, i) => i % spare === 0).map(({ value, text }) => {
    const [x, y] = put(box.place(value, k));
    brush.moveTo(x, y);
    brush.lineTo(x + 4 * out[0], y + 4 * out[1]);
    const half = brush.measureText(text).width / 2;
    return { text, half, x: x + (7 + half) * out[0], y: y + 13 * out[1] };
  });
  brush.stroke();
  const before = [...taken];
  for (const { text, half, x, y } of numbers) {
    const room = boxAround(x, y, half + 3, 8);
    if (before.some((other) => overlaps(room, other))) continue;
    drawText(brush, colours, text, x, y);
    taken.push(room);
  }
}

/**
 * The name outside of the numbers, and below it the arrow to the better end.
 * @param {CanvasRenderingContext2D} brush
 * @param {BoxPlan} plan
 * @param {Colours} colours
 * @param {Edge} edge
 * @param {Box[]} taken
 */
function drawNameBeside(brush, { box, width, height }, colours, { k, from, to, middle, out }, taken) {
  const { label, better } = box.axes[k];
  const way = better === "higher" ? 1 : -1;
  const upright = k === 2 && Math.abs(out[0]) > 0.8;
  brush.font = fontOf(colours, 11, 600);
  const word = better === null ? "" : upright ? betterTowards([way, 0]) : betterTowards([way * (to[0] - from[0]), way * (to[1] - from[1])]);
  const wide = brush.measureText(word).width;
  brush.font = fontOf(colours, 12, 600);
  const high = word ? LINE : 8;
  const full = upright ? 0.6 * height : 0.42 * width;
  /** @param {number} share */
  const cut = (share) => {
    const name = fitText(brush, label, share * full);
    const long = Math.max(brush.measureText(name).width, wide) / 2 + 2;
    /** @type {[number, number]} */
    const half = upright ? [high, long] : [long, high];
    /** @type {[number, number]} */
    const first = [middle[0] + (10 + half[0]) * out[0], middle[1] + (10 + half[1]) * out[1]];
    return { name, half, first, place: freePlace(first, out, half, taken, [width, height]) };
  };
  let tried = cut(1);
  for (const share of SHORTER) if (!tried.place) tried = cut(share);
  const { name, half, first, place } = tried;
  const [x, y] = place ?? onSheet(first, half, [width, height]);
  taken.push(boxAround(x, y, ...half));
  brush.save();
  brush.translate(x, y);
  if (upright) brush.rotate(-Math.PI / 2);
  drawText(brush, colours, name, 0, word ? -LINE / 2 : 0, { colour: colours.ink });
  brush.font = fontOf(colours, 11, 600);
  if (word) drawText(brush, colours, word, 0, LINE / 2, { colour: colours.better });
  brush.restore();
}
