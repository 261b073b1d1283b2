// @ts-check
// Parallel axes: every point is a line over all quantities, the better the lower.

/** @import { ChartActions, Colours, Data, Ghost, LinesPlan, Pointed, Role, ScaledAxis, Stroke, Told } from "../types.js" */

import { build, setAttribute, setText } from "../dom.js";
import { formatValue } from "../numbers.js";
import { drawBetter } from "./better.js";
import { isSeen, rangeOfShares, withRange } from "./filter.js";
import { placeOf } from "./hits.js";
import { drawLegend, drawMark, drawText, fitText, fontOf, sizeOfMark } from "./marks.js";
import { createPress, toggled } from "./press.js";
import { legendOf } from "./legend.js";
import { emphasised, scaledAxes } from "./scaled.js";
import { createSheet } from "./sheet.js";
import { createTip } from "./tip.js";
import { sayPoint, sayPoints, tellPoint } from "./told.js";

const NOT_LAID = /** @type {any} */ (null); // until it is drawn again
const REACH_OF_LINE = 8;
const UPRIGHT_BELOW = 62; // pixels between axes, below which their names stand upright
const NUMBERS = 32; // pixels for a number that stands upright
const BEYOND = 4; // pixels that a line may leave an axis
const BRUSH = 10; // pixels of the width of a range on an axis
const STILL = 4; // pixels that a press may move and be a press
const SIDE = 16; // pixels at the left, for what says which way is better

/**
 * The chart "Lines".
 * @param {{ now: Colours }} palette
 * @param {ChartActions} actions
 */
