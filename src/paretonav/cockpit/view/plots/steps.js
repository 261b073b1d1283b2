// @ts-check
// Every quantity over the steps that lead here: what each step was predicted to come to beside what it came to.

/** @import { Axis, ChartActions, Colours, Data, Ghost, Maybe, StepsPanel, Told, Way } from "../types.js" */

import { build, setShown, setText } from "../dom.js";
import { formatKnown, isNumber } from "../numbers.js";
import { tellWithError } from "../units.js";
import { called } from "../words.js";
import { betterTowards } from "./better.js";
import { placeOf } from "./hits.js";
import { drawLegend, drawMark, drawText, fitText, fontOf, roleOf, sizeOfMark } from "./marks.js";
import { createPress, toggled } from "./press.js";
import { createSheet } from "./sheet.js";
import { rangeOf, roomy, ticksOf } from "./ticks.js";
import { createTip } from "./tip.js";
import { capital, nameOfPoint, wayOfPoint } from "./told.js";

const MOST = 12; // quantities at once: more would be too small to read
const WIDE = 1.7; // the shape of a quantity's part: its width by its height
const ERRORS = 2; // standard errors to each side
const ASIDE = 5; // pixels from a point's place, to the left what was predicted, to the right what came
const TOP = 20; // pixels for what the marks mean
const NAME = 18; // pixels for a name
const NUMBERS = 16; // pixels for the numbers of the points

/**
 * The chart "Steps".
 * @param {{ now: Colours }} palette
 * @param {ChartActions} actions
 */
