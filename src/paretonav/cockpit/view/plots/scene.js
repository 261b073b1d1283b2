// Three objectives in space, projected by hand: a fraction of a millisecond where a 3D library takes a tenth of a second.

import { createCanvas } from "./canvas.js";
import { rangeOf, tickText, ticksOf } from "./axes.js";
import { drawGhost, drawMark, roleOf } from "./marks.js";
import { linesOf, pointAt } from "./pointing.js";
import { drawLine, drawTree } from "./scatter.js";

const TURN = 0.01; // radians per pixel
const KEY_TURN = 0.12;
const TALLEST = 1.45;

/** The scene of the first three objectives' training losses. */
export function createScene(actions) {
  let shown = null; // { state, points, selected, axes: [x, y, z], all, front }
  let ghost = null;
  let camera = { turn: 0.7, tilt: 0.45, zoom: 1 };
  let project = null;
  let places = [];

  const sheet = createCanvas({
    still(pen, width, height, colours) {
      if (!shown) return;
      const { state, points, selected, axes, front } = shown;
      const outcomes = front?.outcomes ?? [];
      const ranges = axes.map((axis, k) => rangeOf([axis.values, outcomes.map((outcome) => outcome[k])], 0.04));
      project = projection(ranges, camera, width, height);
      drawBox(pen, project, ranges, axes, colours);
      drawFront(pen, front, project, colours);
      const seen = axes[0].values.map((x, id) => project([x, axes[1].values[id], axes[2].values[id]]));
      places = seen.map((place) => place && [place[0], place[1]]);
      drawTree(pen, points, places, colours);
      const order = [...seen.keys()].filter((id) => seen[id]).sort((a, b) => seen[b][2] - seen[a][2]);
      const marked = order.filter((id) => roleOf(id, state, points) !== "visited");
      for (const id of [...order.filter((id) => roleOf(id, state, points) === "visited"), ...marked]) {
        drawMark(pen, roleOf(id, state, points), ...places[id], colours, {
          faint: !points.efficient[id],
          chosen: selected.includes(id),
        });
      }
    },
    moving(pen, width, height, colours) {
      if (!shown || !ghost || !project) return;
      const to = project(shown.axes.map((axis) => axis.ghost(ghost)));
      const from = places[shown.state.current];
      if (!to || !from) return;
      drawLine(pen, [from, to], colours.worse, 1.5, [4, 3]);
      drawGhost(pen, to[0], to[1], colours, ghost.sure);
    },
  });

  const look = (change) => {
    camera = { ...camera, ...change };
    camera.tilt = Math.max(-TALLEST, Math.min(TALLEST, camera.tilt));
    camera.zoom = Math.max(0.5, Math.min(4, camera.zoom));
    sheet.changed();
  };
  let turned = false;
  pointAt(sheet.root, sheet.canvas, {
    places: () => places,
    tell: (id) => linesOf(id, shown.points, shown.all),
    choose: (id) => !turned && actions.toggle(id),
    go: actions.go,
  });
  sheet.canvas.addEventListener("pointerdown", (event) => {
    turned = false;
    const before = camera;
    sheet.canvas.setPointerCapture(event.pointerId);
    const orbit = (moved) => {
      const [x, y] = [moved.clientX - event.clientX, moved.clientY - event.clientY];
      turned = turned || Math.hypot(x, y) > 4;
      if (turned) look({ turn: before.turn - x * TURN, tilt: before.tilt + y * TURN });
    };
    const release = () => {
      for (const name of ["pointerup", "pointercancel"]) sheet.canvas.removeEventListener(name, release);
      sheet.canvas.removeEventListener("pointermove", orbit);
    };
    sheet.canvas.addEventListener("pointermove", orbit);
    for (const name of ["pointerup", "pointercancel"]) sheet.canvas.addEventListener(name, release);
  });
  sheet.canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && document.activeElement !== sheet.canvas) return; // the page scrolls
      event.preventDefault();
      look({ zoom: camera.zoom * Math.exp(-event.deltaY / 500) });
    },
    { passive: false },
  );
  sheet.canvas.addEventListener("keydown", (event) => {
    const change = {
      ArrowLeft: { turn: camera.turn + KEY_TURN },
      ArrowRight: { turn: camera.turn - KEY_TURN },
      ArrowUp: { tilt: camera.tilt + KEY_TURN },
      ArrowDown: { tilt: camera.tilt - KEY_TURN },
      "+": { zoom: camera.zoom * 1.2 },
      "-": { zoom: camera.zoom / 1.2 },
    }[event.key];
    if (!change || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    look(change);
  });

  return {
    root: sheet.root,
    zoom: (factor) => look({ zoom: camera.zoom * factor }),
    show(next) {
      shown = next;
      sheet.describe(
        `${shown.points.parent.length} points in space by ${shown.axes.map((axis) => axis.label).join(", ")}; the current one is point ${shown.state.current}. Arrow keys turn, plus and minus zoom. The table has the numbers.`,
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

/** From values to [x, y, depth], or null: parallel projection of the unit cube. */
function projection(ranges, { turn, tilt, zoom }, width, height) {
  const [sinTurn, cosTurn, sinTilt, cosTilt] = [Math.sin(turn), Math.cos(turn), Math.sin(tilt), Math.cos(tilt)];
  const size = Math.min(width / 1.8, height / 1.95) * zoom;
  return (values) => {
    const [x, y, z] = values.map((value, k) => (value - ranges[k][0]) / (ranges[k][1] - ranges[k][0]) - 0.5);
    if (![x, y, z].every(Number.isFinite)) return null;
    const across = x * cosTurn - y * sinTurn;
    const away = x * sinTurn + y * cosTurn;
    return [width / 2 + size * across, height / 2 - size * (z * cosTilt - away * sinTilt), away * cosTilt + z * sinTilt];
  };
}

function drawBox(pen, project, ranges, axes, colours) {
  const corner = (bits) => ranges.map(([low, high], k) => (bits[k] ? high : low));
  const middle = project(ranges.map(([low, high]) => (low + high) / 2));
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [n & 1, (n >> 1) & 1, (n >> 2) & 1]);
  const nearest = corners.reduce((best, bits) => (project(corner(bits))[2] < project(corner(best))[2] ? bits : best));
  for (const bits of corners) {
    for (const k of [0, 1, 2]) {
      if (bits[k]) continue;
      const end = bits.map((bit, i) => (i === k ? 1 : bit));
      // The edges that meet in the nearest corner would be in the way.
      if ([bits, end].some((one) => one.every((bit, i) => bit === nearest[i]))) continue;
      drawLine(pen, [project(corner(bits)), project(corner(end))], colours.line, 1);
    }
  }
  axes.forEach((axis, k) => {
    // Of the four edges along this axis, that which lies furthest out below is the one that is labelled.
    const edges = corners.filter((bits) => !bits[k]);
    const outer = edges.reduce((best, bits) => (distance(bits, k) > distance(best, k) ? bits : best));
    const at = (value) => project(corner(outer).map((side, i) => (i === k ? value : side)));
    const [low, high] = ranges[k];
    const centre = at((low + high) / 2);
    const [dx, dy] = unit(centre[0] - middle[0], centre[1] - middle[1]);
    drawLine(pen, [at(low), at(high)], colours.edge, 1);
    pen.textAlign = dx > 0.3 ? "left" : dx < -0.3 ? "right" : "center";
    pen.fillStyle = colours.muted;
    for (const tick of ticksOf([low, high])) {
      const [x, y] = at(tick);
      pen.fillText(tickText(tick), x + 7 * dx, y + 9 * dy);
    }
    pen.fillStyle = colours.ink;
    pen.fillText(axis.label, centre[0] + 36 * dx, centre[1] + 24 * dy, 160);
  });

  function distance(bits, k) {
    const [x, y] = project(corner(bits).map((side, i) => (i === k ? (ranges[i][0] + ranges[i][1]) / 2 : side)));
    return Math.abs(x - middle[0]) * (k === 2 ? 1 : 0.4) + (y - middle[1]) * (k === 2 ? 0 : 1);
  }
}

function unit(x, y) {
  const length = Math.hypot(x, y) || 1;
  return [x / length, y / length];
}

/** The local front: a translucent sheet inside its rim, and the lines on it. */
function drawFront(pen, front, project, colours) {
  if (!front) return;
  const seen = front.outcomes.map(project);
  front.lines.forEach((line, k) => {
    const places = line.map((i) => seen[i]);
    if (k === 0) {
      pen.globalAlpha = 0.18;
      pen.fillStyle = colours.front;
      pen.beginPath();
      for (const place of places) pen.lineTo(place[0], place[1]);
      pen.fill();
    }
    pen.globalAlpha = k === 0 ? 0.9 : 0.4;
    drawLine(pen, places.map((place) => [place[0], place[1]]), colours.front, k === 0 ? 1.5 : 1);
  });
  pen.globalAlpha = 1;
}
