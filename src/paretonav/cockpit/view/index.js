// @ts-check
// The cockpit: a model's trade-offs, steered by hand.

/** @import { KeptWish, Model, Modes, More, Option, Prediction, Quantity, State, Traits } from "./types.js" */

import { createAnnouncer } from "./announcer.js";
import { drawComparison } from "./compare.js";
import { build, makeButton, setAttribute, setShown, setText, setUsable } from "./dom.js";
import { fillDownloads, saveBase64, saveBlob } from "./downloads.js";
import { oncePerFrame, onceQuiet } from "./frames.js";
import { createHeader } from "./header.js";
import { createHelp } from "./help.js";
import { createJobs } from "./jobs.js";
import { createKept } from "./kept.js";
import { createNotices } from "./notices.js";
import { createPlots } from "./plots/index.js";
import { furtherOf, ghostOf, predictNow } from "./prediction.js";
import { createOptions } from "./options.js";
import { createPlaces } from "./places.js";
import { drawReport, stepInWords } from "./report.js";
import { createRows } from "./rows.js";
import { createSelection } from "./selection.js";
import { listenForShortcuts } from "./shortcuts.js";
import { createStart } from "./start.js";
import { createSpread } from "./spread.js";
import { createSteering } from "./steering.js";
import { createSummary } from "./summary.js";
import { createTabs } from "./tabs.js";
import { followTheme } from "./theme.js";
import { createUnits } from "./units.js";
import { describeWishes } from "./wishes.js";
import { summarise } from "./words.js";

const PATIENT = 150; // ms for which old numbers stay before "…" takes their place
const SETTLING = 150; // ms without a new answer before the charts are drawn anew for it

/**
 * Show the cockpit of `model` (traits, as in anywidget) in `el`; returns how to take it away.
 * @param {{ model: Model, el: HTMLElement }} host
 */
