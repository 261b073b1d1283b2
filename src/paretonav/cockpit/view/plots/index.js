// @ts-check
// Charts of the visited points: a map, lines, a radar, the tree of steps and a table.

/** @import { Chart, Charted, Data, Ghost, PlotActions } from "../types.js" */

import { build } from "../dom.js";
import { recall, remember } from "../memory.js";
import { createTabs } from "../tabs.js";
import { arrange, isSame } from "./data.js";
import { createLines } from "./lines.js";
import { createMap } from "./map.js";
import { createPalette } from "./palette.js";
import { createRadar } from "./radar.js";
import { createListing } from "./listing.js";
import { createTree } from "./tree.js";

const CHOSEN = "chart"; // the name under which it is remembered

/**
 * Charts below `root`. `actions`: go(id), select(ids), aim({name: value}, settled), star(id, on), note(id, text).
 * Returns { update({state, points, selected, outlook}), ghost(ghost), destroy(), picture() }.
 *
 * What is seen first is what is read at once: the front of two objectives as a curve, more of them as lines over all.
 * @param {HTMLElement} root
 * @param {PlotActions} actions
 * @param {number} objectives
 */
export function createPlots(root, actions, objectives) {
  const book = build("div", { class: "pn-book" });
  root.append(book);
  const palette = createPalette(book);
  /** @type {[string, string, Chart][]} */
  const named = [
    ["lines", "Lines", createLines(palette, actions)],
    ["map", "Map", createMap(palette, actions)],
    ["radar", "Radar", createRadar(palette)],
    ["tree", "Tree", createTree(palette, actions)],
    ["table", "Table", createListing(actions)],
  ];
  const charts = named.map(([key, label, chart]) => ({ key, label, chart, content: chart.root }));
  const remembered = recall(CHOSEN);
  const first = charts.some(({ key }) => key === remembered) ? String(remembered) : objectives > 2 ? "lines" : "map";
  const tabs = createTabs("Charts", charts, { first, beside: "map", chosen: (key) => remember(CHOSEN, key) });
  book.append(tabs.root);
  /** @type {Data | null} */
  let data = null;
  /** @type {Charted | null} */
  let given = null;

  const recolour = () => {
    if (palette.read()) for (const { chart } of charts) chart.recolour?.();
  };
  const schemes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
  for (const scheme of schemes) scheme.addEventListener("change", recolour);

  return {
    /** @param {Charted} next */
    update(next) {
      recolour();
      const same = isSame(given, next);
      if (same && given?.outlook === next.outlook) return;
      given = next;
      data = arrange(next, data);
      if (data) for (const { chart } of charts) chart.draw(data, same);
    },
    /** @param {Ghost | null} ghost */
    ghost(ghost) {
      for (const { chart } of charts) chart.ghost?.(ghost);
    },
    /** A PNG of the chart that was chosen, or of the one beside it; null where none of them is a picture, or is seen. */
    picture() {
      const seen = tabs.seen().map((key) => charts.find((one) => one.key === key));
      const drawn = seen.find((one) => one?.chart.picture && one.content.getClientRects().length > 0);
      return drawn?.chart.picture?.(palette.now.back) ?? Promise.resolve(null);
    },
    destroy() {
      for (const scheme of schemes) scheme.removeEventListener("change", recolour);
      for (const { chart } of charts) chart.destroy?.();
      tabs.destroy();
      book.remove();
    },
  };
}
