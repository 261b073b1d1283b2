// @ts-check
// The map: visited points by two or three of their quantities.

/** @import { Axis, BoxPlan, Camera, ChartActions, Colours, Data, FlatPlan, Ghost, SpaceBox } from "../types.js" */

import { build, setAttribute, setShown, setText } from "../dom.js";
import { isNumber } from "../numbers.js";
import { recall, remember } from "../memory.js";
import { drawFlat, drawFlatGhost, drawTarget, frontOf, ghostSpot, layFlat, spotOf } from "./flat.js";
import { isScrollable, nearestPoint, placeOf, pointTowards } from "./hits.js";
import { legendOf } from "./legend.js";
import { drawLegend, drawMark, roleOf, sizeOfMark } from "./marks.js";
import { closer, turned } from "./orbit.js";
import { createPress, toggled } from "./press.js";
import { createSheet } from "./sheet.js";
import { drawSpace, drawSpaceGhost, fillBox, planSpace } from "./space.js";
import { drawTintKey, tintOf } from "./tint.js";
import { createTip } from "./tip.js";
import { sayPoint, sayPoints, tellPoint } from "./told.js";

const HOME = { yaw: 0.72, pitch: 0.42, zoom: 1 };
const CHOSEN = "map"; // the name under which the view is remembered
const KEY = 200; // pixels for what the colours mean
const STILL = 4; // pixels that a press may move and be a press
/** @type {Record<string, number>} */
const REACH = { mouse: 12, pen: 14, touch: 24 };
/** @type {Record<string, number[]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * The chart "Map": { root, draw(data), ghost(ghost), recolour(), picture(ground), destroy() }.
 * @param {{ now: Colours }} palette
 * @param {ChartActions} actions
 */
