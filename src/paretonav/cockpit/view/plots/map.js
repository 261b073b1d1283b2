// The points by two or three quantities of the reader's choice.

import { build, setShown } from "../dom.js";
import { axesOf } from "./axes.js";
import { createScatter } from "./scatter.js";
import { createScene } from "./scene.js";

const SPACE = "space";

/** The map: what is drawn against what is chosen above it. */
export function createMap(actions) {
  const kind = build("select", { "aria-label": "Kind of map" });
  const across = build("select", { "aria-label": "Across" });
  const upward = build("select", { "aria-label": "Upward" });
  const nearer = build("button", { type: "button", class: "pn-button pn-small", text: "+", "aria-label": "Nearer" });
  const further = build("button", { type: "button", class: "pn-button pn-small", text: "−", "aria-label": "Further" });
  const plane = build("span", { class: "pn-choice" }, "across ", across, " upward ", upward);
  const zooms = build("span", { class: "pn-choice" }, nearer, further);
  const scatter = createScatter(actions);
  const scene = createScene(actions);
  const key = build(
    "p",
    { class: "pn-key" },
    ...[["current", "◆ current"], ["start", "■ start"], ["star", "★ starred"], ["visited", "● visited"], ["ghost", "○ asked for"]].map(([role, text]) =>
      build("span", { "data-role": role, text }),
    ),
  );
  const bar = build("div", { class: "pn-bar-of-chart" }, kind, plane, zooms, key);
  const root = build("div", { class: "pn-chart" }, bar, scatter.root, scene.root);
  let seen = null;
  let known = "";

  kind.append(build("option", { value: SPACE, text: "in space" }), build("option", { value: "plane", text: "in the plane" }));
  const choose = () => seen && draw(seen);
  for (const select of [kind, across, upward]) select.addEventListener("change", choose);
  nearer.addEventListener("click", () => scene.zoom(1.25));
  further.addEventListener("click", () => scene.zoom(0.8));

  const draw = (next) => {
    seen = next;
    const { state, points } = seen;
    const all = axesOf(state, points);
    const signature = JSON.stringify(all.map((axis) => [axis.key, axis.label]));
    if (signature !== known) {
      known = signature;
      for (const select of [across, upward]) {
        const before = select.value;
        select.replaceChildren(...all.map((axis) => build("option", { value: axis.key, text: axis.label })));
        if (all.some((axis) => axis.key === before)) select.value = before;
        else select.selectedIndex = select === across ? 0 : 1;
      }
    }
    const space = state.objectives === 3;
    setShown(kind, space);
    const inSpace = space && kind.value === SPACE;
    setShown(plane, !inSpace && all.length > 2);
    setShown(zooms, inSpace);
    setShown(scene.root, inSpace);
    setShown(scatter.root, !inSpace);
    const axes = [across, upward].map((select) => all.find((axis) => axis.key === select.value));
    if (inSpace) scene.show({ ...seen, axes: all.slice(0, 3), all, front: state.front });
    else scatter.show({ ...seen, axes, all, curve: curveOf(state, axes) });
  };

  return {
    root,
    draw,
    ghost(ghost) {
      (state3d() ? scene : scatter).ghost(ghost);
    },
    destroy() {
      scatter.destroy();
      scene.destroy();
    },
  };

  function state3d() {
    return !scene.root.hidden;
  }
}

/** The local front as places on two axes; it is known for the training losses of two objectives only. */
function curveOf(state, axes) {
  if (state.objectives !== 2 || !state.front) return [];
  const columns = axes.map((axis) => (axis.on === "train" ? Number(axis.key.split(" ")[1]) : -1));
  if (columns.includes(-1)) return [];
  return state.front.lines[0].map((i) => columns.map((k) => state.front.outcomes[i][k]));
}
