// The selected points, and how they compare.

import { compareColumns } from "./compare.js";

/** Selected points; `changed()` when others are selected or a comparison has come. */
export function createSelection(model, jobs, changed) {
  let selected = [];
  let data = null;
  let asked = null; // number of the request that is awaited
  const ask = () => {
    const state = model.get("state");
    if (selected.length < 2 || data !== null || asked !== null) return;
    if (!state.live) data = compareColumns(model.get("points"), state.quantities, selected, state.split);
    // Nothing else is answered while a job runs: it is asked once that has ended.
    else if (!jobs.running) asked = jobs.request("compare", { points: selected });
  };
  return {
    get ids() {
      return selected;
    },
    get data() {
      return data;
    },
    select(ids) {
      const count = model.get("points")?.parent.length ?? 0;
      selected = [...new Set(ids)].filter((id) => Number.isInteger(id) && id >= 0 && id < count);
      data = null;
      asked = null;
      ask();
      changed();
    },
    /** A job has ended: a refused comparison is asked for again. */
    ended(job) {
      if (job.what === "compare" && job.status !== "done") asked = null;
      else ask();
    },
    answered(answer) {
      if (answer.seq !== asked) return;
      data = answer.data;
      asked = null;
      changed();
    },
  };
}
