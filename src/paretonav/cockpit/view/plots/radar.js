// @ts-check
// A radar: the current point, the start, those to compare and what is asked for; the smaller the better.

/** @import { Colours, Data, Ghost, RadarPlan, ScaledAxis, Stroke, Told } from "../types.js" */

import { build, setShown, setText } from "../dom.js";
import { formatValue } from "../numbers.js";
import { drawBetter } from "./better.js";
import { placeOf } from "./hits.js";
import { drawLegend, drawText, fitText, fontOf } from "./marks.js";
import { legendOf } from "./legend.js";
import { emphasised, scaledAxes } from "./scaled.js";
import { createSheet } from "./sheet.js";
import { createTip } from "./tip.js";
import { sayPoint, sayPoints } from "./told.js";

const NOT_LAID = /** @type {any} */ (null); // until it is drawn again
const MOST_POINTS = 8; // compared points at once
const INNER = 0.15; // of the radius: the best
const REACH_OF_LABEL = 30;

/**
 * The chart "Radar".
 * @param {{ now: Colours }} palette
 */
export function createRadar(palette) {
  let data = /** @type {Data} */ (/** @type {unknown} */ (null)); // until it is drawn first
  /** @type {Ghost | null} */
  let ghost = null;
  /** @type {ScaledAxis[]} */
  let axes = [];
  let plan = /** @type {RadarPlan} */ (NOT_LAID);
  /** @type {number | null} */
  let hovered = null; // an axis
  /** @type {number | null} */
  let linked = null; // a point that is pointed at elsewhere
  const sheet = createSheet({ still: paintStill, live: paintLive });
  const tip = createTip(sheet.root);
  const words = build("p", { class: "pn-sheet-words" });
  const says = build("p", { class: "pn-visually-hidden", role: "status" });
  sheet.root.append(words);
  const root = build("div", { class: "pn-chart" }, sheet.root, says);
  const isDrawn = () => data !== null && axes.length >= 3;

  /**
   * @param {number} a
   * @param {number} share
   * @returns {[number, number]}
   */
  const placeAt = (a, share) => {
    const radius = plan.radius * (INNER + (1 - INNER) * Math.max(0, Math.min(1.08, share)));
    return [plan.x + radius * plan.spokes[a][0], plan.y + radius * plan.spokes[a][1]];
  };
  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {(a: number) => number} shareAt
   * @param {Stroke} of
   * @param {number} [filled]
   */
  const outline = (brush, shareAt, { colour, width, dash = [] }, filled = 0) => {
    const shares = axes.map((_, a) => shareAt(a));
    const known = shares.flatMap((share, a) => (Number.isNaN(share) ? [] : [a]));
    if (known.length < 2) return;
    brush.save();
    brush.beginPath();
    for (const a of known) brush.lineTo(...placeAt(a, shares[a]));
    brush.closePath();
    brush.strokeStyle = colour;
    brush.fillStyle = colour;
    brush.lineWidth = width;
    brush.setLineDash(dash);
    brush.globalAlpha = filled;
    if (filled) brush.fill();
    brush.globalAlpha = 1;
    brush.stroke();
    brush.restore();
  };

  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {number} width
   * @param {number} height
   */
  function paintStill(brush, width, height) {
    if (!isDrawn()) return;
    const colours = palette.now;
    plan = layRadar(axes, width, height);
    drawLegend(brush, colours, legendOf(data, { ghost, lines: true, most: MOST_POINTS }), 6, 10, width - 12);
    drawWeb(brush, axes, plan, placeAt, colours, width);
    for (const one of emphasised(data, colours, MOST_POINTS)) {
      outline(brush, (a) => axes[a].share(axes[a].values[one.id]), one, one.role === "current" ? 0.12 : 0);
    }
    drawInwards(brush, plan, colours);
  }
  /** @param {CanvasRenderingContext2D} brush */
  function paintLive(brush) {
    if (!isDrawn() || !plan) return;
    const colours = palette.now;
    const led = ghost;
    if (led) {
      const line = { colour: colours.ghost, width: 2.2, dash: led.sure ? [6, 4] : [2, 4] };
      outline(brush, (a) => axes[a].share(axes[a].ghost(led)), line);
    }
    const pointed = linked;
    if (pointed !== null && pointed < data.count) outline(brush, (a) => axes[a].share(axes[a].values[pointed]), { colour: colours.ink, width: 2 });
    if (hovered === null) return;
    brush.strokeStyle = colours.ink;
    brush.lineWidth = 1.5;
    brush.beginPath();
    brush.moveTo(plan.x, plan.y);
    brush.lineTo(...placeAt(hovered, 1));
    brush.stroke();
  }

  /** @type {(axis: ScaledAxis) => Told} */
  const tell = (axis) => {
    /** @type {[string, string, string][]} */
    const rows = [["middle (best)", formatValue(axis.best), ""], ["rim (worst)", formatValue(axis.worst), ""]];
    for (const { id, text, role } of emphasised(data, palette.now, MOST_POINTS).reverse()) {
      rows.push([role === "plain" ? `point ${text}` : text, formatValue(axis.value(id)), ""]);
    }
    if (ghost) rows.push(["asked for", formatValue(axis.ghost(ghost)), ""]);
    return { title: axis.label, how: axis.better === "higher" ? "higher is better: nearer to the middle" : "", rows };
  };
  /**
   * @param {number | null} a
   * @param {boolean} [spoken]
   */
  const point = (a, spoken = false) => {
    if (a === hovered && !spoken) return;
    hovered = a;
    sheet.touched();
    if (a === null || !plan) {
      tip.hide();
      return;
    }
    tip.show(tell(axes[a]), ...placeAt(a, 1), sheet.width, sheet.height);
    if (spoken) setText(says, data.current === null ? axes[a].label : sayPoint(data, data.current, [axes[a]]));
  };
  const { canvas } = sheet;
  canvas.addEventListener("pointermove", (event) => {
    if (!isDrawn() || !plan) return;
    const [x, y] = placeOf(event);
    const [dx, dy] = [x - plan.x, y - plan.y];
    const far = Math.hypot(dx, dy);
    if (far < 0.1 * plan.radius || far > plan.radius + 3 * REACH_OF_LABEL) {
      point(null);
      return;
    }
    const facing = plan.spokes.map(([a, b]) => a * dx + b * dy);
    point(facing.indexOf(Math.max(...facing)));
  });
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("blur", () => point(null));
  canvas.addEventListener("keydown", (event) => {
    if (!isDrawn() || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (step) point(hovered === null ? 0 : (hovered + step + axes.length) % axes.length, true);
    else if (event.key === "Escape" && hovered !== null) point(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    root,
    /**
     * @param {Data} next
     * @param {boolean} same
     */
    draw(next, same) {
      data = next;
      axes = scaledAxes(data);
      if (!same) {
        plan = NOT_LAID;
        hovered = null;
        tip.hide();
      }
      const few = `A radar needs three quantities or more of which one end is better; here ${axes.length === 1 ? "is one" : `are ${axes.length}`}. The map shows them.`;
      setText(words, isDrawn() ? "" : few);
      setShown(words, !isDrawn());
      const here = data.current === null ? "" : ` ${sayPoint(data, data.current, axes)}`;
      sheet.label(isDrawn() ? `Radar of ${axes.length} quantities, the nearer to the middle the better: ${sayPoints(data)}.${here} Arrow keys go from axis to axis.` : few);
      sheet.changed();
    },
    /** @param {number | null} id */
    link(id) {
      if (linked === id) return;
      linked = id;
      sheet.touched();
    },
    /** @param {Ghost | null} next */
    ghost(next) {
      const other = (ghost === null) !== (next === null);
      ghost = next;
      if (other) sheet.changed(); // the legend
      else sheet.touched();
    },
    recolour: sheet.changed,
    picture: sheet.picture,
    destroy: sheet.destroy,
  };
}

/**
 * @param {ScaledAxis[]} axes
 * @param {number} width
 * @param {number} height
 */
function layRadar(axes, width, height) {
  const top = 24;
  const side = Math.min(110, 0.2 * width);
  /** @type {RadarPlan} */
  const plan = {
    x: width / 2,
    y: top + (height - top) / 2 - 4,
    radius: Math.max(20, Math.min(width / 2 - side, (height - top) / 2 - 26)),
    spokes: axes.map((_, a) => {
      const angle = (2 * Math.PI * a) / axes.length - Math.PI / 2;
      return [Math.cos(angle), Math.sin(angle)];
    }),
  };
  return plan;
}

/**
 * Between the first two axes: better is nearer to the middle.
 * @param {CanvasRenderingContext2D} brush
 * @param {RadarPlan} plan
 * @param {Colours} colours
 */
function drawInwards(brush, plan, colours) {
  const half = Math.PI / plan.spokes.length;
  const angle = half - Math.PI / 2;
  const way = [Math.cos(angle), Math.sin(angle)];
  const far = Math.max(36, 0.72 * plan.radius * Math.cos(half));
  drawBetter(brush, colours, plan.x + far * way[0], plan.y + far * way[1], [-way[0], -way[1]]);
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {ScaledAxis[]} axes
 * @param {RadarPlan} plan
 * @param {(a: number, share: number) => [number, number]} placeAt
 * @param {Colours} colours
 * @param {number} width
 */
function drawWeb(brush, axes, plan, placeAt, colours, width) {
  brush.strokeStyle = colours.line;
  brush.lineWidth = 1;
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    brush.beginPath();
    for (const a of axes.keys()) brush.lineTo(...placeAt(a, share));
    brush.closePath();
    if (share === 1) brush.strokeStyle = colours.edge;
    brush.stroke();
  }
  brush.strokeStyle = colours.line;
  brush.beginPath();
  for (const a of axes.keys()) {
    brush.moveTo(plan.x, plan.y);
    brush.lineTo(...placeAt(a, 1));
  }
  brush.stroke();
  // As many names as there is room for at the sides; all of them are told when the pointer is near.
  brush.font = fontOf(colours, axes.length > 16 ? 10 : 11, 600);
  axes.forEach((axis, a) => {
    const [x, y] = placeAt(a, 1);
    const [dx, dy] = plan.spokes[a];
    const align = dx > 0.2 ? "left" : dx < -0.2 ? "right" : "center";
    /** @type {[number, number]} */
    const at = [x + 9 * dx, y + (Math.abs(dx) < 0.2 ? 12 : 9) * dy];
    const room = align === "left" ? width - at[0] - 4 : align === "right" ? at[0] - 4 : axes.length > 12 ? 44 : 150;
    drawText(brush, colours, fitText(brush, axis.name, Math.max(18, room)), ...at, { colour: colours.ink, align });
  });
}
