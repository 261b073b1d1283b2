// All points as a table: the numbers behind the charts, and what was noted down.

import { build, setAttribute } from "../dom.js";
import { formatShare, formatValue, isNumber } from "../numbers.js";
import { profileAxes } from "./axes.js";
import { shorten } from "./lines.js";

const PAGE = 100;

/** The table, a page at a time. */
export function createList(actions) {
  const head = build("tr", {});
  const body = build("tbody", {});
  const table = build("table", { class: "pn-table pn-points" }, build("caption", { class: "pn-visually-hidden", text: "All visited points" }), build("thead", {}, head), body);
  const relative = build("input", { type: "checkbox" });
  const previous = build("button", { type: "button", class: "pn-button pn-small", text: "Previous" });
  const next = build("button", { type: "button", class: "pn-button pn-small", text: "Next" });
  const place = build("span", {});
  const pager = build("span", { class: "pn-choice" }, previous, next, place);
  const bar = build("div", { class: "pn-bar-of-chart" }, build("label", { class: "pn-choice" }, relative, " since the start"), pager);
  const root = build("div", { class: "pn-chart pn-scrolling" }, bar, table);
  let shown = null;
  let sorted = { key: "id", down: false };
  let page = 0;

  relative.addEventListener("change", () => redraw());
  previous.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));
  const turn = (by) => {
    page += by;
    redraw();
  };

  const redraw = () => {
    if (!shown || body.contains(root.getRootNode().activeElement?.closest?.("input[type=text]"))) return;
    const { state, points, selected } = shown;
    const axes = profileAxes(state, points);
    const columns = [{ key: "id", label: "point" }, ...axes.map((axis) => ({ key: axis.key, label: axis.label, axis })), { key: "asked", label: "reached by" }];
    head.replaceChildren(build("th", { scope: "col", text: "compare" }), build("th", { scope: "col", text: "star" }), build("td", {}), ...columns.map(heading), build("th", { scope: "col", text: "note" }));
    const ids = [...points.parent.keys()];
    const by = columns.find(({ key }) => key === sorted.key) ?? columns[0];
    const value = (id) => (by.key === "id" ? id : by.axis ? by.axis.values[id] : points.asked[id]);
    ids.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : a - b) * (sorted.down ? -1 : 1));
    const pages = Math.max(1, Math.ceil(ids.length / PAGE));
    page = Math.max(0, Math.min(page, pages - 1));
    pager.hidden = pages === 1;
    previous.disabled = page === 0;
    next.disabled = page === pages - 1;
    place.textContent = `page ${page + 1} of ${pages}`;
    body.replaceChildren(...ids.slice(page * PAGE, (page + 1) * PAGE).map((id) => row(id, state, points, selected, axes)));
  };

  const heading = ({ key, label }) => {
    const button = build("button", { type: "button", class: "pn-sort", text: shorten(label, 20), title: `${label}: sort` });
    button.addEventListener("click", () => {
      sorted = { key, down: sorted.key === key && !sorted.down };
      page = 0;
      redraw();
    });
    const direction = sorted.down ? "descending" : "ascending";
    return build("th", { scope: "col", class: "pn-right", "aria-sort": sorted.key === key ? direction : "none" }, button);
  };

  const row = (id, state, points, selected, axes) => {
    const chosen = build("input", { type: "checkbox", "aria-label": `Compare point ${id}` });
    chosen.checked = selected.includes(id);
    chosen.addEventListener("change", () => actions.toggle(id));
    const star = build("button", { type: "button", class: "pn-button pn-plain pn-star", text: points.star[id] ? "★" : "☆", "aria-label": `Star of point ${id}`, "aria-pressed": String(points.star[id]) });
    star.addEventListener("click", () => actions.star(id, !points.star[id]));
    const go = build("button", { type: "button", class: "pn-button pn-small", text: id === state.current ? "here" : "Go", "aria-label": `Go to point ${id}` });
    setAttribute(go, "disabled", id === state.current || !state.live);
    go.addEventListener("click", () => actions.go(id));
    return build(
      "tr",
      { "data-current": id === state.current },
      build("td", {}, chosen),
      build("td", {}, star),
      build("td", {}, go),
      build("th", { scope: "row", class: "pn-right", text: String(id) }),
      ...axes.map((axis) => build("td", { class: "pn-right", text: numberOf(axis, id) })),
      build("td", { class: "pn-asked", text: shorten(points.asked[id], 60), title: points.asked[id] }),
      build("td", {}, noteOf(id, points.note[id], actions, state.live)),
    );
  };
  const numberOf = (axis, id) => {
    const [value, first] = [axis.values[id], axis.values[0]];
    if (!relative.checked || id === 0) return formatValue(value);
    return isNumber(value) && first ? formatShare((value - first) / Math.abs(first)) : "";
  };

  return {
    root,
    draw(seen) {
      shown = seen;
      redraw();
    },
    ghost() {},
    destroy() {},
  };
}

/** A note that is written in place: Enter keeps it, Escape leaves it as it was. */
function noteOf(id, text, actions, live) {
  const field = build("input", { type: "text", class: "pn-note", "aria-label": `Note on point ${id}`, maxlength: "2000", placeholder: live ? "write a note" : "" });
  field.value = text;
  field.readOnly = !live;
  const keep = () => {
    if (field.value !== text) actions.note(id, field.value);
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") field.value = text;
    if (event.key === "Enter" || event.key === "Escape") {
      event.stopPropagation();
      field.blur();
    }
  });
  field.addEventListener("blur", keep);
  return field;
}
