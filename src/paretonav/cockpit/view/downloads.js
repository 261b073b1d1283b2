// @ts-check
// What can be taken away: the model, its card, the table, everything, a picture.

/** @import { File64, State } from "./types.js" */

import { build, makeButton } from "./dom.js";

const LOADED = "To be loaded into the same network: network.load_state_dict(safetensors.torch.load_file(FILE))";
const WHAT = [
  ["model", "Model of point # (safetensors)"],
  ["card", "Model card of point # (Markdown)"],
  ["csv", "Table of all points (CSV)"],
  ["json", "Everything as JSON"],
  ["page", "This page, to look at offline (HTML)"],
];

/**
 * Fill the menu's panel; `ask(what)` requests a file, `picture()` makes the picture.
 * @param {HTMLElement} panel
 * @param {State} state
 * @param {{ ask(what: string): void, picture(): void }} on
 */
export function fillDownloads(panel, state, { ask, picture }) {
  const { current, downloads, live } = state;
  const entries = live && current !== null ? WHAT : [];
  const made = entries.map(([what, words]) => {
    const label = words.replace("#", `${current}`);
    const title = what === "model" ? LOADED : null;
    if (!downloads) return makeButton(label, () => ask(what), { kind: "pn-menu-item", title });
    const path = what === "model" || what === "card" ? `${what}/${current}` : what;
    return build("a", { class: "pn-menu-item", href: `${downloads}/${path}`, download: "", text: label, title });
  });
  panel.replaceChildren(...made, makeButton("Picture of the chart (PNG)", picture, { kind: "pn-menu-item" }));
}

/**
 * Hand a file that Python has sent to the browser.
 * @param {File64} file
 */
export function saveBase64({ name, mime, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  saveBlob(name, new Blob([bytes], { type: mime }));
}

/**
 * Hand a blob to the browser as a file.
 * @param {string} name
 * @param {Blob} blob
 */
export function saveBlob(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = build("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
