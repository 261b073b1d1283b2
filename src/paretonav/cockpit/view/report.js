// @ts-check
// The last step: what was asked, what was promised, what came of it.

/** @import { Cell, Group, State, Step, StepRow, Units } from "./types.js" */

import { build, makeButton } from "./dom.js";
import { formatSeconds, isNumber } from "./numbers.js";
import { buildTable } from "./table.js";
import { tellWithError } from "./units.js";
import { ENDINGS, senseOf } from "./words.js";

const COLUMNS = ["Quantity", "asked", "predicted", "achieved", "compared"];
const SURPRISES = ["worse than predicted", "other than predicted"];

/**
 * Draw the report of `state.step` into `root`; `on.undo()`.
 * @param {HTMLElement} root
 * @param {State} state
 * @param {Units} units
 * @param {{ undo(): void }} on
 */
export function drawReport(root, state, units, on) {
  const { step } = state;
  const details = /** @type {HTMLDetailsElement | null} */ (root.querySelector(".pn-details"));
  const open = details?.open ?? false; // who reads the details goes on reading them
  if (!step) {
    const text = state.current === 0 ? "This is the starting point. What a step asked for, promised and brought will be told here."
      : "How this point was reached is not known in detail.";
    root.replaceChildren(build("p", { class: "pn-empty", text }));
    return;
  }
  const where = step.to === null ? `from point ${step.from}, which is still where you are` : `from point ${step.from} to point ${step.to}`;
  const [first, ...others] = groupsOf(step);
  const metrics = others.filter(([, rows]) => rows[0].kind !== "loss");
  const aside = others.filter(([, rows]) => rows[0].kind === "loss");
  /**
   * @param {string} caption
   * @param {[string, StepRow[]][]} groups
   */
  const table = (caption, groups) => buildTable(caption, COLUMNS, groups.flatMap(([group, rows]) => [{ group }, ...rows.map((row) => rowOf(row, step, state.unsure, units))]));
  root.replaceChildren(
    build(
      "p",
      { class: "pn-verdict", "data-status": step.status },
      build("strong", { text: capital(ENDINGS[step.status] ?? step.status) }),
      ` ${where}: ${step.asked}.`,
    ),
    ...undoing(state.live, step, on),
    ...(step.reason ? [build("p", { class: "pn-step-reason", text: capital(step.reason) })] : []),
    table("The last step: asked, predicted and achieved changes", [...(first ? [first] : []), ...metrics]),
    ...(state.unsure ? [build("p", { class: "pn-unsure", text: state.unsure })] : []),
    build(
      "details",
      { class: "pn-details", open },
      build("summary", { text: "Details of this step" }),
      ...(step.words ?? []).map((text) => build("p", { class: "pn-words", text })),
      ...(aside.length ? [table("The same on other data", aside)] : []),
      build("p", { class: "pn-cost", text: costInWords(step) }),
    ),
  );
}

/**
 * The way back, in sight where a step has brought something that nobody had asked for or expected.
 * @param {boolean} live
 * @param {Step} step
 * @param {{ undo(): void }} on
 */
function undoing(live, step, on) {
  const surprised = step.status === "shortened" || step.rows.some((row) => SURPRISES.includes(row.verdict));
  if (!live || step.to === null || !surprised) return [];
  const back = makeButton(`Undo: back to point ${step.from}`, on.undo, { title: "Back to where this step began; its point is kept (Ctrl+Z)" });
  return [build("p", { class: "pn-undo" }, "Not all of it came as predicted. ", back)];
}

/**
 * One sentence on a step, for the live region and the header.
 * @param {Step} step
 */
export function stepInWords(step) {
  const verdict = capital(ENDINGS[step.status] ?? step.status);
  const where = step.to === null ? `, still at point ${step.from}` : `: now at point ${step.to}`;
  return `${verdict}${where}${step.reason ? ` (${step.reason})` : ""}.`;
}

/**
 * [[heading, rows]]: the losses on the data they were asked for on, those on other data, the metrics.
 * @param {Step} step
 * @returns {[string, StepRow[]][]}
 */
function groupsOf(step) {
  const splits = [...new Set(step.rows.filter((row) => row.kind === "loss").map((row) => row.split))];
  const metrics = step.rows.filter((row) => row.kind !== "loss");
  /** @type {[string, StepRow[]][]} */
  const groups = splits.map((split) => [`Losses on ${split} data`, step.rows.filter((row) => row.kind === "loss" && row.split === split)]);
  return metrics.length ? [...groups, ["Metrics", metrics]] : groups;
}

/**
 * @param {StepRow} row
 * @param {Step} step
 * @param {string} unsure
 * @param {Units} units
 * @returns {Cell[]}
 */
function rowOf(row, step, unsure, units) {
  const asked =
    row.requested === null || row.requested === undefined ? "" : row.requested === 0 ? "hold" : tellWithError(row.requested, null, row.before, units);
  const judged = !row.noise && step.to !== null && !unsure;
  const sense = judged ? senseOf(row, row.achieved, row.before) : "";
  return [
    row.name,
    asked,
    tellWithError(row.predicted, row.predicted_error, row.before, units),
    { text: tellWithError(row.achieved, row.achieved_error, row.before, units), class: sense ? `pn-${sense}` : "" },
    comparedOf(row),
  ];
}

/**
 * What Python says of an outcome beside its prediction: nothing is judged here, only said of what it is the less or the more.
 * @param {StepRow} row
 * @returns {Cell}
 */
function comparedOf(row) {
  const { verdict } = row;
  if (verdict === "noise") return { text: "noise", class: "pn-quiet", title: "Within what chance alone would do" };
  if (verdict === "taken back") return { text: "taken back", class: "pn-quiet" };
  if (verdict === "nearly as predicted") return { text: "nearly as predicted", title: "A little worse, within what a step is allowed" };
  if (verdict !== "worse than predicted") return verdict ?? "";
  const better = senseOf(row, row.achieved, row.before) === "better";
  return { text: better ? "better, but less than predicted" : "worse than predicted", class: "pn-odd", title: "By more than a step is allowed" };
}

/** @param {string} text */
function capital(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** @param {Step} step */
function costInWords({ seconds, gradient_passes: passes, hessian_products: products }) {
  const parts = [
    isNumber(seconds) ? `It took ${formatSeconds(seconds)}` : "",
    isNumber(passes) ? `${Number(passes.toPrecision(2))} gradient passes over the data` : "",
    isNumber(products) ? `${products} Hessian products` : "",
  ];
  return `${parts.filter(Boolean).join(", ")}.`;
}
