// @ts-check
// The selected points, and how they compare.

/** @import { Answer, Compared, Job, Model, Points, State } from "./types.js" */

import { compareColumns } from "./compare.js";

/**
 * Selected points; `changed()` when others are selected or a comparison has come.
 * @param {Model} model
 * @param {{ running: boolean, request(cmd: "compare", more: { points: number[] }): number }} jobs
 * @param {() => void} changed
 */
export function createSelection(model, jobs, changed) {
  /** @type {number[]} */
  let selected = [];
  /** @type {Compared | null} */
  let data = null;
  /** @type {number | null} */
  let asked = null; // number of the request that is awaited
  const ask = () => {
    const state = /** @type {State} */ (model.get("state"));
    if (selected.length < 2 || data !== null || asked !== null) return;
    if (!state.live) data = compareColumns(/** @type {Points} */ (model.get("points")), state.quantities, selected, state.split);
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
    /** @param {number[]} ids */
    select(ids) {
      const count = model.get("points")?.parent.length ?? 0;
      selected = [...new Set(ids)].filter((id) => Number.isInteger(id) && id >= 0 && id < count);
      data = null;
      asked = null;
      ask();
      changed();
    },
    /**
     * A job has ended: a refused comparison is asked for again.
     * @param {Job} job
     */
    ended(job) {
      if (job.what === "compare" && job.status !== "done") asked = null;
      else ask();
    },
    /** @param {Answer & { cmd: "compare" }} answer */
    answered(answer) {
      if (answer.seq !== asked) return;
      data = answer.data;
      asked = null;
      changed();
    },
  };
}
