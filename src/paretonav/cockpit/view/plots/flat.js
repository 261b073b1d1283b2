// @ts-check
// The map of two quantities.

/** @import { Axis, Box, Colours, Data, FlatPlan, Ghost, PointRole, Sides } from "../types.js" */

import { formatValue, isNumber, isolated } from "../numbers.js";
import { drawAxisName } from "./better.js";
import {
  ROLES, colourOfMark, drawMark, drawRing, drawText, fitText, fontOf, pickColour, roleOf, sizeOfMark, traceMark,
} from "./marks.js";
import { isSeen } from "./filter.js";
import { boxAround, isWithin, overlaps } from "./room.js";
import { rangeOf, roomy, ticksOf } from "./ticks.js";

const ROOM = { top: 26, right: 14, bottom: 38 };
const NAME = 130; // pixels of a name beside a point
const BATCH = 250; // marks or lines of one path: what a longer one takes grows faster than it does
const NUMBERED = 40; // points, up to which each may have its number beside it

/**
 * Where the values of two axes are on a canvas: { x(value), y(value), valueX(px), valueY(px), box, ticks }.
 * @param {Data} data
 * @param {[Axis, Axis]} pair
 * @param {number} width
 * @param {number} height
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 */
export function layFlat(data, [across, up], width, height, brush, colours) {
  const onFront = frontOf(data, [across, up]);
  const rangeX = roomy(onFront ? rangeOf(onFront[0], across.range) : across.range);
  const rangeY = roomy(onFront ? rangeOf(onFront[1], up.range) : up.range);
  const ticksY = ticksOf(rangeY, Math.max(2, Math.floor((height - ROOM.top - ROOM.bottom) / 55)));
  brush.font = fontOf(colours);
  const left = 30 + Math.max(16, ...ticksY.map(({ text }) => brush.measureText(text).width));
  const box = { left, top: ROOM.top, right: width - ROOM.right, bottom: height - ROOM.bottom };
  const wide = Math.max(1, box.right - box.left);
  const high = Math.max(1, box.bottom - box.top);
  /** @type {FlatPlan} */
  const plan = {
    axes: [across, up],
    box,
    front: onFront,
    ticksX: ticksOf(rangeX, Math.max(2, Math.floor(wide / 75))),
    ticksY,
    x: (value) => box.left + (wide * (value - rangeX[0])) / (rangeX[1] - rangeX[0]),
    y: (value) => box.bottom - (high * (value - rangeY[0])) / (rangeY[1] - rangeY[0]),
    valueX: (x) => rangeX[0] + ((rangeX[1] - rangeX[0]) * (x - box.left)) / wide,
    valueY: (y) => rangeY[0] + ((rangeY[1] - rangeY[0]) * (box.bottom - y)) / high,
  };
  return plan;
}

/**
 * All that does not depend on the ghost; fills `spots`: [x, y] of each point, NaN if it has no place.
 * @param {CanvasRenderingContext2D} brush
 * @param {Data} data
 * @param {FlatPlan} plan
 * @param {Colours} colours
 * @param {Float64Array} spots
 */
export function drawFlat(brush, data, plan, colours, spots) {
  drawFrame(brush, plan, colours);
  const [across, up] = plan.axes;
  for (let id = 0; id < data.count; id += 1) {
    const a = across.value(id);
    const b = up.value(id);
    const unseen = a === null || b === null || !isSeen(data, id);
    spots[2 * id] = unseen ? NaN : plan.x(a);
    spots[2 * id + 1] = unseen ? NaN : plan.y(b);
  }
  brush.save();
  clipTo(brush, plan.box, 8);
  drawWays(brush, data, colours, spots, 2);
  if (plan.front && data.front) drawFront(brush, data.front.lines, plan.front, plan, colours);
  drawPoints(brush, data, colours, spots, 2);
  brush.restore();
  drawNumbers(brush, data, colours, spots, 2, plan.box);
}

/**
 * The front on these axes as [xs, ys]; null if they are not both losses that are asked for.
 * @param {Data} data
 * @param {[Axis, Axis]} pair
 * @returns {[number[], number[]] | null}
 */
export function frontOf({ front }, [across, up]) {
  const [p, q] = [across.onFront, up.onFront];
  if (!front || p === null || q === null || across === up) return null;
  return [front.outcomes.map((outcome) => outcome[p]), front.outcomes.map((outcome) => outcome[q])];
}

/**
 * The steps between points, and stronger those that lead to the current one; `stride` numbers per spot.
 * @param {CanvasRenderingContext2D} brush
 * @param {Data} data
 * @param {Colours} colours
 * @param {Float64Array} spots
 * @param {number} stride
 */
