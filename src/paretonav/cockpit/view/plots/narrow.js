// @ts-check
// What the table shows: which columns, and of each quantity which range.

/** @import { Axis, Filter } from "../types.js" */

import { build } from "../dom.js";
import { createMenu } from "../menu.js";
import { withRange } from "./filter.js";

/**
 * A menu over columns [{ key, name, axis? }]; `on.columns()` has them, `on.filter()` and `on.hidden()` what holds now;
 * `on.setFilter(filter)` and `on.setHidden(keys)` hear of what is chosen.
 * @param {{ columns(): { key: string, name: string, axis?: Axis }[], filter(): Filter, hidden(): Set<string>, setFilter(filter: Filter): void, setHidden(hidden: Set<string>): void }} on
 */
export function createNarrow(on) {
  return createMenu("Columns", (panel) => {
    const rows = on.columns().map(({ key, name, axis }) => {
      const shown = build("input", { type: "checkbox", onchange: () => {
        const hidden = new Set(on.hidden());
        if (shown.checked) hidden.delete(key);
        else hidden.add(key);
        on.setHidden(hidden);
      } });
      shown.checked = !on.hidden().has(key);
      return build("div", { class: "pn-narrow-row" }, build("label", {}, shown, build("span", { text: name, dir: "auto" })), ...(axis ? ends(axis, on) : []));
    });
    panel.classList.add("pn-narrow");
    panel.replaceChildren(build("p", { class: "pn-quiet", text: "Which columns are shown, and of which values." }), ...rows);
  }, { stays: true });
}

/**
 * The two ends of a range.
 * @param {Axis} axis
 * @param {{ filter(): Filter, setFilter(filter: Filter): void }} on
 */
function ends(axis, on) {
  const made = ["from", "to"].map((word, i) => {
    const field = build("input", { type: "number", step: "any", class: "pn-narrow-end", placeholder: word, "aria-label": `${axis.label}, ${word}` });
    field.value = String(on.filter().ranges.get(axis.key)?.[i] ?? "");
    return field;
  });
  /** @param {HTMLInputElement} field */
  const read = ({ value }) => (value === "" || !Number.isFinite(Number(value)) ? null : Number(value));
  for (const field of made) {
    field.addEventListener("change", () => on.setFilter(withRange(on.filter(), axis.key, [read(made[0]), read(made[1])])));
  }
  return made;
}
