// The charts of the visited points: map, parallel axes, radar, tree, table. Only that in sight is drawn.

import { freshId } from "../dom.js";
import { createTabs } from "../tabs.js";
import { createLines } from "./lines.js";
import { createList } from "./list.js";
import { createMap } from "./map.js";
import { createRadar } from "./radar.js";
import { createTree } from "./tree.js";

/** Charts of the visited points below `root`; `actions` has go, select, aim, star and note. */
export function createPlots(root, actions) {
  let shown = null;
  let ghost = null;
  let stale = new Set();
  const act = {
    ...actions,
    toggle(id) {
      if (!shown) return;
      const { selected } = shown;
      actions.select(selected.includes(id) ? selected.filter((other) => other !== id) : [...selected, id]);
    },
  };
  const charts = { map: createMap(act), lines: createLines(act), radar: createRadar(), tree: createTree(act), table: createList(act) };
  charts.tree.name(freshId("tree"));
  const labels = { map: "Map", lines: "Lines", radar: "Radar", tree: "Tree", table: "Table" };
  const tabs = createTabs(
    "Charts of the visited points",
    Object.entries(charts).map(([key, chart]) => ({ key, label: labels[key], content: chart.root })),
  );
  root.append(tabs.root);

  const drawVisible = () => {
    if (!shown?.points || shown.state?.current == null) return;
    for (const [key, chart] of Object.entries(charts)) {
      if (!stale.has(key) || chart.root.closest("[hidden]") !== null) continue;
      stale.delete(key);
      chart.draw(shown);
      chart.ghost(ghost);
    }
  };
  const tabbed = new MutationObserver(drawVisible);
  tabbed.observe(tabs.root, { attributes: true, attributeFilter: ["hidden"], subtree: true });

  return {
    update(next) {
      shown = next;
      stale = new Set(Object.keys(charts));
      drawVisible();
    },
    ghost(next) {
      ghost = next;
      for (const [key, chart] of Object.entries(charts)) {
        if (!stale.has(key) && chart.root.closest("[hidden]") === null) chart.ghost(ghost);
        else if (!stale.has(key)) stale.add(key);
      }
    },
    destroy() {
      tabbed.disconnect();
      for (const chart of Object.values(charts)) chart.destroy();
      tabs.root.remove();
    },
  };
}