export function createSteps(palette, actions) {
  let data = /** @type {Data} */ (/** @type {unknown} */ (null)); // until it is drawn first
  /** @type {Ghost | null} */
  let ghost = null;
  /** @type {StepsPanel[]} */
  let panels = [];
  /** @type {{ panel: number, slot: number } | null} */
  let hovered = null;
  /** @type {number | null} */
  let linked = null; // a point that another chart points at
  const chosen = build("select", { class: "pn-choice", "aria-label": "Which quantities", onchange: () => changed() });
  let offered = "";
  const left = build("span", { class: "pn-hint" });
  const sheet = createSheet({ still: paintStill, live: paintLive });
  const tip = createTip(sheet.root);
  const words = build("p", { class: "pn-sheet-words" });
  const says = build("p", { class: "pn-visually-hidden", role: "status" });
  sheet.root.append(words);
  const root = build("div", { class: "pn-chart" }, build("div", { class: "pn-chart-top" }, chosen, left), sheet.root, says);
  const press = createPress({ choose: (id) => actions.select(toggled(data.selected, id)), go: (id) => data.live && actions.go(id) });

  /** @returns {Way | null} */
  const way = () => data?.state.way ?? null;
  const isDrawn = () => (way()?.points.length ?? 0) > 1 || (way() !== null && ghost !== null);
  const all = () => {
    const kinds = { losses: "loss", metrics: "metric" };
    const wanted = chosen.value;
    return data.shown.map((axis, i) => ({ axis, i })).filter(({ axis, i }) => wanted === "" || wanted === `${i}` || kinds[/** @type {"losses"} */ (wanted)] === axis.kind);
  };

  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {number} width
   * @param {number} height
   */
  function paintStill(brush, width, height) {
    const steps = way();
    if (!data || !steps || !isDrawn()) return;
    const colours = palette.now;
    panels = layPanels(all().slice(0, MOST), steps, ghost, width, height, brush, colours);
    drawLegend(brush, colours, [
      { role: "ghost", text: "predicted", lines: false },
      { role: "plain", text: "came to", lines: false },
      ...(steps.errors.flat().some(isNumber) ? [{ role: /** @type {const} */ ("way"), text: `\u00b1 ${ERRORS} standard errors of the change`, lines: true }] : []),
    ], 6, 9, width - 12);
    for (const panel of panels) {
      drawFrame(brush, panel, steps, colours);
      drawWay(brush, panel, steps, colours);
    }
  }
  /**
   * What is known of a quantity at a place along the way: what was predicted, or is now, and what came.
   * @param {StepsPanel} panel
   * @param {Way} steps
   * @param {number} slot
   */
  const at = ({ i, axis }, steps, slot) => {
    if (slot >= steps.points.length) return { value: null, error: null, expected: ghost ? axis.ghost(ghost) : null, expectedError: null };
    return { value: steps.values[i][slot], error: steps.errors[i][slot], expected: steps.predicted[i][slot], expectedError: steps.predicted_errors[i][slot] };
  };
  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {StepsPanel} panel
   * @param {Way} steps
   * @param {Colours} colours
   */
  const drawWay = (brush, panel, steps, colours) => {
    const slots = steps.points.map((_, slot) => ({ slot, ...at(panel, steps, slot) }));
    brush.save();
    brush.strokeStyle = colours.accent;
    brush.lineWidth = 1.5;
    brush.globalAlpha = 0.55;
    brush.beginPath();
    for (const { slot, value } of slots) if (isNumber(value)) brush.lineTo(panel.x(slot) + (slot ? ASIDE : 0), panel.y(value));
    brush.stroke();
    brush.globalAlpha = 1;
    const small = panel.x(1) - panel.x(0) < 26;
    for (const { slot, value, error, expected, expectedError } of slots) {
      const before = slots[slot - 1]?.value;
      const x = panel.x(slot);
      if (isNumber(expected)) {
        if (isNumber(before)) dashed(brush, colours, [panel.x(slot - 1) + (slot > 1 ? ASIDE : 0), panel.y(before)], [x - ASIDE, panel.y(expected)]);
        whisker(brush, colours.ghost, panel, x - ASIDE, expected, expectedError);
        drawMark(brush, colours, "ghost", x - ASIDE, panel.y(expected), { size: small ? 2.4 : 3.4 });
      }
      if (!isNumber(value)) continue;
      const role = roleOf(data, steps.points[slot]);
      const shown = role === "worse" ? "plain" : role;
      whisker(brush, colours.accent, panel, x + (slot ? ASIDE : 0), value, error);
      drawMark(brush, colours, shown, x + (slot ? ASIDE : 0), panel.y(value), { size: (small ? 0.6 : 0.8) * sizeOfMark(shown) });
    }
    brush.restore();
  };

  /** @param {CanvasRenderingContext2D} brush */
  function paintLive(brush) {
    const steps = way();
    if (!data || !steps || !isDrawn()) return;
    const colours = palette.now;
    for (const panel of panels) {
      const expected = ghost ? panel.axis.ghost(ghost) : null;
      const last = steps.values[panel.i]?.at(-1);
      if (isNumber(expected) && isNumber(last)) {
        const x = panel.x(steps.points.length);
        const y = Math.max(panel.box.top - 4, Math.min(panel.box.bottom + 4, panel.y(expected)));
        dashed(brush, colours, [panel.x(steps.points.length - 1) + (steps.points.length > 1 ? ASIDE : 0), panel.y(last)], [x, y]);
        drawMark(brush, colours, "ghost", x, y, { size: 5, hollow: !ghost?.sure });
      }
    }
    const slot = hovered ? hovered.slot : linked === null ? -1 : steps.points.indexOf(linked);
    if (slot < 0) return;
    brush.save();
    brush.globalAlpha = 0.13;
    brush.fillStyle = colours.ink;
    for (const { x, box } of panels) brush.fillRect(x(slot) - ASIDE - 7, box.top, 2 * ASIDE + 14, box.bottom - box.top);
    brush.restore();
  }

  /**
   * @param {StepsPanel} panel
   * @param {number} slot
   * @returns {Told}
   */
  const tell = (panel, slot) => {
    const steps = /** @type {Way} */ (way());
    const { value, error, expected, expectedError } = at(panel, steps, slot);
    const before = slot > 0 ? steps.values[panel.i][slot - 1] : null;
    /** @type {(text: string, value: Maybe<number>, error: Maybe<number>) => [string, string, string][]} */
    const row = (text, now, of) => (isNumber(now) ? [[text, formatKnown(now, of), isNumber(before) ? tellWithError(now - before, of, before, data.units) : ""]] : []);
    const id = steps.points[slot];
    const asked = id === undefined;
    return {
      title: asked ? "Asked for now" : capital(nameOfPoint(data, id)),
      how: asked ? "" : wayOfPoint(data, id),
      rows: [[panel.axis.label, "", ""], ...row("predicted", expected, expectedError), ...row("came to", value, error)],
      note: asked ? "" : (data.points.note?.[id] ?? ""),
      hint: asked || id === data.current ? "" : data.live ? "Click to compare, double-click to go there." : "Click to compare.",
    };
  };
  /**
   * The same for who listens.
   * @param {StepsPanel} panel
   * @param {number} slot
   */
  const say = (panel, slot) => {
    const { title, rows } = tell(panel, slot);
    return `${title}: ${panel.axis.label} ${(rows ?? []).slice(1).map((row) => row.filter(Boolean).join(" ")).join(", ")}.`;
  };
  /**
   * @param {{ panel: number, slot: number } | null} next
   * @param {boolean} [spoken]
   */
  const point = (next, spoken = false) => {
    if (next === null && hovered === null) return;
    const moved = next?.panel !== hovered?.panel || next?.slot !== hovered?.slot;
    hovered = next;
    if (!moved && !spoken) return;
    sheet.touched();
    if (!next) {
      actions.point(null);
      tip.hide();
      return;
    }
    const panel = panels[next.panel];
    const steps = /** @type {Way} */ (way());
    const id = steps.points[next.slot];
    actions.point(id ?? null);
    const { value, expected } = at(panel, steps, next.slot);
    tip.show(tell(panel, next.slot), panel.x(next.slot), panel.y(value ?? expected ?? 0), sheet.width, sheet.height);
    if (spoken) setText(says, say(panel, next.slot));
  };
  const slots = () => (way()?.points.length ?? 0) + (ghost ? 1 : 0);
  /** @param {[number, number]} place */
  const nearest = ([x, y]) => {
    const panel = panels.findIndex(({ box, top }) => x >= box.left - 30 && x <= box.right + 12 && y >= top && y <= box.bottom + NUMBERS);
    if (panel < 0) return null;
    const apart = panels[panel].x(1) - panels[panel].x(0);
    const slot = Math.max(0, Math.min(slots() - 1, Math.round((x - panels[panel].x(0)) / (apart || 1))));
    return { panel, slot };
  };
  const { canvas } = sheet;
  canvas.addEventListener("pointermove", (event) => {
    if (isDrawn()) point(nearest(placeOf(event)));
  });
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("blur", () => point(null));
  canvas.addEventListener("click", (event) => {
    const near = isDrawn() ? nearest(placeOf(event)) : null;
    const id = near ? way()?.points[near.slot] : undefined;
    if (id !== undefined) press.press(id);
  });
  canvas.addEventListener("keydown", (event) => {
    if (!isDrawn() || panels.length === 0 || event.ctrlKey || event.metaKey || event.altKey || !act(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  /** @param {string} key */
  const act = (key) => {
    const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const [along, over] = ways[/** @type {"ArrowLeft"} */ (key)] ?? [0, 0];
    const id = hovered ? way()?.points[hovered.slot] : undefined;
    if (along || over) {
      const from = hovered ?? { panel: 0, slot: (way()?.points.length ?? 1) - 1 };
      const panel = (from.panel + (hovered ? along : 0) + panels.length) % panels.length;
      point({ panel, slot: Math.max(0, Math.min(slots() - 1, from.slot + (hovered ? over : 0))) }, true);
    } else if (key === " " && id !== undefined) actions.select(toggled(data.selected, id));
    else if (key === "Enter" && data.live && id !== undefined) actions.go(id);
    else if (key === "Escape" && hovered !== null) point(null);
    else return false;
    return true;
  };

  const offer = () => {
    const { shown } = data;
    const both = new Set(shown.map(({ kind }) => kind)).size > 1;
    const options = [["", "all quantities"], ...(both ? [["losses", "losses"], ["metrics", "metrics"]] : []), ...shown.map(({ label }, i) => [`${i}`, label])];
    const key = JSON.stringify(options);
    if (key === offered) return;
    const { value } = chosen;
    const first = offered === "";
    offered = key;
    chosen.replaceChildren(...options.map(([one, text]) => build("option", { value: one, text })));
    if (first) chosen.value = shown.length > MOST && both ? "losses" : "";
    else if (options.some(([one]) => one === value)) chosen.value = value;
  };
  const changed = () => {
    if (!data) return;
    hovered = null;
    tip.hide();
    const more = all().length - MOST;
    setText(left, more > 0 ? `${more} more: choose one` : "");
    setText(words, isDrawn() ? "" : "Once there has been a step, this shows what it was predicted to bring, and what it brought.");
    setShown(words, !isDrawn());
    sheet.label(describe());
    sheet.changed();
  };
  const describe = () => {
    const steps = way();
    const many = (steps?.points.length ?? 1) - 1;
    const last = steps ? called(data.points.name?.[steps.points[many]]) : "";
    const to = steps ? ` to point ${steps.points[many]}${last}` : "";
    return `Steps: ${all().length} quantities over ${many === 1 ? "1 step" : `${many} steps`}${to}, what was predicted beside what came. Left and right go from point to point, up and down from quantity to quantity; Space chooses${data.live ? ", Enter goes there" : ""}.`;
  };

  return {
    root,
    /**
     * @param {Data} next
     * @param {boolean} same
     */
    draw(next, same) {
      data = next;
      offer();
      if (!same) changed();
    },
    /** @param {number | null} id */
    link(id) {
      if (linked === id) return;
      linked = id;
      sheet.touched();
    },
    /** @param {Ghost | null} given */
    ghost(given) {
      const next = given?.from === undefined ? given : null; // the way to a place need not be the next step from here
      const other = (ghost === null) !== (next === null);
      ghost = next;
      if (other) changed(); // there is one place more or less
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
 * Where each quantity is: parts of about the same shape, row by row.
 * @param {{ axis: Axis, i: number }[]} chosen
 * @param {Way} way
 * @param {Ghost | null} ghost
 * @param {number} width
 * @param {number} height
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @returns {StepsPanel[]}
 */
function layPanels(chosen, way, ghost, width, height, brush, colours) {
  const high = height - TOP;
  const columns = Math.max(1, Math.min(chosen.length, Math.round(Math.sqrt((chosen.length * width) / (WIDE * high)))));
  const rows = Math.ceil(chosen.length / columns);
  const slots = way.points.length + (ghost ? 1 : 0);
  brush.font = fontOf(colours, 10);
  return chosen.map(({ axis, i }, k) => {
    const top = TOP + (high * Math.floor(k / columns)) / rows;
    const start = (width * (k % columns)) / columns;
    const known = way.values[i].flatMap((value, slot) => ends(value, way.errors[i][slot]));
    const expected = way.predicted[i].flatMap((value, slot) => ends(value, way.predicted_errors[i][slot]));
    const range = roomy(rangeOf([...known, ...expected, ghost ? axis.ghost(ghost) : null]), 0.1);
    const bottom = top + high / rows - NUMBERS - 2;
    const ticks = ticksOf(range, Math.max(2, Math.floor((bottom - top - NAME) / 40)));
    const box = { left: start + 10 + Math.max(14, ...ticks.map(({ text }) => brush.measureText(text).width)), top: top + NAME, right: start + width / columns - 12, bottom };
    const apart = (box.right - box.left - 2 * ASIDE - 14) / Math.max(1, slots - 1);
    return {
      i, axis, box, top, ticks,
      x: (slot) => box.left + ASIDE + 7 + (slots > 1 ? apart * slot : 0),
      y: (value) => box.bottom - ((box.bottom - box.top) * (value - range[0])) / (range[1] - range[0]),
    };
  });
}

/**
 * @param {Maybe<number>} value
 * @param {Maybe<number>} error
 */
function ends(value, error) {
  return isNumber(value) ? [value - ERRORS * (error ?? 0), value + ERRORS * (error ?? 0)] : [];
}

/**
 * The name of a quantity, which way is better, its scale, and the numbers of the points.
 * @param {CanvasRenderingContext2D} brush
 * @param {StepsPanel} panel
 * @param {Way} way
 * @param {Colours} colours
 */
function drawFrame(brush, { axis, box, top, ticks, x, y }, way, colours) {
  brush.strokeStyle = colours.line;
  brush.lineWidth = 1;
  brush.beginPath();
  for (const { value } of ticks) {
    brush.moveTo(box.left, Math.round(y(value)) + 0.5);
    brush.lineTo(box.right, Math.round(y(value)) + 0.5);
  }
  brush.stroke();
  brush.font = fontOf(colours, 10);
  for (const { value, text } of ticks) drawText(brush, colours, text, box.left - 5, y(value), { align: "right", halo: false });
  let free = -Infinity;
  way.points.forEach((id, slot) => {
    const half = brush.measureText(`${id}`).width / 2 + 2;
    if (x(slot) - half < free) return;
    free = x(slot) + half;
    drawText(brush, colours, `${id}`, x(slot), box.bottom + 9, { halo: false });
  });
  const word = axis.better === null ? "" : betterTowards([0, axis.better === "lower" ? 1 : -1]);
  brush.font = fontOf(colours, 11, 600);
  const wide = word ? brush.measureText(word).width + 8 : 0;
  drawText(brush, colours, fitText(brush, axis.name, box.right - box.left - wide), box.left, top + NAME / 2, { colour: colours.ink, align: "left", halo: false });
  if (word) drawText(brush, colours, word, box.right, top + NAME / 2, { colour: colours.better, align: "right", halo: false });
}

/**
 * Two standard errors to each side.
 * @param {CanvasRenderingContext2D} brush
 * @param {string} colour
 * @param {StepsPanel} panel
 * @param {number} x
 * @param {number} value
 * @param {Maybe<number>} error
 */
function whisker(brush, colour, { y }, x, value, error) {
  if (!isNumber(error) || error <= 0) return;
  const [low, high] = [y(value - ERRORS * error), y(value + ERRORS * error)];
  brush.strokeStyle = colour;
  brush.lineWidth = 1.2;
  brush.beginPath();
  brush.moveTo(x, low);
  brush.lineTo(x, high);
  for (const end of [low, high]) {
    brush.moveTo(x - 2.5, end);
    brush.lineTo(x + 2.5, end);
  }
  brush.stroke();
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {number[]} from
 * @param {number[]} to
 */
function dashed(brush, colours, from, to) {
  brush.save();
  brush.setLineDash([3, 3]);
  brush.lineWidth = 1.2;
  brush.strokeStyle = colours.ghost;
  brush.beginPath();
  brush.moveTo(from[0], from[1]);
  brush.lineTo(to[0], to[1]);
  brush.stroke();
  brush.restore();
}
