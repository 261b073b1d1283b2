// The pointer on a canvas: which point is meant, and what is told of it.

import { build, setShown } from "../dom.js";
import { formatValue } from "../numbers.js";

const NEAR = 11; // pixels

/** Hover and click over `canvas`; `places()` gives [x, y] or null by id, `tell(id)` the lines of the tooltip. */
export function pointAt(root, canvas, { places, tell, choose, go }) {
  const tip = build("div", { class: "pn-tip", hidden: true });
  root.append(tip);
  const nearest = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    let least = NEAR ** 2;
    places().forEach((place, id) => {
      if (!place) return;
      const distance = (place[0] - x) ** 2 + (place[1] - y) ** 2;
      if (distance <= least) [best, least] = [id, distance];
    });
    return best;
  };
  canvas.addEventListener("pointermove", (event) => {
    const id = event.buttons ? null : nearest(event);
    setShown(tip, id !== null);
    canvas.style.cursor = id === null ? "" : "pointer";
    if (id === null) return;
    tip.replaceChildren(...tell(id).map((line, k) => build(k ? "div" : "strong", { text: line })));
    const [x, y] = places()[id];
    tip.style.left = `${Math.max(0, Math.min(x + 12, root.clientWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(0, Math.min(y + 12, root.clientHeight - tip.offsetHeight - 4))}px`;
  });
  canvas.addEventListener("pointerleave", () => setShown(tip, false));
  canvas.addEventListener("click", (event) => {
    const id = nearest(event);
    if (id !== null) choose(id);
  });
  canvas.addEventListener("dblclick", (event) => {
    const id = nearest(event);
    if (id !== null) go(id);
  });
}

/** What a tooltip says of a point. */
export function linesOf(id, points, axes) {
  const lines = [`point ${id}${points.star[id] ? " ★" : ""}`, points.asked[id]];
  for (const axis of axes.slice(0, 8)) lines.push(`${axis.label}: ${formatValue(axis.values[id])}`);
  if (axes.length > 8) lines.push(`and ${axes.length - 8} more`);
  if (points.note[id]) lines.push(points.note[id].slice(0, 120));
  return lines.filter(Boolean);
}