function render({ model, el }) {
  /**
   * @template {keyof Traits} Name
   * @param {Name} name
   * @returns {Traits[Name]}
   */
  const get = (name) => model.get(name) ?? null;
  /** The state, for who knows that there is one. */
  const here = () => /** @type {State} */ (get("state"));
  const root = build("div", { class: "pn", tabindex: "-1" });
  // JupyterLab takes arrow keys for itself unless the element that has the focus says otherwise.
  root.addEventListener("focusin", (event) => /** @type {Element} */ (event.target).setAttribute("data-lm-suppress-shortcuts", "true"));
  const announcer = createAnnouncer();
  const notices = createNotices();
  const help = createHelp();

  /** @type {Option | KeptWish | null} */
  let option = null; // the option, or the wish that is kept, that is being looked at
  let dragging = false;
  /** @type {{ prediction: Prediction, current: number | null } | null} */
  let drawn = null; // the latest prediction with numbers: it stays for a moment while others are awaited
  let pendingSince = 0;
  /** @type {ReturnType<typeof createPlots> | null} */
  let plots = null;
  /** @type {State | null} */
  let shownState = null; // what is drawn, in the units of now
  /** @type {State | null} */
  let seen = null; // the state before
  let told = ""; // what the report tells
  let status = "";

  const steering = createSteering(model, () => {
    places.forget(); // something else is asked for
    paint();
  });
  const jobs = createJobs(model, steering.client, {
    changed: () => paint(),
    failed: notices.show,
    ended(job) {
      if (job.status === "cancelled") status = job.message || "Cancelled; everything is as it was.";
      if (job.status !== "done" && job.message) announcer.say(job.message);
      if (job.status === "done" && (job.what === "undo" || job.what === "go")) {
        status = `Now at point ${here().current}.`;
        announcer.say(status);
      }
      if (job.status === "done" && job.what === "cover") {
        status = get("spread")?.words[0] ?? "";
        announcer.say(status);
      }
      selection.ended(job);
    },
  });
  const selection = createSelection(model, jobs, () => {
    tabs.label("compare", selection.ids.length > 1 ? `Compare (${selection.ids.length})` : "Compare");
    if (selection.ids.length > 1) tabs.show("compare");
    drawSelection();
    plotsLater();
  });

  const blocked = () => {
    const state = here();
    if (!state.live) return "This is a saved copy.";
    if (!state.writable) return state.why_not;
    return jobs.busy ? "Something else is being done." : "";
  };
  /** @param {Prediction} prediction */
  const can = (prediction) => {
    const { parent } = here();
    const missing = steering.isAsking() ? prediction.problem : "Choose what to improve or to aim for first.";
    return { step: blocked() || missing, undo: blocked() || (parent === null ? "There is nothing to undo." : "") };
  };
  const isOpen = () => Boolean(get("state")) && here().current !== null;
  const act = {
    start: () => jobs.request("start", {}, true),
    cancel() {
      if (!jobs.running) return false;
      jobs.request("cancel");
      return true;
    },
    step() {
      if (!isOpen() || can(predict()).step) return false;
      stepFor(steering.modes());
      return true;
    },
    undo() {
      if (!isOpen() || can(predict()).undo) return false;
      jobs.request("undo", {}, true);
      return true;
    },
    /** @param {number} option */
    take: (option) => blocked() || jobs.request("take", { option }, true),
    /** @param {number} point */
    go(point) {
      const why = blocked();
      if (why) notices.show(why);
      else if (point !== here().current) jobs.request("go", { point }, true);
    },
    /** @param {number[]} ids */
    select: (ids) => selection.select(ids),
    /**
     * @param {Record<string, number>} values
     * @param {boolean} [settled]
     */
    aim: (values, settled) => steering.aim(values, settled),
    /** @param {Record<string, number>} target */
    place(target) {
      places.choose(target);
      tabs.show("place");
    },
    /**
     * @param {number} point
     * @param {boolean} on
     */
    star: (point, on) => mark("star", { point, on }),
    /**
     * @param {number} point
     * @param {string} text
     */
    name: (point, text) => mark("name", { point, text }),
    /**
     * @param {number} point
     * @param {string} text
     */
    note: (point, text) => mark("note", { point, text }),
    /** @param {string} text */
    entitle: (text) => mark("title", { text }),
  };
  /**
   * @param {"star" | "name" | "note" | "title"} cmd
   * @param {More} more
   */
  const mark = (cmd, more) => {
    const why = blocked();
    if (why) notices.show(why);
    else jobs.request(cmd, more);
  };

  /** @param {Modes} modes */
  const stepFor = (modes) => {
    jobs.request("step", { steer: { by: steering.client.by, point: here().current, modes, active: null, settled: true } }, true);
  };

  const header = createHeader({
    ...act,
    help: () => help.open(get("state")?.live !== false),
    fillDownloads: (panel) => fillDownloads(panel, here(), { ask: askForFile, picture: savePicture }),
  });
  const start = createStart(act);
  const summary = createSummary();
  const units = createUnits(() => {
    shownState = null;
    paint();
    plotsLater();
  });
  const rows = createRows(units, {
    mode: (name, mode) => steering.setMode(/** @type {Quantity} */ (here().quantities.find((quantity) => quantity.name === name)), mode),
    amount(name, wish, settled) {
      dragging = !settled;
      steering.setAmount(name, wish, settled);
    },
  });
  const options = createOptions({
    look(k) {
      option = k === null ? null : (here().options[k] ?? null);
      paint();
    },
    take: act.take,
  });
  const kept = createKept({
    look(wish) {
      option = wish;
      paint();
    },
    ask(wish) {
      option = null;
      steering.ask(wish.modes);
    },
    take(wish) {
      if (blocked()) return;
      option = null;
      steering.ask(wish.modes); // what a step was taken for is used up by it
      stepFor(wish.modes);
    },
    changed: (here) => tabs.label("kept", here ? `Kept (${here})` : "Kept"),
    kept: (wish) => here().live && jobs.request("keep", { wish }),
    dropped: ({ point, modes }) => here().live && jobs.request("drop", { wish: { point, modes } }),
  });
  kept.hear(get("kept") ?? []);
  const spread = createSpread({
    make: (count) => blocked() || jobs.request("cover", { count, steer: { by: steering.client.by, point: here().current, modes: steering.modes(), active: null, settled: true } }, true),
    stop: act.cancel,
    go: act.go,
    compare: act.select,
    only: (ids) => plots?.only(ids),
    point: (id) => plots?.point(id),
  });
  const places = createPlaces({
    look: (target) => jobs.request("route", { target }),
    go: (target) => blocked() || jobs.request("visit", { target }, true),
    visit: act.go,
    changed: () => paint(),
  });
  /** What is asked now, if it is known what it would bring. */
  const wishToKeep = () => {
    const now = option === null ? predict() : null;
    const known = now && (now.kind === "exact" || (now.kind === "map" && !here().live));
    if (!known || !now.shown || !now.train) return null;
    const { train, shown, errors = null, noise = [], trusted = true, attainable = true } = now;
    const title = describeWishes(steering.wishes, here().quantities);
    return { point: Number(here().current), modes: steering.modes(), title, train, shown, errors, noise, sure: trusted && attainable };
  };
  const keepIt = () => {
    const wish = wishToKeep();
    if (!wish) return;
    kept.keep(wish);
    tabs.show("kept");
    announcer.say(`Kept beside: ${wish.title}.`);
    paint();
  };
  const keep = makeButton("Keep beside", keepIt, { kind: "pn-plain", title: "Keep this wish and what it would bring, to compare it with others" });
  const clear = makeButton("Clear", () => steering.clear(), { kind: "pn-plain", title: "Ask for nothing" });
  const askInstead = () => {
    const offered = get("outlook")?.instead;
    if (offered) steering.ask(offered.modes);
  };
  const instead = makeButton("", askInstead, { kind: "pn-instead" });
  const caution = build("p", { class: "pn-caution", role: "note" });
  const unsure = build("p", { class: "pn-unsure-here" });
  const standing = build("p", {});
  const details = build("details", { class: "pn-standing" }, build("summary", { text: "Details" }), standing);
  details.addEventListener("toggle", () => setAttribute(root, "data-details", details.open));
  const saved = build("p", { class: "pn-saved", text: "A saved copy: the sliders show what would happen; the model cannot be moved from here." });
  const report = build("div", { class: "pn-report" });
  const comparison = build("div", { class: "pn-comparison" });
  const tabs = createTabs("About this point", [
    { key: "report", label: "Last step", content: report },
    { key: "options", label: "Options", content: options.root },
    { key: "kept", label: "Kept", content: kept.root },
    { key: "compare", label: "Compare", content: comparison },
    { key: "spread", label: "Spread", content: spread.root },
    { key: "place", label: "Place", content: places.root },
  ], {
    beside: "report",
    // What a step takes may need a batch or two to be known: it is asked for where somebody looks.
    chosen(key) {
      if (key === "spread" && isOpen() && here().live && here().writable && !here().pace) jobs.request("pace");
    },
  });
  const charts = build("div", { class: "pn-charts" });
  const steer = build(
    "section",
    { class: "pn-steer", "aria-label": "What you ask for" },
    saved,
    caution,
    build("div", { class: "pn-steer-top" }, build("div", { class: "pn-said" }, summary.root, instead), build("div", { class: "pn-steer-acts" }, clear, keep)),
    rows.root,
    unsure,
    details,
  );
  const main = build(
    "div",
    { class: "pn-main" },
    steer,
    build("section", { class: "pn-plots", "aria-label": "Charts" }, charts),
    build("section", { class: "pn-about", "aria-label": "About this point" }, tabs.root),
  );
  const frame = build("div", { class: "pn-frame" }, header.root, notices.root, start.root, main);
  root.append(frame, announcer.root, help.root);

  const predict = () =>
    predictNow({
      state: here(),
      outlook: get("outlook"),
      wishes: steering.wishes,
      option,
    });
  /**
   * What to draw: for a moment, the old numbers instead of none.
   * @param {Prediction} prediction
   */
  const steady = (prediction) => {
    const { current } = here();
    if (prediction.shown) {
      pendingSince = 0;
      drawn = { prediction, current };
      return prediction;
    }
    if (prediction.kind !== "pending") return prediction;
    if (pendingSince === 0) pendingSince = performance.now();
    if (performance.now() - pendingSince < PATIENT && drawn?.current === current) {
      paintLater();
      return drawn.prediction;
    }
    if (!here().live) giveUp();
    return prediction;
  };
  /** A saved copy knows the maps it was saved with. */
  const giveUp = () => {
    if (performance.now() - pendingSince < PATIENT) return paintLater();
    pendingSince = 0;
    notices.show("A saved copy can only vary the amounts of what was asked when it was saved.");
    return steering.restore(get("outlook"));
  };

  const drawSteering = () => {
    const state = here();
    const outlook = get("outlook");
    const trial = get("trial");
    const known = steering.isOf(outlook);
    const prediction = steady(predict());
    const measured =
      trial && !option && !dragging && trial.point === state.current && steering.isCurrent(trial) ? trial : null;
    const sentences = summarise({ state, wishes: steering.wishes, prediction, outlook: known ? outlook : null, further: furtherOf({ state, outlook, wishes: steering.wishes }), live: state.live, units: units.now, taking: jobs.running && get("job")?.what === "take" });
    summary.draw(sentences);
    if (prediction.shown && prediction.kind !== "option") {
      announcer.sayLater(sentences.filter(({ tone }) => tone !== "strong" && tone !== "quiet").map(({ text }) => text).join(" "));
    }
    const offered = outlook && steering.isCurrent(outlook) && prediction.problem ? outlook.instead : null;
    setShown(instead, Boolean(offered));
    setText(instead, offered ? `Ask for what is possible: ${offered.words}` : "");
    rows.draw({
      state,
      wishes: steering.wishes,
      prediction,
      reach: known && outlook ? outlook.reach : null,
      alone: outlook && outlook.point === state.current ? (outlook.alone ?? null) : null,
      known,
      trial: measured,
      dragging,
      locked: false,
    });
    setAttribute(root, "data-sure", String((prediction.trusted ?? true) && (prediction.attainable ?? true) && !prediction.problem));
    setAttribute(clear, "data-idle", steering.wishes.size === 0);
    setAttribute(keep, "data-idle", !steering.isAsking());
    setUsable(keep, wishToKeep() !== null, "It is not known yet what this would bring.");
    kept.draw(state, units.now, blocked());
    plots?.ghost(places.ghost() ?? ghostOf(prediction, state));
    drawWhole();
    header.draw({ state, points: get("points"), job: get("job"), busy: jobs.visible, status: status || state.why_not, can: can(prediction) });
    options.draw(state, units.now, blocked() === "", blocked());
  };
  const drawWhole = () => {
    const state = here();
    const running = jobs.running && get("job")?.what === "cover";
    spread.draw({ state, points: get("points"), spread: get("spread"), wishes: steering.wishes, running, why: blocked() });
    places.draw({ state, units: units.now, why: blocked() });
    tabs.label("spread", running ? `Spread (${get("spread")?.points.length ?? 0} new)` : "Spread");
  };
  const drawSelection = () => {
    if (isOpen()) {
      const shown = { selected: selection.ids, names: get("points")?.name ?? [], data: selection.data, live: here().live, unsure: here().unsure, units: units.now };
      drawComparison(comparison, shown, { clear: () => selection.select([]) });
    }
  };
  const drawState = () => {
    const state = here();
    if (state === shownState) return;
    const before = seen; // null: nothing was drawn yet
    shownState = state;
    seen = state;
    setAttribute(root, "aria-label", `Steering ${state.title}`);
    rows.describe(state);
    setText(unsure, state.unsure ?? "");
    setShown(unsure, Boolean(state.unsure));
    setText(standing, state.standing ?? "");
    setText(caution, state.caution ?? "");
    setShown(caution, Boolean(state.caution));
    setShown(saved, !state.live);
    tabs.label("options", state.options?.length ? `Options (${state.options.length})` : "Options");
    const tells = JSON.stringify([state.step, state.current, state.unsure, state.live, units.now]);
    if (tells !== told) drawReport(report, state, units.now, { undo: () => act.undo() || notices.show(can(predict()).undo) });
    told = tells;
    if (before === null || JSON.stringify(state.step) !== JSON.stringify(before.step)) {
      const back = ["undo", "go"].includes(state.after); // which is said once that has ended
      if (state.step && !back) status = stepInWords(state.step);
      if (before && state.step) {
        tabs.show("report");
        if (!back) announcer.say(status);
      }
    }
    drawSelection();
  };
  const draw = () => {
    const open = isOpen();
    setShown(main, open);
    setShown(header.root, open);
    setShown(start.root, !open);
    setAttribute(root, "data-open", String(open));
    if (!open) {
      start.draw(get("state"), get("job"), jobs.busy);
      return;
    }
    if (plots === null) {
      plots = createPlots(charts, act, here().objectives);
      plotsNow();
    }
    drawState();
    drawSteering();
  };
  const paint = oncePerFrame(draw);
  const paintLater = onceQuiet(() => paint(), PATIENT);
  const plotsNow = () => {
    if (plots === null || !isOpen()) return;
    plots.update({ state: here(), points: get("points"), selected: selection.ids, outlook: get("outlook"), units: units.now });
    plots.ghost(places.ghost() ?? ghostOf(predict(), here()));
  };
  const plotsLater = oncePerFrame(plotsNow);
  const plotsSettled = onceQuiet(plotsNow, SETTLING);

  /** @param {string} what */
  const askForFile = (what) => {
    const why = jobs.busy ? "Something else is being done; try again in a moment." : "";
    if (why) notices.show(why);
    else jobs.request("download", { what, point: here().current });
  };
  const savePicture = async () => {
    const blob = await plots?.picture().catch(() => null);
    if (blob) saveBlob(`${here().title.replace(/[^\w.-]+/g, "-") || "chart"}-${here().current}.png`, blob);
    else notices.show("There is no chart to make a picture of.");
  };

  let current = get("state")?.current ?? null;
  const hear = {
    state() {
      const now = get("state")?.current ?? null;
      if (now !== current) {
        current = now;
        option = null;
        dragging = false;
        rows.rescale();
        jobs.moved();
        places.forget();
        if (now !== null) steering.moved();
      }
      paint();
      plotsLater();
    },
    points() {
      paint(); // names
      plotsLater();
    },
    outlook() {
      steering.answered(get("outlook"));
      paint();
      plotsSettled();
    },
    trial: () => paint(),
    spread: () => paint(),
    kept() {
      kept.hear(get("kept") ?? []);
      paint();
    },
    answer() {
      const answer = get("answer");
      if (answer?.by !== steering.client.by) return;
      if (answer.cmd === "compare") selection.answered(answer);
      if (answer.cmd === "route") places.answered(answer);
      if (answer.cmd === "download") saveBase64(answer.data);
    },
  };
  for (const [name, heard] of Object.entries(hear)) model.on(`change:${name}`, heard);
  listenForShortcuts(root, act);
  el.append(root);
  // On a page of its own the cockpit fills the window; in a notebook it keeps to its cell.
  if (el.matches("body, body > main")) root.classList.add("pn-page");
  const forgetTheme = followTheme(root, () => plotsLater());
  draw();

  return () => {
    for (const [name, heard] of Object.entries(hear)) model.off(`change:${name}`, heard);
    for (const later of [paint, paintLater, plotsLater, plotsSettled]) later.cancel();
    for (const part of [steering.client, jobs, announcer, header, tabs]) part.destroy();
    forgetTheme();
    plots?.destroy();
    root.remove();
  };
}

export default { render };
