// @ts-check
// The map of three quantities.

/** @import { Axis, BoxPlan, Camera, Colours, Data, Ghost, Maybe, SpaceBox, Surface, View } from "../types.js" */

import { isNumber } from "../numbers.js";
import { drawScales } from "./edges.js";
import { isSeen } from "./filter.js";
import { drawGhostLine, drawNumbers, drawPoints, drawWays } from "./flat.js";
import { drawMark } from "./marks.js";
import { facesOf } from "./mesh.js";
import { lookAt } from "./orbit.js";
import { rangeOf, roomy, ticksOf } from "./ticks.js";

/**
 * What of the data does not change when it is turned: ranges, points and surface in the box [-1/2, 1/2]³.
 * @param {Data} data
 * @param {Axis[]} axes
 */
export function fillBox(data, axes) {
  const front = data.front && data.m === 3 && axes.every(({ onFront }) => onFront !== null) ? data.front : null;
  const ranges = axes.map(({ onFront, range }) =>
    roomy(front && onFront !== null ? rangeOf(front.outcomes.map((outcome) => outcome[onFront]), range) : range, 0.04),
  );
  /**
   * @param {Maybe<number>} value
   * @param {number} k
   */
  const place = (value, k) => (isNumber(value) ? (value - ranges[k][0]) / (ranges[k][1] - ranges[k][0]) - 0.5 : NaN);
  const points = new Float64Array(3 * data.count);
  axes.forEach((axis, k) => {
    for (let id = 0; id < data.count; id += 1) points[3 * id + k] = place(axis.values[id], k);
  });
  const here = data.current === null ? [0, 0, 0] : [...points.subarray(3 * data.current, 3 * data.current + 3)];
  return {
    axes,
    place,
    points,
    ticks: ranges.map((range) => ticksOf(range, 4)),
    surface: front && surfaceIn(front, axes, place),
    here: here.some(Number.isNaN) ? [0, 0, 0] : here,
  };
}

/**
 * The view of a box: where it is on the canvas.
 * @param {SpaceBox} box
 * @param {Camera} camera
 * @param {number} width
 * @param {number} height
 */
export function planSpace(box, camera, width, height) {
  return { box, view: lookAt(camera, width, height, box.here), width, height };
}

/**
 * All that does not depend on the ghost; fills `spots`: [x, y, depth] of each point.
 * @param {CanvasRenderingContext2D} brush
 * @param {Data} data
 * @param {BoxPlan} plan
 * @param {Colours} colours
 * @param {Float64Array} spots
 */
export function drawSpace(brush, data, plan, colours, spots) {
  const { box, view } = plan;
  const { points } = box;
  drawWalls(brush, plan, colours);
  if (box.surface) {
    drawSurface(brush, box.surface, view, colours);
    // The walls shine through: cheaper than translucent faces, and these never add up where they meet.
    brush.globalAlpha = 0.4;
    drawWalls(brush, plan, colours);
    brush.globalAlpha = 1;
  }
  drawScales(brush, plan, colours);
  let [nearest, farthest] = [-Infinity, Infinity];
  for (let id = 0; id < data.count; id += 1) {
    view.project(points[3 * id], points[3 * id + 1], points[3 * id + 2], spots, 3 * id);
    if (!isSeen(data, id)) spots[3 * id] = NaN;
    if (spots[3 * id + 2] > nearest) nearest = spots[3 * id + 2];
    if (spots[3 * id + 2] < farthest) farthest = spots[3 * id + 2];
  }
  const depth = Math.max(1e-9, nearest - farthest);
  drawWays(brush, data, colours, spots, 3);
  if (data.current !== null) drawStem(brush, box.here, view, colours.accent);
  drawPoints(brush, data, colours, spots, 3, (id) => (nearest - spots[3 * id + 2]) / depth);
  drawNumbers(brush, data, colours, spots, 3, { left: 0, top: 0, right: plan.width, bottom: plan.height });
}

/**
 * What is asked for.
 * @param {CanvasRenderingContext2D} brush
 * @param {Data} data
 * @param {BoxPlan} of
 * @param {Colours} colours
 * @param {Ghost} ghost
 */
export function drawSpaceGhost(brush, data, { box, view }, colours, ghost) {
  const at = box.axes.map((axis, k) => box.place(axis.ghost(ghost), k));
  if (at.some(Number.isNaN)) return;
  const inside = at.map((value) => Math.max(-0.56, Math.min(0.56, value)));
  const spot = [0, 0, 0];
  const from = [0, 0, 0];
  view.project(inside[0], inside[1], inside[2], spot, 0);
  view.project(box.here[0], box.here[1], box.here[2], from, 0);
  drawStem(brush, inside, view, colours.ghost);
  if (data.current !== null && (ghost.from ?? data.current) === data.current) drawGhostLine(brush, colours, from, spot, ghost.sure);
  const beyond = inside.some((value, k) => value !== at[k]);
  drawMark(brush, colours, "ghost", spot[0], spot[1], { hollow: !ghost.sure || beyond, alpha: beyond ? 0.6 : 1 });
}

/**
 * @param {NonNullable<Data['front']>} front
 * @param {Axis[]} axes
 * @param {(value: Maybe<number>, k: number) => number} place
 */
function surfaceIn(front, axes, place) {
  const corners = new Float64Array(3 * front.outcomes.length);
  front.outcomes.forEach((outcome, i) => {
    axes.forEach(({ onFront }, k) => {
      corners[3 * i + k] = place(onFront === null ? null : outcome[onFront], k);
    });
  });
  const faces = facesOf(front);
  return { corners, faces, normals: faces.map((face) => normalOf(corners, face)), lines: front.lines };
}

