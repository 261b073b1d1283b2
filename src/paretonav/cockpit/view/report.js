// The last step: what was asked, what was promised, what came of it.

import { build } from "./dom.js";
import { formatChange, formatError, formatSeconds, isNumber } from "./numbers.js";
import { buildTable } from "./table.js";
import { senseOf } from "./words.js";

const VERDICTS = { accepted: "Accepted", shortened: "Ended early", rejected: "Taken back" };
// What Python says of an outcome beside its prediction: nothing is judged here.
const COMPARED = {
  noise: { text: "noise", class: "pn-quiet", title: "Within what chance alone would do" },
  "taken back": { text: "taken back", class: "pn-quiet" },
  "nearly as predicted": { text: "nearly as predicted", title: "A little worse, within what a step is allowed" },
  "better than predicted": { text: "better ▴", class: "pn-better", title: "Better than predicted" },
  "worse than predicted": { text: "worse ▾", class: "pn-worse", title: "Worse than predicted, by more than a step is allowed" },
};

/** Draw the report of `state.step` into `root`. */
export function drawReport(root, state) {
  const { step } = state;
  if (!step) {
    const text = state.current === 0 ? "This is the starting point. What a step asked for, promised and brought will be told here."
      : "How this point was reached is not known in detail.";
    root.replaceChildren(build("p", { class: "pn-empty", text }));
    return;
  }
  const where = step.to === null ? `from point ${step.from}, which is still where you are` : `from point ${step.from} to point ${step.to}`;
  root.replaceChildren(
    build(
      "p",
      { class: "pn-verdict", "data-status": step.status },
      build("strong", { text: VERDICTS[step.status] ?? step.status }),
      ` ${where}: ${step.asked}.`,
    ),
    ...(step.reason ? [build("p", { class: "pn-step-reason", text: `${step.reason[0].toUpperCase()}${step.reason.slice(1)}` })] : []),
    buildTable("The last step: requested, predicted and achieved changes", ["", "asked", "predicted", "achieved", "verdict"], rowsOf(step)),
    build("p", { class: "pn-cost", text: costInWords(step) }),
    ...(step.words ?? []).map((text) => build("p", { class: "pn-words", text })),
  );
}

/** One sentence on a step, for the live region and the header. */
export function stepInWords(step) {
  const verdict = VERDICTS[step.status] ?? step.status;
  const where = step.to === null ? `, still at point ${step.from}` : `: now at point ${step.to}`;
  return `${verdict}${where}${step.reason ? ` (${step.reason})` : ""}.`;
}

function rowsOf(step) {
  const splits = [...new Set(step.rows.filter((row) => row.kind === "loss").map((row) => row.split))];
  const metrics = step.rows.filter((row) => row.kind !== "loss");
  const groups = splits.map((split) => [`${split} losses`, step.rows.filter((row) => row.kind === "loss" && row.split === split)]);
  if (metrics.length) groups.push(["metrics", metrics]);
  const kept = step.to !== null;
  return groups.flatMap(([group, rows]) => [...(groups.length > 1 ? [{ group }] : []), ...rows.map((row) => rowOf(row, kept))]);
}

function rowOf(row, kept) {
  const asked = row.requested === null || row.requested === undefined ? "" : row.requested === 0 ? "hold" : formatChange(row.requested);
  const sense = row.noise || !kept ? "" : senseOf(row, row.achieved, row.before);
  return [
    row.name,
    asked,
    withError(row.predicted, row.predicted_error),
    { text: withError(row.achieved, row.achieved_error), class: sense ? `pn-${sense}` : "" },
    COMPARED[row.verdict] ?? row.verdict ?? "",
  ];
}

function withError(change, error) {
  return isNumber(change) ? [formatChange(change), formatError(error)].filter(Boolean).join(" ") : "–";
}

function costInWords({ seconds, gradient_passes: passes, hessian_products: products }) {
  const parts = [
    isNumber(seconds) ? `It took ${formatSeconds(seconds)}` : "",
    isNumber(passes) ? `${Number(passes.toPrecision(2))} gradient passes over the data` : "",
    isNumber(products) ? `${products} Hessian products` : "",
  ];
  return `${parts.filter(Boolean).join(", ")}.`;
}
