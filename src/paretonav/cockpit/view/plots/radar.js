// A wheel of axes for a few points: the smaller the shape, the better.

import { createCanvas } from "./canvas.js";
import { profileAxes } from "./axes.js";
import { endsOf, shorten } from "./lines.js";
import { drawLine } from "./scatter.js";

const MOST = 8;
const HOLE = 0.15; // of the radius: where the best value is
const COLOURS = ["#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8a8a", "#a6761d"];

/** A radar of the current, the first, and the selected points, and of what is asked for. */
export function createRadar() {
  let shown = null;
  let ghost = null;
  let axes = [];
  let wheel = null;

  const sheet = createCanvas({
    still(pen, width, height, colours) {
      wheel = null;
      if (!shown) return;
      if (axes.length < 3) {
        pen.fillStyle = colours.muted;
        pen.textAlign = "center";
        pen.fillText("A radar needs three losses or metrics. The map shows two.", width / 2, height / 2, width - 20);
        return;
      }
      wheel = wheelOf(axes, width, height, shown.state.current);
      drawWheel(pen, wheel, axes, colours);
      pointsOf(shown).forEach((id, k) => {
        const current = id === shown.state.current;
        const colour = current ? colours.worse : COLOURS[k % COLOURS.length];
        drawLine(pen, closed(axes.map((axis, i) => wheel.place(i, axis.values[id]))), colour, current ? 2.5 : 1.5);
        pen.fillStyle = colour;
        pen.textAlign = "left";
        pen.fillText(`${current ? "current: " : ""}point ${id}`, 10, 14 + 17 * k);
      });
    },
    moving(pen, width, height, colours) {
      if (!wheel || !ghost) return;
      drawLine(pen, closed(axes.map((axis, i) => wheel.place(i, axis.ghost(ghost)))), colours.worse, 2, ghost.sure ? [6, 4] : [2, 4]);
    },
  });

  return {
    root: sheet.root,
    draw(next) {
      shown = next;
      axes = profileAxes(shown.state, shown.points);
      sheet.describe(`A radar of the points ${pointsOf(shown).join(", ")} over ${axes.map((axis) => axis.label).join(", ")}: smaller is better. The table has the numbers.`);
      sheet.changed();
    },
    ghost(next) {
      ghost = next;
      sheet.moved();
    },
    destroy: sheet.destroy,
  };
}

function pointsOf({ state, selected }) {
  return [...new Set([state.current, 0, ...selected])].slice(0, MOST);
}

function closed(places) {
  return places.includes(null) ? places : [...places, places[0]];
}

function wheelOf(axes, width, height, current) {
  const radius = Math.max(30, Math.min(width / 2 - 90, height / 2 - 34));
  const centre = [width / 2, height / 2];
  const ends = axes.map((axis) => endsOf(axis, current));
  const at = (i, share) => {
    const angle = (2 * Math.PI * i) / axes.length - Math.PI / 2;
    return [centre[0] + share * radius * Math.cos(angle), centre[1] + share * radius * Math.sin(angle)];
  };
  return {
    at,
    place(i, value) {
      if (!Number.isFinite(value)) return null;
      const [low, high] = ends[i];
      const bad = high === low ? 0.5 : (axes[i].better === "higher" ? high - value : value - low) / (high - low);
      return at(i, HOLE + (1 - HOLE) * Math.max(-0.1, Math.min(1.1, bad)));
    },
  };
}

function drawWheel(pen, wheel, axes, colours) {
  for (const share of [HOLE, (1 + HOLE) / 2, 1]) {
    drawLine(pen, closed(axes.map((_, i) => wheel.at(i, share))), colours.line, 1);
  }
  axes.forEach((axis, i) => {
    drawLine(pen, [wheel.at(i, 0), wheel.at(i, 1)], colours.line, 1);
    const [x, y] = wheel.at(i, 1.06);
    const side = wheel.at(i, 1)[0] - wheel.at(i, 0)[0];
    pen.fillStyle = colours.ink;
    pen.textAlign = side > 5 ? "left" : side < -5 ? "right" : "center";
    pen.fillText(shorten(axis.label, axes.length > 10 ? 10 : 18), x, y + (side > 5 || side < -5 ? 0 : Math.sign(y - wheel.at(i, 0)[1]) * 6));
  });
}
