// The last step: what was asked, what was promised, what came of it.

import { build, makeButton } from "./dom.js";
import { formatChangeOf, formatError, formatSeconds, isNumber } from "./numbers.js";
import { buildTable } from "./table.js";
import { senseOf } from "./words.js";

const VERDICTS = { accepted: "Accepted", shortened: "Ended early", rejected: "Taken back" };
// What Python says of an outcome beside its prediction: nothing is judged here.
const COMPARED = {
  noise: { text: "noise", class: "pn-quiet", title: "Within what chance alone would do" },
  "taken back": { text: "taken back", class: "pn-quiet" },
  "nearly as predicted": { text: "nearly as predicted", title: "A little worse, within what a step is allowed" },
  "better than predicted": { text: "better than predicted" },
  "worse than predicted": { text: "worse than predicted", class: "pn-odd", title: "By more than a step is allowed" },
};
const SURPRISES = ["worse than predicted", "other than predicted"];

/** Draw the report of `state.step` into `root`; `on.undo()`. */
export function drawReport(root, state, on) {
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
    ...undoing(state, on),
    ...(step.reason ? [build("p", { class: "pn-step-reason", text: `${step.reason[0].toUpperCase()}${step.reason.slice(1)}` })] : []),
    buildTable("The last step: requested, predicted and achieved changes", ["", "asked", "predicted", "achieved", "beside the prediction"], rowsOf(step, state.unsure)),
    ...(state.unsure ? [build("p", { class: "pn-unsure", text: state.unsure })] : []),
    build("p", { class: "pn-cost", text: costInWords(step) }),
    ...(step.words ?? []).map((text) => build("p", { class: "pn-words", text })),
  );
}

/** The way back, in sight where a step has brought something that nobody had asked for or expected. */
function undoing({ live, step }, on) {
  const surprised = step.status === "shortened" || step.rows.some((row) => SURPRISES.includes(row.verdict));
  if (!live || step.to === null || !surprised) return [];
  const back = makeButton(`Undo: back to point ${step.from}`, on.undo, { title: "Back to where this step began; its point is kept (Ctrl+Z)" });
  return [build("p", { class: "pn-undo" }, "Not all of it came as predicted. ", back)];
}

/** One sentence on a step, for the live region and the header. */
export function stepInWords(step) {
  const verdict = VERDICTS[step.status] ?? step.status;
  const where = step.to === null ? `, still at point ${step.from}` : `: now at point ${step.to}`;
  return `${verdict}${where}${step.reason ? ` (${step.reason})` : ""}.`;
}

function rowsOf(step, unsure) {
  const splits = [...new Set(step.rows.filter((row) => row.kind === "loss").map((row) => row.split))];
  const metrics = step.rows.filter((row) => row.kind !== "loss");
  const groups = splits.map((split) => [`${split} losses`, step.rows.filter((row) => row.kind === "loss" && row.split === split)]);
  if (metrics.length) groups.push(["metrics", metrics]);
  const kept = step.to !== null;
  return groups.flatMap(([group, rows]) => [...(groups.length > 1 ? [{ group }] : []), ...rows.map((row) => rowOf(row, kept, unsure))]);
}

function rowOf(row, kept, unsure) {
  const asked =
    row.requested === null || row.requested === undefined ? "" : row.requested === 0 ? "hold" : formatChangeOf(row.requested, row.before);
  const sense = row.noise || !kept || unsure ? "" : senseOf(row, row.achieved, row.before);
  return [
    row.name,
    asked,
    withError(row.predicted, row.predicted_error, row.before),
    { text: withError(row.achieved, row.achieved_error, row.before), class: sense ? `pn-${sense}` : "" },
    COMPARED[row.verdict] ?? row.verdict ?? "",
  ];
}

function withError(change, error, before) {
  return isNumber(change) ? [formatChangeOf(change, before), formatError(error)].filter(Boolean).join(" ") : "–";
}

function costInWords({ seconds, gradient_passes: passes, hessian_products: products }) {
  const parts = [
    isNumber(seconds) ? `It took ${formatSeconds(seconds)}` : "",
    isNumber(passes) ? `${Number(passes.toPrecision(2))} gradient passes over the data` : "",
    isNumber(products) ? `${products} Hessian products` : "",
  ];
  return `${parts.filter(Boolean).join(", ")}.`;
}