export function drawWays(brush, data, colours, spots, stride) {
  /** @param {Iterable<number>} ids */
  const line = (ids) => {
    for (const some of batches([...ids])) {
      brush.beginPath();
      for (const id of some) {
        const from = data.points.parent[id];
        if (!isNumber(from) || Number.isNaN(spots[stride * id]) || Number.isNaN(spots[stride * from])) continue;
        brush.moveTo(spots[stride * from], spots[stride * from + 1]);
        brush.lineTo(spots[stride * id], spots[stride * id + 1]);
      }
      brush.stroke();
    }
  };
  brush.lineCap = "round";
  brush.strokeStyle = colours.edge;
  brush.globalAlpha = data.count > 200 ? 0.35 : 0.6;
  brush.lineWidth = 1;
  line(data.points.parent.keys());
  brush.globalAlpha = 0.75;
  brush.strokeStyle = colours.accent;
  brush.lineWidth = 2;
  line(data.trail);
  brush.globalAlpha = 1;
}

/**
 * All marks, by role; `fade(id)` in [0, 1] is how far away a point is.
 * @param {CanvasRenderingContext2D} brush
 * @param {Data} data
 * @param {Colours} colours
 * @param {Float64Array} spots
 * @param {number} stride
 * @param {((id: number) => number) | null} [fade]
 */
export function drawPoints(brush, data, colours, spots, stride, fade = null) {
  const steps = fade ? 4 : 1;
  /** @returns {number[][]} */
  const none = () => Array.from({ length: steps }, () => []);
  const groups = { worse: none(), plain: none(), star: none(), start: none(), current: none() };
  for (let id = 0; id < data.count; id += 1) {
    if (Number.isNaN(spots[stride * id])) continue;
    const step = fade ? Math.min(steps - 1, Math.floor(fade(id) * steps)) : 0;
    groups[roleOf(data, id)][step].push(id);
  }
  const crowd = data.count > 300 ? 0.8 : 1;
  for (const role of ROLES) {
    const common = role === "worse" || role === "plain";
    for (let step = steps - 1; step >= 0; step -= 1) {
      const ids = groups[role][step];
      if (ids.length === 0) continue;
      const size = sizeOfMark(role) * (common ? crowd : 1) * (fade ? 1.15 - 0.11 * step : 1);
      for (const [colour, some] of [...byColour(ids, data, colours, role)].flatMap(([colour, all]) => batches(all).map((/** @returns {[string, number[]]} */ (part) => [colour, part])))) {
        brush.beginPath();
        for (const id of some) traceMark(brush, role, spots[stride * id], spots[stride * id + 1], data.tint && common ? 1.25 * size : size);
        brush.globalAlpha = (role === "worse" && !data.tint ? 0.5 : 0.95) * (fade && common ? 1 - 0.14 * step : 1);
        brush.fillStyle = colour;
        brush.strokeStyle = colours.back;
        brush.lineWidth = common ? 1.2 : 2.5;
        // A rim first, so that a mark keeps its size.
        if (role !== "worse" || data.count <= 300) brush.stroke();
        brush.fill();
      }
    }
  }
  brush.globalAlpha = 1;
  // A point with two roles has both marks.
  for (const id of [0, data.current]) {
    if (id === null || Number.isNaN(spots[stride * id])) continue;
    const [x, y] = [spots[stride * id], spots[stride * id + 1]];
    if (id === 0 && id === data.current) drawMark(brush, colours, "start", x, y, { size: 3, colour: colours.back });
    if (data.points.star?.[id]) drawMark(brush, colours, "star", x, y, { size: 4 });
  }
  for (const [id, k] of data.picks) {
    if (Number.isNaN(spots[stride * id])) continue;
    drawRing(brush, colours, k, spots[stride * id], spots[stride * id + 1], sizeOfMark(roleOf(data, id)));
  }
}

/**
 * The same in order, a part at a time.
 * @param {number[]} ids
 */
function batches(ids) {
  return Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, k) => ids.slice(BATCH * k, BATCH * (k + 1)));
}

/**
 * Points by the colour of their mark: that of their role, or of the quantity that they are coloured by.
 * @param {number[]} ids
 * @param {Data} data
 * @param {Colours} colours
 * @param {PointRole} role
 * @returns {Map<string, number[]>}
 */
function byColour(ids, { tint }, colours, role) {
  const plain = colourOfMark(colours, role);
  if (!tint || role === "current" || role === "start") return new Map([[plain, ids]]);
  /** @type {Map<string, number[]>} */
  const found = new Map();
  for (const id of ids) {
    const at = tint(id);
    const colour = at === null ? plain : colours.tints[at];
    const some = found.get(colour) ?? [];
    if (some.push(id) === 1) found.set(colour, some);
  }
  return found;
}