/**
 * The unit normal of a face by its diagonals.
 * @param {Float64Array} corners
 * @param {number[]} face
 */
function normalOf(corners, face) {
  /** @param {number} i */
  const at = (i) => corners.subarray(3 * face[i], 3 * face[i] + 3);
  const [a, b, c, d] = [at(0), at(1), at(2), at(face.length > 3 ? 3 : 0)];
  const [p, q] = [[0, 1, 2].map((k) => c[k] - a[k]), [0, 1, 2].map((k) => d[k] - b[k])];
  const cross = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
  const size = Math.hypot(...cross) || 1;
  return cross.map((value) => value / size);
}

/**
 * Opaque faces: where the surface folds, from back to front; else by their shade, in a few strokes.
 * @param {CanvasRenderingContext2D} brush
 * @param {Surface} of
 * @param {View} view
 * @param {Colours} colours
 */
function drawSurface(brush, { corners, faces, normals, lines }, view, colours) {
  const count = corners.length / 3;
  const seen = new Float64Array(3 * count);
  for (let i = 0; i < count; i += 1) view.project(corners[3 * i], corners[3 * i + 1], corners[3 * i + 2], seen, 3 * i);
  const last = colours.ramp.length - 1;
  let [towards, away] = [false, false];
  const shades = normals.map((normal) => {
    const facing = normal[0] * view.near[0] + normal[1] * view.near[1] + normal[2] * view.near[2];
    if (facing > 0.02) towards = true;
    if (facing < -0.02) away = true;
    return Math.round(last * (0.1 + 0.8 * Math.abs(facing)));
  });
  /** @param {number[]} face */
  const trace = (face) => {
    brush.moveTo(seen[3 * face[0]], seen[3 * face[0] + 1]);
    for (let k = 1; k < face.length; k += 1) brush.lineTo(seen[3 * face[k]], seen[3 * face[k] + 1]);
    brush.closePath();
  };
  /** @param {number} shade */
  const paint = (shade) => {
    brush.fillStyle = colours.ramp[shade];
    brush.strokeStyle = colours.ramp[shade];
    brush.fill();
    brush.stroke(); // over the seam
  };
  brush.lineWidth = 1;
  if (towards && away) {
    const depths = faces.map((face) => face.reduce((sum, i) => sum + seen[3 * i + 2], 0) / face.length);
    for (const i of [...faces.keys()].sort((one, other) => depths[one] - depths[other])) {
      brush.beginPath();
      trace(faces[i]);
      paint(shades[i]);
    }
  } else {
    for (let shade = 0; shade <= last; shade += 1) {
      if (!shades.includes(shade)) continue;
      brush.beginPath();
      faces.forEach((face, i) => {
        if (shades[i] === shade) trace(face);
      });
      paint(shade);
    }
  }
  // The web in the colour of the ground, so that it shows on the surface.
  brush.save();
  lines.forEach((line, k) => {
    brush.beginPath();
    for (const i of line) brush.lineTo(seen[3 * i], seen[3 * i + 1]);
    brush.strokeStyle = k ? colours.back : colours.front;
    brush.globalAlpha = k ? 0.6 : 1;
    brush.lineWidth = k ? 1 : 1.8;
    brush.stroke();
  });
  brush.restore();
}

/**
 * A line down to the floor: it says where in the depth a point is.
 * @param {CanvasRenderingContext2D} brush
 * @param {number[]} pair
 * @param {View} view
 * @param {string} colour
 */
function drawStem(brush, [a, b, c], view, colour) {
  const ends = new Float64Array(6);
  view.project(a, b, c, ends, 0);
  view.project(a, b, -0.5, ends, 3);
  brush.save();
  brush.strokeStyle = colour;
  brush.globalAlpha = 0.5;
  brush.lineWidth = 1;
  brush.beginPath();
  brush.moveTo(ends[0], ends[1]);
  brush.lineTo(ends[3], ends[4]);
  brush.stroke();
  brush.beginPath();
  brush.ellipse(ends[3], ends[4], 3, 1.8, 0, 0, 2 * Math.PI);
  brush.stroke();
  brush.restore();
}

/**
 * The three far walls with their grid.
 * @param {CanvasRenderingContext2D} brush
 * @param {BoxPlan} of
 * @param {Colours} colours
 */
function drawWalls(brush, { box, view }, colours) {
  const wall = view.near.map((value) => (value > 0 ? -0.5 : 0.5));
  const seen = new Float64Array(6);
  /**
   * @param {[number, number, number]} from
   * @param {[number, number, number]} to
   */
  const line = (from, to) => {
    view.project(...from, seen, 0);
    view.project(...to, seen, 3);
    brush.moveTo(seen[0], seen[1]);
    brush.lineTo(seen[3], seen[4]);
  };
  brush.strokeStyle = colours.line;
  brush.lineWidth = 1;
  brush.beginPath();
  for (let k = 0; k < 3; k += 1) {
    const [p, q] = [0, 1, 2].filter((other) => other !== k);
    const lines = [-0.5, ...box.ticks[k].map(({ value }) => box.place(value, k)), 0.5];
    for (const at of lines) {
      // Across the two far walls that this axis runs along.
      for (const [fixed, runs] of [[p, q], [q, p]]) {
        /** @type {[number, number, number]} */
        const from = [0, 0, 0];
        from[k] = at;
        from[fixed] = wall[fixed];
        /** @type {[number, number, number]} */
        const to = [...from];
        from[runs] = -0.5;
        to[runs] = 0.5;
        line(from, to);
      }
    }
  }
  brush.stroke();
}