export function createMap(palette, actions) {
  let data = /** @type {Data} */ (/** @type {unknown} */ (null)); // until it is drawn first
  /** @type {Ghost | null} */
  let ghost = null;
  /** @type {Camera} */
  let camera = HOME;
/** @type {SpaceBox | null} */
  let box = null; // in space
  /** @type {FlatPlan | null} */
  let flat = null;
  /** @type {BoxPlan | null} */
  let space = null;
  const isLaid = () => flat !== null || space !== null;
  let wasSpace = false;
  let spots = new Float64Array(0);
  /** @type {number | null} */
  let hovered = null;
  /** @type {number | null} */
  let linked = null; // a point that another chart points at
  /** @type {{ kind: "orbit" | "aim" | "press", pointer: number, from: number[], at: [number, number], moved: boolean } | null} */
  let held = null; // a press that goes on: { kind: "orbit" | "aim" | "press", from, at, moved }
  /** @type {Record<string, number> | null} */
  let aimed = null; // values that the next frame asks for
  /** @type {Data | null} */
  let later = null; // data that came while somebody aims
  let frame = 0;

  const kind = createChoice("View", () => {
    remember(CHOSEN, kind.value);
    changed();
  });
  const acrossChoice = createChoice("Across", () => changed());
  const upChoice = createChoice("Up", () => changed());
  const colourChoice = createChoice("Colour", () => changed());
  const hint = build("span", { class: "pn-hint" });
  /** @param {number | null} times */
  const zoom = (times) => {
    camera = times === null ? HOME : closer(camera, times);
    sheet.changed();
  };
  const zooms = build(
    "span",
    { class: "pn-chart-top" },
    smallButton("−", "Farther", () => zoom(1 / 1.3)),
    smallButton("+", "Closer", () => zoom(1.3)),
    smallButton("⟲", "As at first", () => zoom(null)),
  );
  zooms.style.padding = "0";
  const says = build("p", { class: "pn-visually-hidden", role: "status" });
  const sheet = createSheet({ still: paintStill, live: paintLive });
  const { canvas } = sheet;
  const tip = createTip(sheet.root);
  const root = build(
    "div",
    { class: "pn-chart" },
    build("div", { class: "pn-chart-top" }, kind.root, acrossChoice.root, upChoice.root, colourChoice.root, hint, zooms),
    sheet.root,
    says,
  );
  const press = createPress({ choose: (id) => actions.select(toggled(data.selected, id)), go: (id) => data.live && actions.go(id) });

  const isSpace = () => kind.value.startsWith("space");
  const stride = () => (isSpace() ? 3 : 2);
  /** @returns {[Axis, Axis]} */
  const twoAxes = () => {
    /** @param {string} key */
    const find = (key) => data.axes.find((axis) => axis.key === key);
    return [find(acrossChoice.value) ?? data.axes[0], find(upChoice.value) ?? data.axes[1] ?? data.axes[0]];
  };
  const threeAxes = () => data.axes.filter((axis) => axis.kind === "loss" && axis.training === (kind.value === "space")).slice(0, 3);
  const axesNow = () => (isSpace() ? threeAxes() : twoAxes());
  const canAim = () => {
    if (!data || isSpace() || data.current === null || data.state.live === false) return false;
    const [across, up] = twoAxes();
    return across.aims && up.aims && across.name !== up.name;
  };
  /**
   * What a place within the axes stands for; null outside of them.
   * @param {[number, number]} pair
   */
  const valuesAt = ([x, y]) => {
    if (!flat) return null;
    const [across, up] = twoAxes();
    const { left, right, top, bottom } = flat.box;
    if (x < left || x > right || y < top || y > bottom) return null;
    return { [across.name]: toPixel(flat.valueX(x), Math.abs(flat.valueX(1) - flat.valueX(0))), [up.name]: toPixel(flat.valueY(y), Math.abs(flat.valueY(1) - flat.valueY(0))) };
  };

  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {number} width
   * @param {number} height
   */
  function paintStill(brush, width, height) {
    if (!data) return;
    const colours = palette.now;
    const tinted = data.axes.find(({ key }) => key === colourChoice.value);
    const painted = tinted ? { ...data, tint: tintOf(tinted) } : data;
    if (box) {
      space = planSpace(box, camera, width, height);
      drawSpace(brush, painted, space, colours, spots);
    } else {
      flat = layFlat(data, twoAxes(), width, height, brush, colours);
      drawFlat(brush, painted, flat, colours, spots);
    }
    const front = data.front && (box ? threeAxes().every(({ onFront }) => onFront !== null) : frontOf(data, twoAxes()));
    const used = drawLegend(brush, colours, legendOf(data, { ghost, front }), 6, 10, tinted ? Math.min(0.55 * width, width - KEY) : width - 12);
    if (tinted) drawTintKey(brush, colours, tinted, width - 6, 10, width - used - 36);
  }
  /** @param {CanvasRenderingContext2D} brush */
  function paintLive(brush) {
    if (!data || !isLaid()) return;
    const colours = palette.now;
    if (ghost && space) drawSpaceGhost(brush, data, space, colours, ghost);
    if (ghost && flat) drawFlatGhost(brush, data, flat, colours, ghost);
    const pointed = hovered ?? linked;
    if (pointed !== null && !Number.isNaN(spots[stride() * pointed])) {
      const role = roleOf(data, pointed);
      drawMark(brush, colours, role, spots[stride() * pointed], spots[stride() * pointed + 1], { size: sizeOfMark(role) + (hovered === null ? 4 : 2) });
    }
    if (flat && held?.kind === "aim" && held.moved) drawTarget(brush, colours, flat, ...held.at);
    else if (flat && ghost?.target) {
      const [x, y] = twoAxes().map(({ name }) => ghost?.target?.[name]);
      if (isNumber(x) && isNumber(y)) drawTarget(brush, colours, flat, flat.x(x), flat.y(y), "");
    }
  }

  /** Other axes or another view: all is drawn anew. */
  const changed = () => {
    if (!data) return;
    const deep = isSpace();
    box = deep ? fillBox(data, threeAxes()) : null;
    if (spots.length !== stride() * data.count) spots = new Float64Array(stride() * data.count).fill(NaN);
    if (deep !== wasSpace) {
      flat = null;
      space = null;
    }
    wasSpace = deep;
    setShown(acrossChoice.root, !deep);
    setShown(upChoice.root, !deep);
    setShown(zooms, deep);
    sayHint();
    setAttribute(canvas, "data-grip", deep ? "orbit" : null);
    if (hovered !== null && hovered >= data.count) point(null);
    sheet.label(describe());
    sheet.changed();
  };
  const sayHint = () => {
    const grip = ghost ? "\u25c6" : "\u25cf"; // the marks of what is asked for and of now
    setText(hint, isSpace() ? "Drag to turn, wheel to zoom" : canAim() ? `Drag ${grip} to aim; press a place to see what is there` : "");
  };
  const describe = () => {
    const axes = axesNow();
    const names = axes.map(({ label }) => label);
    const tinted = data.axes.find(({ key }) => key === colourChoice.value);
    const colour = tinted ? ` Coloured by ${tinted.label}.` : "";
    const where = isSpace() ? `${names.join(", ")} in three dimensions` : `${names[0]} across, ${names[1]} up`;
    const here = data.current === null ? "" : ` ${sayPoint(data, data.current, axes)}`;
    const local = (box ? box.surface : frontOf(data, twoAxes())) ? " With what is possible from there." : "";
    const keys = isSpace()
      ? "Arrow keys turn, plus and minus zoom, Page Up and Page Down go from point to point"
      : "Arrow keys go from point to point";
    return `Map of ${where}: ${sayPoints(data)}.${here}${local}${colour} ${keys}, Space chooses${data.live ? ", Enter goes there" : ""}.`;
  };

  /**
   * Point at a visited point, by pointer or keys.
   * @param {number | null} id
   * @param {boolean} [spoken]
   */
  const point = (id, spoken = false) => {
    if (id === hovered && id === null) return;
    hovered = id;
    actions.point(id);
    sheet.touched();
    if (id === null || !data) {
      tip.hide();
      return;
    }
    const hint = id === data.current || !data.live ? "Click to compare." : "Click to compare, double-click to go there.";
    const [x, y] = [spots[stride() * id], spots[stride() * id + 1]];
    if (!Number.isNaN(x)) tip.show(tellPoint(data, id, axesNow(), spoken ? "" : hint), x, y, sheet.width, sheet.height);
    if (spoken) setText(says, sayPoint(data, id, axesNow()));
  };
  /**
   * @param {[number, number]} pair
   * @param {number} reach
   */
  const isOnGrip = ([x, y], reach) => {
    if (!canAim() || !flat || data.current === null) return false;
    const at = (ghost && ghostSpot(flat, ghost)) ?? spotOf(flat, data.current);
    if (!at) return false;
    const { left, right, top, bottom } = flat.box;
    return Math.hypot(Math.max(left, Math.min(right, at[0])) - x, Math.max(top, Math.min(bottom, at[1])) - y) <= reach;
  };
  /** @param {[number, number]} pair */
  const aimAt = ([x, y]) => {
    if (!flat) return;
    const [across, up] = twoAxes();
    const { left, right, top, bottom } = flat.box;
    /**
     * @param {(pixel: number) => number} read
     * @param {number} pixel
     */
    const value = (read, pixel) => toPixel(read(pixel), Math.abs(read(1) - read(0)));
    aimed = {
      [across.name]: value(flat.valueX, Math.max(left, Math.min(right, x))),
      [up.name]: value(flat.valueY, Math.max(top, Math.min(bottom, y))),
    };
    if (!frame) frame = requestAnimationFrame(tellAim);
  };
  const tellAim = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    // Only once the hand is off the diamond is it worth a measurement.
    if (aimed) actions.aim(aimed, held?.kind !== "aim");
    aimed = null;
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !data || !isLaid() || held) return;
    const from = placeOf(event);
    const onGrip = isOnGrip(from, REACH[event.pointerType] ?? 12);
    held = { kind: isSpace() ? "orbit" : onGrip ? "aim" : "press", pointer: event.pointerId, from, at: from, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!data || !isLaid()) return;
    const at = placeOf(event);
    if (held) {
      if (event.pointerId !== held.pointer) return;
      const before = held.at;
      held.moved ||= Math.hypot(at[0] - held.from[0], at[1] - held.from[1]) > STILL;
      if (!held.moved) return;
      held.at = at;
      point(null);
      if (held.kind !== "press") setAttribute(canvas, "data-grip", "held");
      if (held.kind === "orbit") {
        camera = turned(camera, at[0] - before[0], at[1] - before[1]);
        sheet.changed();
      }
      if (held.kind === "aim" && flat) {
        const { left, right, top, bottom } = flat.box;
        held.at = [Math.max(left, Math.min(right, at[0])), Math.max(top, Math.min(bottom, at[1]))];
        aimAt(held.at);
        sheet.touched();
      }
      return;
    }
    const id = nearestPoint(spots, stride(), data.count, ...at, REACH[event.pointerType] ?? 12);
    if (id !== hovered) point(id);
    const grip = isOnGrip(at, 12) ? "aim" : id !== null ? "point" : isSpace() ? "orbit" : null;
    setAttribute(canvas, "data-grip", grip);
  });
  /** @param {PointerEvent} event */
  const release = (event) => {
    if (!held || event.pointerId !== held.pointer) return;
    const { kind: was, moved, at } = held;
    held = null;
    setAttribute(canvas, "data-grip", isSpace() ? "orbit" : null);
    if (was === "aim" && moved) {
      aimAt(at);
      tellAim();
    }
    if (later) take(later);
    later = null;
    sheet.touched();
    if (moved || event.type === "pointercancel") return;
    const id = nearestPoint(spots, stride(), data.count, ...at, REACH[event.pointerType] ?? 12);
    if (id !== null) press.press(id);
    const place = id === null && canAim() ? valuesAt(at) : null;
    if (place) actions.place(place);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => {
    if (!held) point(null);
  });
  canvas.addEventListener("blur", () => point(null));
  // A finger on the grip aims; elsewhere it scrolls the page.
  canvas.addEventListener("touchstart", (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    const { clientX, clientY } = event.touches[0];
    if (event.cancelable && isOnGrip([clientX - left, clientY - top], REACH.touch)) event.preventDefault();
  }, { passive: false });
  canvas.addEventListener("wheel", (event) => {
    if (!isSpace()) return;
    // Who scrolls a page past the chart does not mean the chart.
    if (!event.ctrlKey && document.activeElement !== canvas && !canvas.matches(":focus") && isScrollable(canvas)) return;
    event.preventDefault();
    zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * (event.deltaMode ? 30 : 1))) / 500));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (!data || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!act(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  /** @param {string} key */
  const act = (key) => {
    const at = hovered ?? data.current ?? 0;
    const arrow = ARROWS[key];
    if (arrow && isSpace()) {
      camera = turned(camera, 12 * arrow[0], 12 * arrow[1]);
      point(null);
      sheet.changed();
    } else if (arrow) {
      point(hovered === null ? at : (pointTowards(spots, stride(), data.count, at, arrow) ?? at), true);
    } else if (key === "PageDown" || key === "PageUp") {
      const next = hovered === null ? at : hovered + (key === "PageDown" ? 1 : -1);
      point((next + data.count) % data.count, true);
    } else if (isSpace() && (key === "+" || key === "=")) zoom(1.3);
    else if (isSpace() && (key === "-" || key === "_")) zoom(1 / 1.3);
    else if (isSpace() && (key === "0" || key === "Home")) zoom(null);
    else if (key === " " && hovered !== null) actions.select(toggled(data.selected, hovered));
    else if (key === "Enter" && data.live && hovered !== null) actions.go(hovered);
    else if (key === "Escape" && hovered !== null) point(null);
    else return false;
    return true;
  };

  /** @param {Data} next */
  const take = (next) => {
    const first = data === null;
    data = next;
    const both = Boolean(data.points.validation);
    kind.fill([
      ["flat", "2D"],
      ...(data.m === 3 && both ? [["space-shown", "3D, validation"]] : []),
      ...(data.m === 3 ? [["space", both ? "3D, training" : "3D"]] : []),
    ]);
    setShown(kind.root, data.m === 3);
    if (first) kind.value = recall(CHOSEN) ?? "flat";
    if (kind.value === "") kind.value = "flat";
    const options = data.axes.map(({ key, label }) => [key, label]);
    colourChoice.fill([["", "as marked"], ...options]);
    acrossChoice.fill(options);
    upChoice.fill(options);
    if (first || acrossChoice.value === "") acrossChoice.value = options[0][0];
    if (first || upChoice.value === "") upChoice.value = (options[1] ?? options[0])[0];
    changed();
  };

  return {
    root,
    /** @param {Data} next */
    draw(next) {
      // Who aims needs axes that stay where they are.
      if (held?.kind === "aim" && held.moved) {
        later = next;
        return;
      }
      take(next);
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
      if (other) sayHint();
      if (other) sheet.changed(); // the legend
      else sheet.touched();
    },
    recolour: sheet.changed,
    picture: sheet.picture,
    destroy() {
      cancelAnimationFrame(frame);
      press.forget();
      sheet.destroy();
    },
  };
}

/**
 * A select with a name; `fill([[value, text]])` keeps what was chosen.
 * @param {string} name
 * @param {() => void} onchange
 */
function createChoice(name, onchange) {
  const select = build("select", { class: "pn-choice", "aria-label": name, onchange });
  let filled = "";
  return {
    root: build("label", { class: "pn-choice-label" }, build("span", { text: name, "aria-hidden": "true" }), select),
    get value() {
      return select.value;
    },
    set value(value) {
      select.value = value;
    },
    /** @param {string[][]} options */
    fill(options) {
      const key = JSON.stringify(options);
      if (key === filled) return;
      filled = key;
      const { value } = select;
      select.replaceChildren(...options.map(([one, text]) => build("option", { value: one, text })));
      if (options.some(([one]) => one === value)) select.value = value;
    },
  };
}

/**
 * @param {string} text
 * @param {string} name
 * @param {() => void} onclick
 */
function smallButton(text, name, onclick) {
  return build("button", { type: "button", class: "pn-small", text, title: name, "aria-label": name, onclick });
}

/**
 * To a tenth of what a pixel is worth: what is aimed at has no more digits than the hand can mean.
 * @param {number} value
 * @param {number} pixel
 */
function toPixel(value, pixel) {
  const step = 10 ** Math.floor(Math.log10(pixel > 0 ? pixel : 1e-6));
  return Number((Math.round(value / step) * step).toPrecision(12));
}