/**
 * Numbers, and names, beside the points that have room for them: first those with a role, then those with a name, then the latest.
 * @param {CanvasRenderingContext2D} brush
 * @param {Data} data
 * @param {Colours} colours
 * @param {Float64Array} spots
 * @param {number} stride
 * @param {Sides} box
 */
export function drawNumbers(brush, data, colours, spots, stride, box) {
  const special = [data.current, ...data.selected, 0].filter((id) => id !== null);
  /** @param {(string | boolean)[] | undefined} marks */
  const marked = (marks) => [...(marks ?? []).entries()].filter(([, on]) => on).map(([id]) => id).slice(0, NUMBERED);
  const [named, starred] = [marked(data.points.name), marked(data.points.star)];
  const others = data.count <= NUMBERED ? [...Array(data.count).keys()].reverse() : [];
  /** @type {Box[]} */
  const taken = [];
  for (const id of special) taken.push(boxAround(spots[stride * id], spots[stride * id + 1], 7, 7));
  for (const id of others) taken.push(boxAround(spots[stride * id], spots[stride * id + 1], 3, 3));
  for (const id of new Set([...special, ...named, ...starred, ...others])) {
    const [x, y] = [spots[stride * id], spots[stride * id + 1]];
    if (Number.isNaN(x) || x < box.left - 8 || x > box.right + 8 || y < box.top - 8 || y > box.bottom + 8) continue;
    const strong = special.includes(id);
    brush.font = fontOf(colours, 11, strong ? 650 : 400);
    const far = strong ? 13 : 9;
    const name = data.points.name?.[id];
    // With its name where there is room for it, else the number alone.
    for (const text of [...(name ? [`${id} ${isolated(fitText(brush, name, NAME))}`] : []), `${id}`]) {
      const half = brush.measureText(text).width / 2 + 1;
      const places = [[0, -far - 2], [far + half - 2, 0], [0, far + 3], [-far - half + 2, 0], [far + half - 5, -far], [-far - half + 5, -far]];
      const place = places.find(([dx, dy]) => {
        const wanted = boxAround(x + dx, y + dy, half, 5.5);
        return (text === `${id}` || isWithin(wanted, box)) && taken.every((other) => !overlaps(wanted, other));
      });
      if (!place) continue;
      taken.push(boxAround(x + place[0], y + place[1], half, 5.5));
      const k = data.picks.get(id);
      const colour = id === data.current ? colours.accent : k === undefined ? colours.faint : pickColour(colours, k);
      drawText(brush, colours, text, x + place[0], y + place[1], { colour });
      break;
    }
  }
}

/**
 * What is asked for: from the current point to where it leads; beyond the edge an arrow says where to.
 * @param {CanvasRenderingContext2D} brush
 * @param {Data} data
 * @param {FlatPlan} plan
 * @param {Colours} colours
 * @param {Ghost} ghost
 */
export function drawFlatGhost(brush, data, plan, colours, ghost) {
  const to = ghostSpot(plan, ghost);
  if (!to) return;
  const [x, y] = [clamp(to[0], plan.box.left, plan.box.right), clamp(to[1], plan.box.top, plan.box.bottom)];
  const start = ghost.from ?? data.current;
  const from = start === null ? null : spotOf(plan, start);
  if (from) drawGhostLine(brush, colours, from, [x, y], ghost.sure);
  if (x === to[0] && y === to[1]) drawMark(brush, colours, "ghost", x, y, { hollow: !ghost.sure });
  else drawArrow(brush, colours, x, y, Math.atan2(to[1] - y, to[0] - x));
}

/**
 * The dashed line to what is asked for.
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {number[]} from
 * @param {number[]} to
 * @param {boolean | undefined} sure
 */
export function drawGhostLine(brush, colours, from, to, sure) {
  brush.save();
  brush.beginPath();
  brush.moveTo(from[0], from[1]);
  brush.lineTo(to[0], to[1]);
  brush.setLineDash(sure ? [5, 3] : [2, 4]);
  brush.lineWidth = 2;
  brush.strokeStyle = colours.ghost;
  brush.stroke();
  brush.restore();
}

/**
 * Where a point is, or null.
 * @param {FlatPlan} plan
 * @param {number} id
 */
export function spotOf(plan, id) {
  const [a, b] = plan.axes.map((axis) => axis.value(id));
  return a === null || b === null ? null : [plan.x(a), plan.y(b)];
}

/**
 * Where the ghost is, or null.
 * @param {FlatPlan} plan
 * @param {Ghost} ghost
 */
