// @ts-check
// A short text that is changed where it stands: the title, a point's name.

import { build, setAttribute, setShown, setText } from "./dom.js";

/**
 * A button with the text, which becomes a field when it is clicked: Enter and leaving it save, Escape does not.
 * Who may not change it sees the text alone, or nothing where there is none.
 * @param {{ what: string, empty: string, most: number, changed(text: string): void }} how what it is called; what stands there while there is none
 */
export function createEditable({ what, empty, most, changed }) {
  let now = "";
  let open = false; // whether it can be changed
  let editing = false;
  const said = build("span", { class: "pn-editable-said", dir: "auto" });
  const button = build("button", { type: "button", class: "pn-editable-button", dir: "auto", onclick: () => edit() });
  const field = build("input", { type: "text", class: "pn-editable-field", maxlength: most, dir: "auto", "aria-label": `${what}: Enter saves, Escape leaves` });
  const root = build("span", { class: "pn-editable" }, said, button, field);
  setShown(field, false);
  const edit = () => {
    editing = true;
    field.value = now;
    setShown(button, false);
    setShown(field, true);
    field.focus();
    field.select();
  };
  /** @param {boolean} saved */
  const finish = (saved) => {
    if (!editing) return;
    editing = false;
    const text = field.value.trim().replace(/\s+/g, " ");
    setShown(field, false);
    setShown(button, true);
    if (!saved || text === now) return;
    show(text); // at once; what Python makes of it comes after
    changed(text);
  };
  /** @param {string} text */
  const show = (text) => {
    now = text;
    setText(said, open ? "" : text);
    setText(button, open ? text || empty : "");
    setAttribute(button, "data-empty", text === "");
    setAttribute(button, "title", text ? `${text}\nClick to change it` : null);
  };
  field.addEventListener("keydown", (event) => {
    event.stopPropagation(); // no shortcut of the cockpit is meant
    if ((event.key !== "Enter" && event.key !== "Escape") || event.isComposing) return;
    event.preventDefault();
    finish(event.key === "Enter");
    button.focus();
  });
  field.addEventListener("blur", () => finish(true));
  return {
    root,
    /**
     * @param {string} text
     * @param {boolean} can whether it can be changed
     */
    draw(text, can) {
      if (text !== now || can !== open || !button.firstChild) {
        open = can;
        show(text);
      }
      if (!can) editing = false;
      setShown(said, !can);
      setShown(button, can && !editing);
      setShown(field, can && editing);
    },
  };
}
