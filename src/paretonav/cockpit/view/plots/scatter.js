// Two quantities against each other, with the front where it is known, and a ghost to drag.

import { createCanvas } from "./canvas.js";
import { around, rangeOf, tickText, ticksOf } from "./axes.js";
import { drawGhost, drawMark, roleOf } from "./marks.js";
import { linesOf, pointAt } from "./pointing.js";

const ROOM = { left: 58, right: 18, top: 14, bottom: 40 };
const GRIP = 14;

/** A scatter of two of the axes; `actions` as those of the plots. */
export function createScatter(actions) {
  let shown = null; // { state, points, selected, axes: [x, y], all, curve }
  let ghost = null;
  let frame = null; // how numbers became places when it was drawn last
  let places = [];
  let dragging = false;

  const sheet = createCanvas({
    still(pen, width, height, colours) {
      if (!shown) return;
      const { state, points, selected, axes, curve } = shown;
      const values = axes.map((axis, k) => [axis.values, curve.map((outcome) => outcome[k]), around(axis, state.current)]);
      frame = frameOf(values.map((lists) => rangeOf(lists)), width, height);
      drawFrame(pen, frame, axes, width, height, colours);
      places = axes[0].values.map((x, id) => placeOf(frame, x, axes[1].values[id]));
      if (curve.length) drawLine(pen, curve.map(([x, y]) => placeOf(frame, x, y)), colours.front, 3);
      drawTree(pen, points, places, colours);
      const order = [...places.keys()].sort((a, b) => rank(a, state, points) - rank(b, state, points));
      for (const id of order) {
        if (!places[id]) continue;
        drawMark(pen, roleOf(id, state, points), ...places[id], colours, {
          faint: !points.efficient[id],
          chosen: selected.includes(id),
        });
      }
    },
    moving(pen, width, height, colours) {
      const to = ghostPlace();
      const from = shown && places[shown.state.current];
      if (!to || !from) return;
      drawLine(pen, [from, to], colours.worse, 1.5, [4, 3]);
      drawGhost(pen, ...to, colours, ghost.sure);
    },
  });

  const ghostPlace = () => {
    if (!shown || !ghost || !frame) return null;
    const [x, y] = shown.axes.map((axis) => axis.ghost(ghost));
    return placeOf(frame, x, y);
  };
  const aimable = () => shown && shown.state.live && shown.axes.every((axis) => axis.aim !== null) && shown.axes[0] !== shown.axes[1];

  pointAt(sheet.root, sheet.canvas, {
    places: () => places,
    tell: (id) => linesOf(id, shown.points, shown.all),
    choose: (id) => !dragging && actions.toggle(id),
    go: actions.go,
  });
  sheet.canvas.addEventListener("pointerdown", (event) => {
    const box = sheet.canvas.getBoundingClientRect();
    const grip = ghostPlace() ?? (shown && places[shown.state.current]);
    if (!aimable() || !grip || Math.hypot(event.clientX - box.left - grip[0], event.clientY - box.top - grip[1]) > GRIP) return;
    sheet.canvas.setPointerCapture(event.pointerId);
    const pull = (moved) => {
      if (!dragging && Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) < 4) return;
      dragging = true;
      const x = frame.x.value(moved.clientX - box.left);
      const y = frame.y.value(moved.clientY - box.top);
      actions.aim({ [shown.axes[0].aim]: x, [shown.axes[1].aim]: y });
    };
    const drop = () => {
      sheet.canvas.removeEventListener("pointermove", pull);
      sheet.canvas.removeEventListener("pointerup", drop);
      sheet.canvas.removeEventListener("pointercancel", drop);
      setTimeout(() => {
        dragging = false;
      });
    };
    sheet.canvas.addEventListener("pointermove", pull);
    sheet.canvas.addEventListener("pointerup", drop);
    sheet.canvas.addEventListener("pointercancel", drop);
  });

  return {
    root: sheet.root,
    show(next) {
      shown = next;
      const { axes, points } = shown;
      sheet.describe(
        `${points.parent.length} points by ${axes[0].label} and ${axes[1].label}; the current one is point ${shown.state.current}. The table has the numbers.`,
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

function rank(id, state, points) {
  return ["visited", "start", "star", "current"].indexOf(roleOf(id, state, points)) * 2 + (points.efficient[id] ? 1 : 0);
}

function frameOf([xs, ys], width, height) {
  const scale = ([low, high], from, to) => ({
    range: [low, high],
    place: (value) => from + ((value - low) / (high - low)) * (to - from),
    value: (place) => low + ((place - from) / (to - from)) * (high - low),
  });
  return { x: scale(xs, ROOM.left, width - ROOM.right), y: scale(ys, height - ROOM.bottom, ROOM.top) };
}

function placeOf(frame, x, y) {
  return Number.isFinite(x) && Number.isFinite(y) ? [frame.x.place(x), frame.y.place(y)] : null;
}

function drawFrame(pen, frame, axes, width, height, colours) {
  pen.lineWidth = 1;
  pen.fillStyle = colours.muted;
  pen.strokeStyle = colours.line;
  pen.textAlign = "center";
  for (const tick of ticksOf(frame.x.range)) {
    const x = Math.round(frame.x.place(tick)) + 0.5;
    drawLine(pen, [[x, ROOM.top], [x, height - ROOM.bottom]], colours.line, 1);
    pen.fillText(tickText(tick), x, height - ROOM.bottom + 12);
  }
  pen.textAlign = "right";
  for (const tick of ticksOf(frame.y.range)) {
    const y = Math.round(frame.y.place(tick)) + 0.5;
    drawLine(pen, [[ROOM.left, y], [width - ROOM.right, y]], colours.line, 1);
    pen.fillText(tickText(tick), ROOM.left - 6, y);
  }
  pen.fillStyle = colours.ink;
  pen.textAlign = "center";
  pen.fillText(axes[0].label, (ROOM.left + width - ROOM.right) / 2, height - 10, width - ROOM.left - ROOM.right);
  pen.save();
  pen.translate(11, (ROOM.top + height - ROOM.bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.fillText(axes[1].label, 0, 0, height - ROOM.top - ROOM.bottom);
  pen.restore();
}

/** A line through places; null breaks it. */
export function drawLine(pen, places, colour, width, dash = []) {
  pen.save();
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  let drawing = false;
  for (const place of places) {
    if (!place) drawing = false;
    else if (drawing) pen.lineTo(...place);
    else pen.moveTo(...place);
    drawing = Boolean(place);
  }
  pen.stroke();
  pen.restore();
}

/** From every point a line to where it was reached from. */
export function drawTree(pen, points, places, colours) {
  pen.strokeStyle = colours.edge;
  pen.globalAlpha = points.parent.length > 200 ? 0.3 : 0.8;
  pen.lineWidth = 1;
  pen.beginPath();
  points.parent.forEach((parent, id) => {
    if (parent === null || !places[id] || !places[parent]) return;
    pen.moveTo(...places[parent]);
    pen.lineTo(...places[id]);
  });
  pen.stroke();
  pen.globalAlpha = 1;
}
