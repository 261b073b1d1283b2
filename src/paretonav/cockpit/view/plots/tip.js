// @ts-check
// The tip beside the pointer, or beside the point that the keys have chosen.

/** @import { Told } from "../types.js" */

import { build, setShown } from "../dom.js";

const AWAY = 14; // pixels between the point and its tip

/**
 * A tip over `root`: `show(told, x, y, width, height)` places it within these sizes, `hide()`.
 * @param {HTMLElement} root
 */
export function createTip(root) {
  const tip = build("div", { class: "pn-tip", role: "presentation" });
  tip.hidden = true;
  root.append(tip);
  let shown = "";
  return {
    /**
     * @param {Told} told
     * @param {number} x
     * @param {number} y
     * @param {number} width
     * @param {number} height
     */
    show(told, x, y, width, height) {
      const key = JSON.stringify(told);
      if (key !== shown) tip.replaceChildren(...contentOf(told));
      shown = key;
      setShown(tip, true);
      const { offsetWidth: wide, offsetHeight: high } = tip;
      const right = x + AWAY + wide <= width;
      const left = right ? x + AWAY : Math.max(0, x - AWAY - wide);
      const top = Math.max(0, Math.min(height - high, y - high / 2));
      tip.style.transform = `translate(${Math.round(Math.min(left, Math.max(0, width - wide)))}px, ${Math.round(top)}px)`;
    },
    hide() {
      setShown(tip, false);
    },
  };
}

/** @param {Told} told */
function contentOf({ title, how = "", rows = [], more = "", note = "", hint = "" }) {
  const list = build("dl");
  for (const [name, value, change] of rows) {
    list.append(build("dt", { text: name }), build("dd", { text: value }), build("dd", { text: change }));
  }
  return [
    build("p", { class: "pn-tip-title", text: title }),
    ...(how ? [build("p", { class: "pn-tip-how", text: how })] : []),
    ...(rows.length ? [list] : []),
    ...(more ? [build("p", { class: "pn-tip-how", text: more })] : []),
    ...(note ? [build("p", { text: `“${note}”` })] : []),
    ...(hint ? [build("p", { class: "pn-tip-hint", text: hint })] : []),
  ];
}