export function createLines(palette, actions) {
  let data = /** @type {Data} */ (/** @type {unknown} */ (null)); // until it is drawn first
  /** @type {Ghost | null} */
  let ghost = null;
  /** @type {ScaledAxis[]} */
  let axes = [];
  let plan = /** @type {LinesPlan} */ (NOT_LAID);
  /** @type {Float64Array[]} */
  let shares = []; // [axis][id]
  /** @type {Pointed | null} */
  let hovered = null; // { id, axis }
  /** @type {number | null} */
  let linked = null; // a point that another chart points at
  /** @type {{ axis: number, from: number, to: number } | null} */
  let brushing = null; // { axis, from, to }: a range that is being drawn, in shares
  const sheet = createSheet({ still: paintStill, live: paintLive });
  const tip = createTip(sheet.root);
  const says = build("p", { class: "pn-visually-hidden", role: "status" });
  const root = build("div", { class: "pn-chart" }, sheet.root, says);
  const press = createPress({ choose: (id) => actions.select(toggled(data.selected, id)), go: (id) => data.live && actions.go(id) });

  /** @param {number} share */
  const yOf = (share) => Math.max(plan.top - BEYOND, Math.min(plan.bottom + BEYOND, plan.bottom - (plan.bottom - plan.top) * share));
  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {(a: number) => number} shareAt
   */
  const trace = (brush, shareAt) => {
    let drawing = false;
    /** @type {[number, number] | null} */
    let alone = null; // a value between two missing ones
    const dot = () => {
      if (alone) brush.rect(alone[0] - 1.5, alone[1] - 1.5, 3, 3);
    };
    plan.xs.forEach((x, a) => {
      const share = shareAt(a);
      if (Number.isNaN(share)) {
        dot();
        alone = null;
        drawing = false;
        return;
      }
      const y = yOf(share);
      if (drawing) brush.lineTo(x, y);
      else brush.moveTo(x, y);
      alone = drawing ? null : [x, y];
      drawing = true;
    });
    dot();
  };
  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {(a: number) => number} shareAt
   * @param {Stroke} of
   */
  const line = (brush, shareAt, { colour, width, dash = [], alpha = 1 }) => {
    brush.save();
    brush.globalAlpha = alpha;
    brush.strokeStyle = colour;
    brush.lineWidth = width;
    brush.setLineDash(dash);
    brush.beginPath();
    trace(brush, shareAt);
    brush.stroke();
    brush.restore();
  };

  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {Colours} colours
   * @param {Role} role
   * @param {(a: number) => number} shareAt
   */
  const dots = (brush, colours, role, shareAt) => {
    plan.xs.forEach((x, a) => {
      const share = shareAt(a);
      if (!Number.isNaN(share)) drawMark(brush, colours, role, x, yOf(share), { size: 0.6 * sizeOfMark(role) });
    });
  };

  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {number} width
   * @param {number} height
   */
  function paintStill(brush, width, height) {
    if (!data) return;
    const colours = palette.now;
    plan = layLines(axes, width, height, brush, colours);
    drawLegend(brush, colours, legendOf(data, { ghost, lines: true }), 6, 10, width - 12);
    drawAxes(brush, axes, plan, colours);
    drawBetter(brush, colours, 9, (plan.top + plan.bottom) / 2, [0, 1]);
    const batch = data.count > 200 ? 20 : 1; // the more there are, the fainter
    brush.strokeStyle = colours.edge;
    brush.lineWidth = 1;
    brush.globalAlpha = Math.max(0.14, Math.min(0.55, 6 / Math.sqrt(data.count)));
    const strong = brush.globalAlpha;
    // First, next to nothing of the lines that are not looked at.
    for (const seen of data.passing ? [false, true] : [true]) {
      brush.globalAlpha = seen ? strong : 0.12 * strong;
      for (let first = 0; first < data.count; first += batch) {
        brush.beginPath();
        for (let id = first; id < Math.min(data.count, first + batch); id += 1) {
          if (isSeen(data, id) === seen) trace(brush, (a) => shares[a][id]);
        }
        brush.stroke();
      }
    }
    brush.globalAlpha = 1;
    axes.forEach((axis, a) => {
      const range = data.filter.ranges.get(axis.key);
      if (!range) return;
      const [one, other] = range.map((end, i) => axis.share(end ?? axis.range?.[i]));
      drawRange(brush, colours, a, one, other);
    });
    const starred = (data.points.star ?? []).filter(Boolean).length;
    (data.points.star ?? []).forEach((on, id) => {
      if (on && isSeen(data, id)) line(brush, (a) => shares[a][id], { colour: colours.star, width: 1.6, alpha: starred > 4 ? 0.5 : 1 });
    });
    for (const one of emphasised(data, colours)) {
      if (one.role === "plain" && !isSeen(data, one.id)) continue;
      line(brush, (a) => shares[a][one.id], { colour: colours.back, width: one.width + 2.5 });
      line(brush, (a) => shares[a][one.id], one);
      if (one.role !== "plain") dots(brush, colours, one.role, (a) => shares[a][one.id]);
    }
  }
  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {Colours} colours
   * @param {number} a
   * @param {number} one
   * @param {number} other
   */
  const drawRange = (brush, colours, a, one, other) => {
    const [top, bottom] = [one, other].map((share) => yOf(Number.isNaN(share) ? 0 : share)).sort((p, q) => p - q);
    brush.save();
    brush.globalAlpha = 0.25;
    brush.fillStyle = colours.accent;
    brush.fillRect(plan.xs[a] - BRUSH / 2, top, BRUSH, bottom - top);
    brush.globalAlpha = 1;
    brush.strokeStyle = colours.accent;
    brush.lineWidth = 1.5;
    brush.strokeRect(plan.xs[a] - BRUSH / 2, top, BRUSH, bottom - top);
    brush.restore();
  };
  /** @param {CanvasRenderingContext2D} brush */
  function paintLive(brush) {
    if (!data || !plan) return;
    const colours = palette.now;
    if (brushing) drawRange(brush, colours, brushing.axis, brushing.from, brushing.to);
    const pointed = hovered ? hovered.id : linked;
    const led = ghost;
    if (led) {
      /** @param {number} a */
      const at = (a) => axes[a].share(axes[a].ghost(led));
      line(brush, at, { colour: colours.back, width: 4.5, alpha: 0.8 });
      line(brush, at, { colour: colours.ghost, width: 2.2, dash: led.sure ? [6, 4] : [2, 4] });
      dots(brush, colours, "ghost", at);
    }
    if (hovered) {
      const x = plan.xs[hovered.axis];
      brush.strokeStyle = colours.ink;
      brush.lineWidth = 1.5;
      brush.beginPath();
      brush.moveTo(x, plan.top);
      brush.lineTo(x, plan.bottom);
      brush.stroke();
    }
    if (pointed !== null && pointed < data.count) line(brush, (a) => shares[a][pointed], { colour: colours.ink, width: 2 });
  }

  /** @param {[number, number]} pair */
  const nearest = ([x, y]) => {
    const axis = plan.xs.reduce((best, at, a) => (Math.abs(at - x) < Math.abs(plan.xs[best] - x) ? a : best), 0);
    const left = Math.max(0, plan.xs.filter((at) => at <= x).length - 1);
    const right = Math.min(plan.xs.length - 1, left + 1);
    const gap = plan.xs[right] - plan.xs[left];
    const part = gap > 0 ? Math.max(0, Math.min(1, (x - plan.xs[left]) / gap)) : 0;
    /** @type {number | null} */
    let id = null;
    let least = REACH_OF_LINE;
    for (let i = 0; i < data.count; i += 1) {
      if (!isSeen(data, i)) continue;
      const far = Math.abs(yOf(shares[left][i]) * (1 - part) + yOf(shares[right][i]) * part - y);
      // Of lines that lie on each other, one that is emphasised.
      if (far < least - 1e-9 || (far <= least && (i === data.current || data.picks.has(i)))) {
        least = far;
        id = i;
      }
    }
    return { axis, id };
  };
  /** @type {(axis: ScaledAxis) => Told} */
  const tellAxis = (axis) => {
    /** @type {[string, string, string][]} */
    const now = data.current === null ? [] : [["now", formatValue(axis.value(data.current)), ""]];
    /** @type {[string, string, string][]} */
    const asked = ghost ? [["asked for", formatValue(axis.ghost(ghost)), ""]] : [];
    /** @type {[string, string, string][]} */
    const rows = [
      ["best", formatValue(axis.best), ""],
      ["worst", formatValue(axis.worst), ""],
      ...now,
      ["start", formatValue(axis.value(0)), ""],
      ...asked,
    ];
    return { title: axis.label, how: axis.better === "higher" ? "higher is better: drawn upside down" : "", rows };
  };
  /**
   * @param {Pointed | null} next
   * @param {[number, number] | null} [at]
   * @param {boolean} [spoken]
   */
  const point = (next, at = null, spoken = false) => {
    if (next === null) {
      if (!hovered) return;
      hovered = null;
      actions.point(null);
      tip.hide();
      sheet.touched();
      return;
    }
    const moved = hovered?.id !== next.id || hovered?.axis !== next.axis;
    hovered = next;
    if (moved) actions.point(next.id);
    if (moved) sheet.touched();
    const axis = axes[next.axis];
    const told = next.id === null ? tellAxis(axis) : tellPoint(data, next.id, [axis]);
    const [x, y] = at ?? [plan.xs[next.axis], next.id === null ? plan.top : yOf(shares[next.axis][next.id] || 0)];
    tip.show(told, x, y, sheet.width, sheet.height);
    if (spoken) setText(says, next.id === null ? axis.label : sayPoint(data, next.id, [axis]));
  };

  const { canvas } = sheet;
  /** @param {number} y */
  const shareAt = (y) => Math.max(0, Math.min(1, (plan.bottom - y) / (plan.bottom - plan.top)));
  /** @type {{ axis: number, y: number, pointer: number } | null} */
  let held = null; // where a press on an axis began: { axis, y, pointer }
  let brushed = false; // whether the click that ends a press ends a brush
  canvas.addEventListener("pointerdown", (event) => {
    brushed = false;
    if (!plan || axes.length === 0 || event.button !== 0 || event.pointerType === "touch") return;
    const [x, y] = placeOf(event);
    const { axis } = nearest([x, y]);
    if (Math.abs(plan.xs[axis] - x) > BRUSH || !axes[axis].known) return;
    held = { axis, y, pointer: event.pointerId };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!plan || axes.length === 0) return;
    const at = placeOf(event);
    if (held && (brushing || Math.abs(at[1] - held.y) > STILL)) {
      brushing = { axis: held.axis, from: shareAt(held.y), to: shareAt(at[1]) };
      point(null);
      sheet.touched();
      return;
    }
    const near = nearest(at);
    setAttribute(canvas, "data-grip", Math.abs(plan.xs[near.axis] - at[0]) <= BRUSH ? "brush" : null);
    point(near, at);
  });
  /** @param {PointerEvent} event */
  const release = (event) => {
    if (!held) return;
    const { axis, y } = held;
    const drawn = brushing;
    held = null;
    brushing = null;
    brushed = drawn !== null;
    const { key } = axes[axis] ?? {};
    const range = key && data.filter.ranges.get(key);
    if (drawn && event.type === "pointerup") actions.filter(withRange(data.filter, key, rangeOfShares(axes[axis], drawn.from, drawn.to)));
    else if (range) {
      // A press on a range without a move takes it away.
      const [one, other] = range.map((end) => (end === null ? null : axes[axis].share(end)));
      const share = shareAt(y);
      brushed = share >= Math.min(one ?? 0, other ?? 0) - 0.01 && share <= Math.max(one ?? 1, other ?? 1) + 0.01;
      if (brushed) actions.filter(withRange(data.filter, key, null));
    }
    sheet.touched();
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("click", (event) => {
    if (!plan || axes.length === 0 || brushed) return;
    const { id } = nearest(placeOf(event));
    if (id !== null) press.press(id);
  });
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("blur", () => point(null));
  canvas.addEventListener("keydown", (event) => {
    if (!plan || axes.length === 0 || event.ctrlKey || event.metaKey || event.altKey || !act(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  /** @param {string} key */
  const act = (key) => {
    const here = hovered ?? { axis: 0, id: data.current };
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
    if (steps) point(hovered ? stepped(here, steps) : here, null, true);
    else if (key === " " && hovered && hovered.id !== null) actions.select(toggled(data.selected, hovered.id));
    else if (key === "Enter" && data.live && hovered && hovered.id !== null) actions.go(hovered.id);
    else if (key === "Escape" && hovered) point(null);
    else return false;
    return true;
  };
  /**
   * Along the axes, or to the next better or worse point on one.
   * @param {Pointed} of
   * @param {number[]} pair
   */
  const stepped = ({ axis, id }, [along, up]) => {
    if (along) return { axis: Math.max(0, Math.min(axes.length - 1, axis + along)), id };
    const order = [...Array(data.count).keys()]
      .filter((one) => !Number.isNaN(shares[axis][one]))
      .sort((one, other) => shares[axis][one] - shares[axis][other] || one - other);
    const at = id === null ? -1 : order.indexOf(id);
    return { axis, id: order[Math.max(0, Math.min(order.length - 1, at + up))] ?? id };
  };

  return {
    root,
    /**
     * @param {Data} next
     * @param {boolean} same
     */
    draw(next, same) {
      data = next;
      axes = scaledAxes(data);
      shares = axes.map((axis) => Float64Array.from({ length: data.count }, (_, id) => axis.share(axis.values[id])));
      if (!same) {
        plan = NOT_LAID;
        hovered = null;
        tip.hide();
      }
      const here = data.current === null ? "" : ` ${sayPoint(data, data.current, axes)}`;
      sheet.label(
        `Lines over ${axes.length} quantities, the lower the better: ${sayPoints(data)}.${here} ` +
          `Left and right go from axis to axis, up and down from point to point; Space chooses${data.live ? ", Enter goes there" : ""}. Drag along an axis to look at a range of it alone, as the table's columns can.`,
      );
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
    destroy() {
      press.forget();
      sheet.destroy();
    },
  };
}

/**
 * @param {ScaledAxis[]} axes
 * @param {number} width
 * @param {number} height
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 */
function layLines(axes, width, height, brush, colours) {
  const spacing = (width - SIDE) / Math.max(1, axes.length);
  const upright = spacing < UPRIGHT_BELOW;
  brush.font = fontOf(colours, 11, 600);
  const longest = Math.max(0, ...axes.map(({ name }) => brush.measureText(name).width));
  const names = axes.map(({ name }) => (upright ? [name] : inTwo(brush, name, spacing - 6)));
  const long = upright ? Math.min(longest, 0.25 * height) : 14 * Math.max(1, ...names.map((lines) => lines.length));
  const numbers = upright ? NUMBERS : 15;
  return {
    xs: axes.map((_, a) => SIDE + (a + 0.5) * spacing),
    spacing,
    upright,
    names,
    long,
    top: 22 + numbers + 8,
    bottom: height - long - 4 - numbers - 10,
  };
}

/**
 * A name in one line, or in two where it fits only so and has a space.
 * @param {CanvasRenderingContext2D} brush
 * @param {string} name
 * @param {number} width
 */
function inTwo(brush, name, width) {
  if (brush.measureText(name).width <= width) return [name];
  const spaces = [...name.matchAll(/ /g)].map(({ index }) => index);
  if (spaces.length === 0) return [name];
  const middle = spaces.reduce((best, at) => (Math.abs(at - name.length / 2) < Math.abs(best - name.length / 2) ? at : best));
  return [name.slice(0, middle), name.slice(middle + 1)];
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {ScaledAxis[]} axes
 * @param {LinesPlan} of
 * @param {Colours} colours
 */
function drawAxes(brush, axes, { xs, spacing, upright, names, long, top, bottom }, colours) {
  brush.strokeStyle = colours.edge;
  brush.lineWidth = 1;
  brush.beginPath();
  for (const x of xs) {
    brush.moveTo(Math.round(x) + 0.5, top);
    brush.lineTo(Math.round(x) + 0.5, bottom);
  }
  brush.stroke();
  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {CanvasTextAlign} align
   * @param {string} colour
   */
  const write = (text, x, y, align, colour) => {
    if (!upright) {
      drawText(brush, colours, text, x, y, { colour });
      return;
    }
    brush.save();
    brush.translate(x, y);
    brush.rotate(-Math.PI / 2);
    drawText(brush, colours, text, 0, 0, { colour, align });
    brush.restore();
  };
  axes.forEach((axis, a) => {
    brush.font = fontOf(colours, upright ? 10 : 11);
    const far = upright ? 7 : 12;
    if (axis.known) {
      write(fitText(brush, formatValue(axis.worst, upright ? 3 : 4), upright ? NUMBERS : spacing - 4), xs[a], top - far, "left", colours.faint);
      write(fitText(brush, formatValue(axis.best, upright ? 3 : 4), upright ? NUMBERS : spacing - 4), xs[a], bottom + far, "right", colours.faint);
    }
    brush.font = fontOf(colours, 11, 600);
    const y = bottom + (upright ? NUMBERS + 11 : 29);
    names[a].forEach((text, i) => {
      write(fitText(brush, text, upright ? long : spacing - 6), xs[a], y + 14 * i, "right", colours.ink);
    });
  });
}