export function ghostSpot(plan, ghost) {
  const [a, b] = plan.axes.map((axis) => axis.ghost(ghost));
  return isNumber(a) && isNumber(b) ? [plan.x(a), plan.y(b)] : null;
}

/**
 * What is aimed at while it is dragged.
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {FlatPlan} plan
 * @param {number} x
 * @param {number} y
 */
export function drawTarget(brush, colours, plan, x, y, say = "aim at ") {
  const [across, up] = [plan.valueX(x), plan.valueY(y)];
  brush.save();
  brush.strokeStyle = colours.ghost;
  brush.lineWidth = 1;
  brush.setLineDash([3, 3]);
  brush.beginPath();
  brush.moveTo(x, plan.box.bottom);
  brush.lineTo(x, y);
  brush.lineTo(plan.box.left, y);
  brush.stroke();
  brush.setLineDash([]);
  brush.lineWidth = 2;
  brush.beginPath();
  brush.arc(x, y, 9, 0, 2 * Math.PI);
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    brush.moveTo(x + 5 * dx, y + 5 * dy);
    brush.lineTo(x + 13 * dx, y + 13 * dy);
  }
  brush.stroke();
  brush.font = fontOf(colours, 11, 600);
  const toRight = x < plan.box.right - 90;
  const text = `${say}${formatValue(across)}, ${formatValue(up)}`;
  drawText(brush, colours, text, x + (toRight ? 16 : -16), y - 14, { colour: colours.ghost, align: toRight ? "left" : "right" });
  brush.restore();
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {FlatPlan} of
 * @param {Colours} colours
 */
function drawFrame(brush, { axes, box, ticksX, ticksY, x, y }, colours) {
  brush.font = fontOf(colours);
  brush.strokeStyle = colours.line;
  brush.lineWidth = 1;
  brush.beginPath();
  for (const { value } of ticksX) {
    brush.moveTo(Math.round(x(value)) + 0.5, box.top);
    brush.lineTo(Math.round(x(value)) + 0.5, box.bottom);
  }
  for (const { value } of ticksY) {
    brush.moveTo(box.left, Math.round(y(value)) + 0.5);
    brush.lineTo(box.right, Math.round(y(value)) + 0.5);
  }
  brush.stroke();
  for (const { value, text } of ticksX) drawText(brush, colours, text, x(value), box.bottom + 11, { halo: false });
  for (const { value, text } of ticksY) drawText(brush, colours, text, box.left - 6, y(value), { align: "right", halo: false });
  const [across, up] = axes;
  drawAxisName(brush, colours, across, (box.left + box.right) / 2, box.bottom + 28, box.right - box.left);
  brush.save();
  brush.translate(10, (box.top + box.bottom) / 2);
  brush.rotate(-Math.PI / 2);
  drawAxisName(brush, colours, up, 0, 0, box.bottom - box.top);
  brush.restore();
}

/**
 * The front: a curve, or the shadow of a surface with its lines.
 * @param {CanvasRenderingContext2D} brush
 * @param {number[][]} lines
 * @param {[number[], number[]]} pair
 * @param {FlatPlan} plan
 * @param {Colours} colours
 */
function drawFront(brush, lines, [xs, ys], { x, y }, colours) {
  const isCurve = lines.length < 2;
  brush.strokeStyle = colours.front;
  brush.fillStyle = colours.front;
  lines.forEach((line, k) => {
    brush.beginPath();
    for (const i of line) brush.lineTo(x(xs[i]), y(ys[i]));
    if (k === 0) {
      brush.globalAlpha = isCurve ? 0.25 : 0.12;
      brush.lineWidth = 8;
      if (isCurve) brush.stroke();
      else brush.fill();
    }
    brush.globalAlpha = k ? 0.3 : 1;
    brush.lineWidth = isCurve ? 2 : k ? 1 : 1.5;
    brush.stroke();
  });
  brush.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {number} x
 * @param {number} y
 * @param {number} angle
 */
function drawArrow(brush, colours, x, y, angle) {
  brush.save();
  brush.translate(x, y);
  brush.rotate(angle);
  brush.beginPath();
  brush.moveTo(7, 0);
  brush.lineTo(-6, 6);
  brush.lineTo(-3, 0);
  brush.lineTo(-6, -6);
  brush.closePath();
  brush.fillStyle = colours.ghost;
  brush.strokeStyle = colours.back;
  brush.lineWidth = 2;
  brush.stroke();
  brush.fill();
  brush.restore();
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {Sides} of
 * @param {number} more
 */
function clipTo(brush, { left, top, right, bottom }, more) {
  brush.beginPath();
  brush.rect(left - more, top - more, right - left + 2 * more, bottom - top + 2 * more);
  brush.clip();
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
