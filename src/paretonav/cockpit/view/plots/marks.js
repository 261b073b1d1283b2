// How points are drawn, everywhere alike: their shapes differ, too, for who cannot tell the colours.

export const ROLES = ["visited", "start", "star", "current"];

/** "current", "star", "start" or "visited". */
export function roleOf(id, state, points) {
  if (id === state.current) return "current";
  if (points.star[id]) return "star";
  return id === 0 ? "start" : "visited";
}

/** Draw the mark of a point. */
export function drawMark(pen, role, x, y, colours, { faint = false, chosen = false } = {}) {
  pen.globalAlpha = faint ? 0.35 : 1;
  pen.fillStyle = { visited: colours.accent, start: colours.start, star: colours.star, current: colours.worse }[role];
  pen.strokeStyle = colours.paper;
  pen.lineWidth = 1;
  pen.beginPath();
  SHAPES[role](pen, x, y);
  pen.fill();
  pen.stroke();
  pen.globalAlpha = 1;
  if (chosen) {
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(x, y, 9, 0, 2 * Math.PI);
    pen.stroke();
  }
}

/** Draw where what is asked for would lead. */
export function drawGhost(pen, x, y, colours, sure) {
  pen.save();
  pen.strokeStyle = colours.worse;
  pen.lineWidth = 2;
  if (!sure) pen.setLineDash([3, 3]);
  pen.beginPath();
  pen.arc(x, y, 6, 0, 2 * Math.PI);
  pen.stroke();
  pen.restore();
}

const SHAPES = {
  visited: (pen, x, y) => pen.arc(x, y, 3.5, 0, 2 * Math.PI),
  start: (pen, x, y) => pen.rect(x - 4.5, y - 4.5, 9, 9),
  star: (pen, x, y) => polygon(pen, x, y, 10, (k) => (k % 2 ? 3 : 7.5)),
  current: (pen, x, y) => polygon(pen, x, y, 4, () => 7),
};

function polygon(pen, x, y, corners, radius) {
  for (let k = 0; k < corners; k += 1) {
    const angle = (2 * Math.PI * k) / corners - Math.PI / 2;
    const place = [x + radius(k) * Math.cos(angle), y + radius(k) * Math.sin(angle)];
    if (k === 0) pen.moveTo(...place);
    else pen.lineTo(...place);
  }
  pen.closePath();
}
