// @ts-check
// Marks and words on a canvas, the same in all charts.

/** @import { Colours, Data, LegendItem, PointRole, Role } from "../types.js" */

const TURN = 2 * Math.PI;
const HALO = 3;

/**
 * What a point is drawn as, by its role; later ones lie over earlier ones.
 * @type {PointRole[]}
 */
export const ROLES = ["worse", "plain", "star", "start", "current"];

/**
 * What draws on a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function brushOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * The role of a point.
 * @param {Data} data
 * @param {number} id
 * @returns {PointRole}
 */
export function roleOf(data, id) {
  if (id === data.current) return "current";
  if (id === 0) return "start";
  if (data.points.star?.[id]) return "star";
  return data.points.efficient?.[id] === false ? "worse" : "plain";
}

/**
 * Begin or continue a path with the shape of a role; `size` is half its width.
 * @param {CanvasRenderingContext2D} brush
 * @param {Role} role
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
export function traceMark(brush, role, x, y, size) {
  if (role === "start") brush.rect(x - 0.85 * size, y - 0.85 * size, 1.7 * size, 1.7 * size);
  else if (role === "star") traceStar(brush, x, y, 1.35 * size);
  else if (role === "ghost") {
    brush.moveTo(x, y - 1.25 * size);
    brush.lineTo(x + 1.25 * size, y);
    brush.lineTo(x, y + 1.25 * size);
    brush.lineTo(x - 1.25 * size, y);
    brush.closePath();
  } else {
    brush.moveTo(x + size, y);
    brush.arc(x, y, size, 0, TURN);
  }
}

/**
 * Half the width of a mark.
 * @param {Role} role
 */
export function sizeOfMark(role) {
  return { worse: 3, plain: 3.6, star: 5.2, start: 5.2, current: 6.4, ghost: 6 }[role];
}

/**
 * The colour of a mark.
 * @param {Colours} colours
 * @param {Role} role
 */
export function colourOfMark(colours, role) {
  return { worse: colours.edge, plain: colours.faint, star: colours.star, start: colours.start, current: colours.accent, ghost: colours.ghost }[role];
}

/**
 * One mark with a rim that sets it off from what is below.
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {Role} role
 * @param {number} x
 * @param {number} y
 * @param {{ size?: number, hollow?: boolean, alpha?: number, colour?: string | null }} how
 */
export function drawMark(brush, colours, role, x, y, { size = sizeOfMark(role), hollow = false, alpha = 1, colour = null } = {}) {
  brush.save();
  brush.globalAlpha *= alpha;
  brush.beginPath();
  traceMark(brush, role, x, y, size);
  brush.lineWidth = HALO;
  brush.strokeStyle = colours.back;
  brush.stroke();
  const paint = colour ?? colourOfMark(colours, role);
  brush.fillStyle = hollow ? colours.back : paint;
  brush.fill();
  if (hollow) {
    brush.lineWidth = 2;
    brush.strokeStyle = paint;
    brush.stroke();
  }
  brush.restore();
}

/**
 * The ring around a point that is chosen for comparison.
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {number} k
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
export function drawRing(brush, colours, k, x, y, size) {
  brush.save();
  brush.beginPath();
  brush.arc(x, y, size + 3.5, 0, TURN);
  brush.lineWidth = 2;
  brush.strokeStyle = pickColour(colours, k);
  brush.stroke();
  brush.restore();
}

/**
 * The colour of the k-th point chosen for comparison; from the fifth on they repeat, dashed.
 * @param {Colours} colours
 * @param {number} k
 */
export function pickColour(colours, k) {
  return colours.picks[k % colours.picks.length];
}

/**
 * The dashes of its line.
 * @param {Colours} colours
 * @param {number} k
 */
export function pickDash(colours, k) {
  return [[], [7, 3], [2, 3]][Math.floor(k / colours.picks.length) % 3];
}

/**
 * The font of the charts.
 * @param {Colours} colours
 */
export function fontOf(colours, size = 11, weight = 400) {
  return `${weight} ${size}px ${colours.font}`;
}

/**
 * Text with a rim of the ground, so that lines below do not cross it.
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {{ colour?: string, align?: CanvasTextAlign, base?: CanvasTextBaseline, halo?: boolean }} how
 */
export function drawText(brush, colours, text, x, y, { colour = colours.faint, align = "center", base = "middle", halo = true } = {}) {
  brush.textAlign = align;
  brush.textBaseline = base;
  if (halo) {
    brush.lineWidth = HALO;
    brush.strokeStyle = colours.back;
    brush.strokeText(text, x, y);
  }
  brush.fillStyle = colour;
  brush.fillText(text, x, y);
}

/**
 * The text, or as much of its two ends as fits around an ellipsis: names often differ at their ends. The font must be set.
 * @param {CanvasRenderingContext2D} brush
 * @param {string} text
 * @param {number} width
 */
export function fitText(brush, text, width) {
  if (brush.measureText(text).width <= width) return text;
  const letters = [...text];
  /** @param {number} kept */
  const cut = (kept) => {
    const behind = Math.floor(kept / 2);
    return `${letters.slice(0, kept - behind).join("").trimEnd()}…${letters.slice(letters.length - behind).join("").trimStart()}`;
  };
  let low = 0;
  let high = letters.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (brush.measureText(cut(middle)).width <= width) low = middle;
    else high = middle - 1;
  }
  return low > 0 ? cut(low) : "…";
}

/**
 * One line that says what the marks are, of `legendOf`: { role | pick, text, lines }. Returns its width.
 * @param {CanvasRenderingContext2D} brush
 * @param {Colours} colours
 * @param {LegendItem[]} items
 * @param {number} x
 * @param {number} y
 * @param {number} width
 */
export function drawLegend(brush, colours, items, x, y, width) {
  brush.save();
  brush.font = fontOf(colours);
  const gap = 12;
  let at = x;
  for (const { role = null, pick = null, text, lines } of items) {
    const wide = brush.measureText(text).width + 15;
    if (at > x && at + wide > x + width) break;
    const plain = { front: colours.front, way: colours.accent };
    const colour = pick !== null ? pickColour(colours, pick) : role === null ? colours.front : isMark(role) ? colourOfMark(colours, role) : plain[role];
    if (pick !== null || !isMark(role) || lines) {
      brush.beginPath();
      brush.setLineDash(pick !== null ? pickDash(colours, pick) : role === "ghost" ? [3, 2] : []);
      brush.moveTo(at - 2, y);
      brush.lineTo(at + 12, y);
      brush.lineWidth = 2;
      brush.strokeStyle = colour;
      brush.stroke();
      brush.setLineDash([]);
    }
    if (pick === null && isMark(role)) drawMark(brush, colours, role, at + 5, y, { size: (lines ? 0.55 : 0.72) * sizeOfMark(role) });
    drawText(brush, colours, text, at + 15, y, { align: "left", halo: false });
    at += wide + gap;
  }
  brush.restore();
  return at - gap - x;
}

/**
 * Whether a legend shows it as a mark, and not as a line alone.
 * @param {LegendItem["role"] | null} role
 * @returns {role is Role}
 */
function isMark(role) {
  return role !== null && role !== undefined && role !== "front" && role !== "way";
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
function traceStar(brush, x, y, size) {
  for (let k = 0; k < 10; k += 1) {
    const far = k % 2 ? 0.45 * size : size;
    const angle = (k * TURN) / 10 - TURN / 4;
    if (k) brush.lineTo(x + far * Math.cos(angle), y + far * Math.sin(angle));
    else brush.moveTo(x + far * Math.cos(angle), y + far * Math.sin(angle));
  }
  brush.closePath();
}
