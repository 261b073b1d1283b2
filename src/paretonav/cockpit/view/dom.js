// @ts-check
// Elements in one call. Names come from other people's data: they are set as text, never parsed as HTML.

/**
 * Make an element: `build("button", { class: "a", onclick: f, text: "Go" }, child, ...)`.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} properties
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function build(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else setAttribute(made, name, value);
  }
  made.append(...children);
  return made;
}

/**
 * Set, or with null, undefined or false remove, an attribute; the document is touched only if it differs.
 * @param {Element} target
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function setAttribute(target, name, value) {
  if (value === null || value === undefined || value === false) {
    if (target.hasAttribute(name)) target.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (target.getAttribute(name) !== text) target.setAttribute(name, text);
}

/**
 * Replace the text of an element that has a single text node, in place.
 * @param {Node} target
 * @param {string} text
 */
export function setText(target, text) {
  const first = /** @type {Text | null} */ (target.firstChild);
  if (first === null) target.textContent = text;
  else if (first.data !== text) first.data = text;
}

/**
 * Show or hide without a trace in the layout.
 * @param {HTMLElement} target
 * @param {boolean} shown
 */
export function setShown(target, shown) {
  if (target.hidden === shown) target.hidden = !shown;
}

/**
 * A button that cannot be used keeps the focus and says why; `guarded` clicks ask `isUsable`.
 * @param {HTMLElement} button
 * @param {boolean} usable
 */
export function setUsable(button, usable, why = "") {
  setAttribute(button, "aria-disabled", usable ? null : "true");
  setAttribute(button, "title", usable ? button.dataset.title : why || button.dataset.title);
}

/**
 * Whether a button can be used now.
 * @param {HTMLElement} button
 */
export function isUsable(button) {
  return button.getAttribute("aria-disabled") !== "true";
}

/**
 * The element that has the focus, in the same document or shadow as this one.
 * @param {Element} element
 */
export function activeIn(element) {
  return /** @type {Document | ShadowRoot} */ (element.getRootNode()).activeElement;
}

/**
 * A button of the cockpit.
 * @param {string} text
 * @param {() => unknown} onclick
 * @param {{ kind?: string, title?: string | null }} more
 */
export function makeButton(text, onclick, { kind = "", title = null } = {}) {
  const made = build("button", { type: "button", class: `pn-button ${kind}`.trim(), text, title });
  if (title) made.dataset.title = title;
  made.addEventListener("click", () => {
    if (isUsable(made)) onclick();
  });
  return made;
}

/**
 * An id that no other element of the page has: several cockpits may share one.
 * @param {string} stem
 */
export function freshId(stem) {
  return `pn-${stem}-${Math.random().toString(36).slice(2, 12)}`;
}
