// Parallel axes: every point a line over all quantities, the best at the bottom.

import { createCanvas } from "./canvas.js";
import { around, profileAxes, rangeOf } from "./axes.js";
import { formatValue } from "../numbers.js";
import { roleOf } from "./marks.js";
import { linesOf, pointAt } from "./pointing.js";
import { drawLine } from "./scatter.js";

const ROOM = { left: 34, right: 34, top: 24, bottom: 46 };
const NARROW = 76; // pixels between axes below which labels are turned
const MANY = 300; // lines, above which the dominated ones are left out

/** Parallel axes. */
export function createLines(actions) {
  let shown = null;
  let ghost = null;
  let axes = [];
  let scales = [];
  let handles = [];

  const sheet = createCanvas({
    still(pen, width, height, colours) {
      if (!shown || axes.length < 2) return;
      const { state, points, selected } = shown;
      const bottom = (width - ROOM.left - ROOM.right) / (axes.length - 1) < NARROW ? 78 : ROOM.bottom;
      scales = axes.map((axis, k) => scaleOf(axis, k, axes.length, width, height - bottom, state.current));
      drawAxes(pen, axes, scales, height - bottom, colours);
      const ids = [...points.parent.keys()];
      const marked = ids.filter((id) => roleOf(id, state, points) !== "visited" || selected.includes(id));
      pen.globalAlpha = ids.length > 50 ? 0.25 : 0.6;
      for (const id of ids) {
        if (ids.length > MANY && !points.efficient[id]) continue;
        drawLine(pen, line(axes.map((axis) => axis.values[id])), colours.edge, 1);
      }
      pen.globalAlpha = 1;
      const of = { visited: colours.ink, start: colours.start, star: colours.star, current: colours.worse };
      for (const id of marked.sort((a) => (a === state.current ? 1 : -1))) {
        const role = roleOf(id, state, points);
        drawLine(pen, line(axes.map((axis) => axis.values[id])), of[role], role === "current" ? 3 : 2);
      }
      handles = ids.map((id) => line(axes.map((axis) => axis.values[id]))[axes.length - 1]);
    },
    moving(pen, width, height, colours) {
      if (!shown || !ghost || axes.length < 2 || !scales.length) return;
      drawLine(pen, line(axes.map((axis) => axis.ghost(ghost))), colours.worse, 2, ghost.sure ? [6, 4] : [2, 4]);
    },
  });
  const line = (values) => values.map((value, k) => scales[k].place(value));

  pointAt(sheet.root, sheet.canvas, {
    places: () => handles,
    tell: (id) => linesOf(id, shown.points, axes),
    choose: actions.toggle,
    go: actions.go,
  });

  return {
    root: sheet.root,
    draw(next) {
      shown = next;
      axes = profileAxes(shown.state, shown.points);
      sheet.describe(
        `${shown.points.parent.length} points on ${axes.length} parallel axes, the best at the bottom: ${axes.map((axis) => axis.label).join(", ")}. The table has the numbers.`,
      );
      sheet.changed();
    },
    ghost(next) {
      ghost = next;
      sheet.moved();
    },
    destroy: sheet.destroy,
  };
}

/** Where values are on an axis; ghosts may go a little beyond its ends. */
function scaleOf(axis, k, count, width, floor, current) {
  const [low, high] = endsOf(axis, current);
  const x = ROOM.left + (k / (count - 1)) * (width - ROOM.left - ROOM.right);
  const [bottom, top] = axis.better === "higher" ? [high, low] : [low, high];
  const span = top - bottom || 1;
  return {
    x,
    bottom,
    top,
    place(value) {
      if (!Number.isFinite(value)) return null;
      const share = bottom === top ? 0.5 : Math.max(-0.06, Math.min(1.06, (value - bottom) / span));
      return [x, floor - share * (floor - ROOM.top)];
    },
  };
}

/** The least and the largest number on an axis. */
export function endsOf(axis, current) {
  return rangeOf([axis.values, around(axis, current)], 0);
}

function drawAxes(pen, axes, scales, floor, colours) {
  const near = scales.length > 1 && scales[1].x - scales[0].x < NARROW;
  axes.forEach((axis, k) => {
    const { x, bottom, top } = scales[k];
    drawLine(pen, [[x, ROOM.top], [x, floor]], colours.edge, 1);
    pen.fillStyle = colours.muted;
    pen.textAlign = "center";
    const numbers = !near || k % 2 === 0;
    if (numbers) pen.fillText(formatValue(top, 3), x, ROOM.top - 11);
    if (numbers) pen.fillText(formatValue(bottom, 3), x, floor + 11);
    pen.fillStyle = colours.ink;
    if (near) {
      pen.save();
      pen.translate(x, floor + 24);
      pen.rotate(-0.6);
      pen.textAlign = "right";
      pen.fillText(shorten(axis.label, 12), 0, 0);
      pen.restore();
    } else {
      const last = k === axes.length - 1;
      pen.textAlign = k === 0 ? "left" : last ? "right" : "center";
      pen.fillText(shorten(axis.label, 24), k === 0 ? x - 28 : last ? x + 28 : x, floor + 28, scales[1].x - scales[0].x - 6);
    }
  });
}

/** A label with no more characters than there is room for. */
export function shorten(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
