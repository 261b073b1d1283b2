// @ts-check
// Charts of the visited points: a map, lines, a radar, what each step brought, the tree of steps and a table.

/** @import { Chart, ChartActions, Charted, Data, Ghost, PlotActions } from "../types.js" */

import { build, setShown, setText } from "../dom.js";
import { recall, remember } from "../memory.js";
import { createTabs } from "../tabs.js";
import { arrange, isSame } from "./data.js";
import { EVERYTHING, isFiltering, sayFilter } from "./filter.js";
import { createLines } from "./lines.js";
import { createMap } from "./map.js";
import { createPalette } from "./palette.js";
import { createRadar } from "./radar.js";
import { createSteps } from "./steps.js";
import { createListing } from "./listing.js";
import { createTree } from "./tree.js";

const CHOSEN = "chart"; // the name under which it is remembered

/**
 * Charts below `root`. `given`: go(id), select(ids), aim({name: value}, settled), star(id, on), note(id, text).
 * Returns { update({state, points, selected, outlook}), ghost(ghost), destroy(), picture() }.
 *
 * What is seen first is what is read at once: the front of two objectives as a curve, more of them as lines over all.
 * @param {HTMLElement} root
 * @param {PlotActions} given
 * @param {number} objectives
 */
export function createPlots(root, given, objectives) {
  const book = build("div", { class: "pn-book" });
  root.append(book);
  const palette = createPalette(book);
  /** @type {ChartActions} */
  const actions = {
    ...given,
    filter(next) {
      filter = next;
      redo();
    },
    point(id) {
      for (const { chart } of charts) chart.link?.(id);
    },
  };
  /** @type {[string, string, Chart][]} */
  const named = [
    ["lines", "Lines", createLines(palette, actions)],
    ["map", "Map", createMap(palette, actions)],
    ["radar", "Radar", createRadar(palette)],
    ["steps", "Steps", createSteps(palette, actions)],
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
  let told = null;
  let filter = EVERYTHING;
  const words = build("span", { role: "status" });
  const all = build("button", { type: "button", class: "pn-small", text: "Show all", onclick: () => actions.filter(EVERYTHING) });
  const bar = build("div", { class: "pn-filter" }, words, all);
  book.prepend(bar);
  const redo = () => {
    if (told) draw({ ...told, filter });
  };
  /** @param {Charted} next */
  const draw = (next) => {
    const same = isSame(told, next);
    if (same && told?.outlook === next.outlook) return;
    told = next;
    data = arrange(next, data);
    setShown(bar, isFiltering(filter));
    if (!data) return;
    setText(words, isFiltering(filter) ? sayFilter(data) : "");
    for (const { chart } of charts) chart.draw(data, same);
  };

  const recolour = () => {
    if (palette.read()) for (const { chart } of charts) chart.recolour?.();
  };
  const schemes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
  for (const scheme of schemes) scheme.addEventListener("change", recolour);

  return {
    /** @param {Charted} next */
    update(next) {
      recolour();
      draw({ ...next, filter });
    },
    /**
     * Look at these points alone.
     * @param {number[]} ids
     */
    only: (ids) => actions.filter({ ...EVERYTHING, only: ids }),
    /**
     * A point that somebody points at elsewhere on the page; null: none.
     * @param {number | null} id
     */
    point: (id) => actions.point(id),
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
