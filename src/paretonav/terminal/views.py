"""What is shown: points, previews, steps and help, as rich renderables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from paretonav.objectives import Cost
from paretonav.session import Comparison, Record
from paretonav.session.wording import origin, price, standing, unsure
from paretonav.steering import Changes, Option, Point, Preview, Step, StepStatus, TrainingGain
from paretonav.steering.preferences.wording import describe
from paretonav.steering.reporting.verdict import Verdict, judged
from paretonav.terminal.fitting import FittingTable
from paretonav.terminal.parser import VERBS
from paretonav.text import change, in_quotes, listed, percent, printable, relative, sentence, value, weight

Values = Mapping[str, float]

_NOISE = "noise: zero is inside the change's 95% interval"
_DATA = {"train": "training", "validation": "validation"}
_SPLITS = {"train": "train", "validation": "valid."}
_MARKS = {
    Verdict.NOISE: ("noise", "dim"),
    # No green and red: those are of the change itself, which may be for the better and less than predicted.
    Verdict.BETTER: ("better", ""),
    Verdict.WORSE: ("worse", "yellow"),
    Verdict.OTHER: ("other", ""),
}
_LEGEND = {
    _NOISE: {Verdict.NOISE},
    "better, other: than predicted": {Verdict.BETTER, Verdict.OTHER},
    "worse: than predicted, by more than a step is allowed": {Verdict.WORSE},
}
_MOST = 200  # points in a list that a person reads


def point_view(point: Point, start: Record, record: Record) -> RenderableType:
    """A point's losses, metrics and weights, compared with the start, its name, and what was noted down about it."""
    kinds = _metric_kinds(point)
    table = FittingTable("objective")
    splits: list[tuple[str, Values, Values]] = []
    if point.validation:
        splits.append(("validation\nloss", point.validation, start.validation))
    splits.append(("training\nloss", point.losses, start.losses))
    for heading, _, _ in splits:
        table.add_numbers(heading, *(["since\nstart"] if point.id else []))
    for kind in kinds:
        table.add_numbers(f"{printable(kind)}\n(validation)" if point.validation else printable(kind))
    table.add_numbers("weight")
    for name in point.losses:
        cells: list[str | Text] = []
        for _, now, first in splits:
            cells.append(value(now[name], now[name]))
            if point.id:
                cells.append(
                    _coloured(now[name] - first[name], relative(now[name] - first[name], first[name]))
                )
        cells += [_metric(f"{name} {kind}", point, start) for kind in kinds]
        table.add_row(printable(name), *cells, weight(point.weights[name]))
    loose = [
        name for name in point.metrics if not any(name == f"{o} {k}" for o in point.losses for k in kinds)
    ]
    others = [Text(f"{printable(name)}: {_metric(name, point, start)}") for name in loose]
    noted = [Text(f"Note: {printable(record.note)}", style="italic")] if record.note else []
    heading = f"Point {point.id}{_called(record)} ({origin(point)})"
    return Group(Text(heading, style="bold"), *noted, table, *others)


def outlook_view(
    point: Point, reaches: Values | None, held: Sequence[str], gain: TrainingGain | None = None
) -> RenderableType:
    """What trading costs at a point, how far it goes, and what holds it there or is still to be had for free.

    Args:
        point: where one is.
        reaches: name -> the largest amount by which it can be improved alone; None where nobody can tell.
        held: what is held meanwhile.
        gain: what training on would bring, if it has been measured.
    """
    how = "all others held" if point.anchor is None else "along the cheapest way"
    table = FittingTable("1% better on")
    table.add_column(f"costs about ({how})", ratio=1)
    if reaches is not None:
        table.add_numbers("at most")
    for name in point.losses:
        reach = [] if reaches is None else ["held" if name in held else _reach(reaches[name])]
        known = None if reaches is None or name in held else reaches[name]
        table.add_row(printable(name), price(point, name, reach=known), *reach)
    holding = f"Holding {listed([printable(name) for name in held])}. " if held else ""
    verdicts = [Text(f"{printable(name)}: {printable(c.reason)}.") for name, c in point.conflict.items()]
    where = _DATA[point.values.split]
    heading = Text(f"Is there something to trade on {where} data? Improving", style="dim")
    measured_gain = "" if gain is None else f" {sentence(gain.words)}"
    doubt = f" {unsure(point)}" if unsure(point) else ""
    where_it_stands = Text(holding + standing(point) + measured_gain + doubt)
    return Group("", table, "", heading, *verdicts, "", where_it_stands)


def preview_view(preview: Preview, point: Point, title: str) -> RenderableType:
    """What a step would do to each objective."""
    table = FittingTable("objective")
    parts = [
        (f"predicted\n{_DATA[part]}", point.values.part(part), predicted)
        for part, predicted in preview.predicted.parts(preview.on)
        if part != "metrics"
    ]
    table.add_numbers("requested")
    for heading, _, _ in parts:
        table.add_numbers(heading, "")
    moving = point.anchor is None  # else the weights stay those of the training
    table.add_numbers(*(["weight\nnow", "weight\nthen"] if moving else []))
    for name in point.losses:
        cells = [_requested(preview.requested.losses, name, parts[0][1][name])]
        for _, losses, predicted in parts:
            cells += _change_cells(predicted[name], losses[name])
        weights = [weight(x[name]) for x in (point.weights, preview.weights)] if moving else []
        table.add_row(printable(name), *cells, *weights)
    notes = [f"\nThis can be asked up to {_reach(preview.reach)}."]
    if not preview.attainable:
        nearest = listed([f"{printable(n)} {value(x, x)}" for n, x in preview.nearest.items()])
        notes = [f"\nThe model of the front here has no such outcome; the nearest has {nearest}."]
    if preview.modelled < 1:
        notes.append(
            f"The model around this point covers {preview.modelled:.0%} of it; the step will go on from there in "
            "further legs, as far as it comes, and what is predicted beyond is a guess."
        )
    elif not preview.trusted:
        notes.append("It is far: the step will go in several legs, and what the others pay is a guess.")
    predicted = preview.predicted.metrics
    noise = {name: Verdict.NOISE for name in predicted if predicted.is_noise(name)}
    metrics = _metric_table(point, preview.requested.metrics, predicted, Changes(), noise)
    return Group(Text(f"Preview: {title}", style="bold"), table, *metrics, *notes)


def options_view(options: Sequence[Option], point: Point) -> RenderableType:
    """Options with their predicted changes, on validation data where there is any."""
    table, base, senses = FittingTable("option"), point.values.shown, point.front.senses
    for name in base:
        table.add_numbers(printable(name))
    for place, option in enumerate(options, start=1):
        cells = [
            _coloured(
                senses[name] * moved,
                change(moved, base[name]) if name in point.metrics else relative(moved, base[name]),
            )
            for name, moved in option.predicted.shown.items()
        ]
        table.add_row(f"{place} {printable(option.title)}", *cells)
    where = " on validation data" if point.validation else ""
    note = Text(f"\nPredicted{where}. To take one, say for example: take 1", style="dim")
    return Group(table, note)


def step_view(step: Step | Record, before: Point) -> RenderableType:
    """What was requested, predicted and achieved, side by side; ``before`` is where the step began.

    Of the losses on the data on which they were asked for first. What was taken back has no colour.
    """
    table = FittingTable("objective")
    table.add_column("loss")
    table.add_numbers("requested", "predicted", "achieved", "std.\nerror", "change")
    table.add_column("")
    found = judged(step, before.values, before.front.senses)
    losses = [part for part, _ in step.achieved.parts(step.requested.split) if part != "metrics"]
    for name in before.losses:
        for part in losses:
            loss, first = before.values.part(part)[name], part == losses[0]
            predicted, achieved = step.predicted.part(part), step.achieved.part(part)
            table.add_row(
                printable(name) if first else "",
                _SPLITS[part],
                _requested(step.requested.part(part), name, loss) if first else "",
                *_outcome_cells(predicted, achieved, name, loss, found.part(part)[name]),
            )
    metrics: list[RenderableType] = []
    if step.achieved.metrics:
        metrics = _metric_table(
            before, step.requested.metrics, step.predicted.metrics, step.achieved.metrics, found.metrics
        )
    said = {verdict for _, part in found.parts() for verdict in part.values()}
    legend = [Text(text, style="dim") for text, verdicts in _LEGEND.items() if said & verdicts]
    heading = Text(f"Step from point {before.id}", style="bold")
    return Group(heading, table, *metrics, *legend, "", _verdict(step), _cost(step.cost))


def points_view(points: Sequence[Record], current: int, *, ascii_only: bool) -> RenderableType:
    """The visited points as a tree with their stars, names and notes; of too many, those that matter and the latest."""
    table = FittingTable("point")
    table.add_column("from", justify="right")
    for name in points[0].losses:
        table.add_numbers(printable(name))
    table.add_column("by", ratio=1)
    shown, star = _most_telling(points, current), "*" if ascii_only else "★"
    all_of_them = len(shown) == len(points)
    listed_so = tree(points, ascii_only=ascii_only) if all_of_them else (("", points[i]) for i in shown)
    for branch, point in listed_so:
        here = point.id == current
        by = "start" if point.preference is None else describe(point.preference, point.amount or 0.0)
        losses = (value(loss, loss) for loss in point.values.losses.values())
        mark = (f" {star}" if point.star else "") + (" <- here" if here else "")
        by = "\n".join([*([in_quotes(point.name)] if point.name else []), by])
        by += f"\n{printable(point.note)}" if point.note else ""
        parent = "" if point.parent is None else str(point.parent)
        table.add_row(f"{branch}{point.id}{mark}", parent, *losses, by, style="bold" if here else "")
    left_out = len(points) - len(shown)
    more = f" {left_out} of {len(points)} points are not shown." if left_out else ""
    return Group(table, Text(f"\nThe columns are {_DATA[points[0].values.split]} losses.{more}", style="dim"))


def compare_view(comparison: Comparison) -> RenderableType:
    """Points beside the first of them, one after the other: values, changes and their standard errors."""
    first, *others = comparison.records
    tables = [part for record in others for part in (_difference_table(comparison, first, record), "")]
    noisy = any(difference.noise for difference in comparison)
    return Group(*tables, *([Text(_NOISE, style="dim")] if noisy else []))


def _called(record: Record) -> str:
    return f" {in_quotes(record.name)}" if record.name else ""


def _difference_table(comparison: Comparison, first: Record, record: Record) -> Table:
    table = FittingTable("loss or metric")
    table.add_column("on")
    table.add_numbers(_heading(first), _heading(record), "change", "std.\nerror", "change")
    table.add_column("")
    shown_on = _SPLITS[first.values.split]
    for d in comparison:
        if d.point != record.id:
            continue
        before = first.values.part(d.split)[d.name]
        sense = 0.0 if d.better is None else -1.0 if d.better else 1.0
        table.add_row(
            printable(d.name),
            "train" if d.split == "train" else shown_on,
            value(before, before),
            value(d.value, before),
            _coloured(sense, change(d.change, before)),
            Text("" if d.standard_error is None else f"±{value(d.standard_error, before)}", style="dim"),
            Text(relative(d.change, before)),
            Text("noise" if d.noise else "", style="dim"),
        )
    return table


def _heading(record: Record) -> str:
    return f"point {record.id}\n{printable(record.name)}" if record.name else f"point {record.id}"


def _most_telling(points: Sequence[Record], current: int) -> list[int]:
    """The numbers of the current point, the first, those with a star, a name or a note, and the latest."""
    marked = [current, 0, *(point.id for point in points if point.star or point.name or point.note)]
    latest = (point.id for point in reversed(points))
    return sorted(list(dict.fromkeys([*marked, *latest]))[:_MOST])


def tree(points: Sequence[Record], *, ascii_only: bool) -> Iterator[tuple[str, Record]]:
    """The points below each other with the branches to draw before them; only a fork indents."""
    fork, last, through = ("|- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  ")
    children: dict[int | None, list[Record]] = {}
    for point in points:
        children.setdefault(point.parent, []).append(point)
    stack = [("", "", points[0])]
    while stack:
        branch, below, point = stack.pop()
        yield branch, point
        ahead = children.get(point.id, [])
        if len(ahead) == 1:
            stack.append((below, below, ahead[0]))
            continue
        for child in reversed(ahead):
            end = child is ahead[-1]
            stack.append((below + (last if end else fork), below + ("   " if end else through), child))


def help_view(held: Sequence[str]) -> RenderableType:
    """All commands."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", max_width=34)
    table.add_column(ratio=1)
    for verb in VERBS.values():
        table.add_row(Text(verb.usage), verb.summary)
    holding = listed([printable(name) for name in held]) or "nothing"
    notes = (
        "\nFor example: improve west 0.7 east 0.3 by 5%; hold south; undo\n"
        "Upper and lower case do not matter. Names with spaces go in quotes. Several commands on one "
        f"line are separated by semicolons. Held now: {holding}.\n"
        "Lower losses are better: a negative change is an improvement. What is asked for is about validation data, if "
        "there are any; on DATA is: on training data, or: on validation data. A weight says how much a loss counts in "
        "the weighted sum for which the point is optimal, where at zero it has nothing left to give, or on which a "
        "model that is held where it is was trained."
    )
    return Group(table, notes)


def verb_view(name: str) -> RenderableType:
    """One command."""
    verb = VERBS[name]
    return Group(Text(verb.usage, style="bold"), Text(sentence(verb.summary)))


def _metric_table(
    point: Point,
    requested: Changes,
    predicted: Changes,
    achieved: Changes,
    found: Mapping[str, Verdict],
) -> list[RenderableType]:
    """What happens to the metrics, with standard errors; nothing where there are none."""
    if not point.metrics:
        return []
    kinds = [predicted, achieved] if achieved else [predicted]
    shown, senses = kinds[-1], point.front.senses
    table = FittingTable("metric")
    table.add_numbers("now", "requested", "predicted", "std.\nerror")
    if achieved:
        table.add_numbers("achieved", "std.\nerror")
    table.add_column("")
    for name, now in point.metrics.items():
        plain = shown.is_noise(name) or found.get(name) is Verdict.TAKEN_BACK
        cells: list[str | Text] = [value(now, now), _requested(requested, name, now)]
        for changes in kinds:
            # Only the last of the two is coloured: what happened, or else what will.
            sense = 0.0 if plain or changes is not shown else senses[name]
            cells += [
                _coloured(sense * changes[name], change(changes[name], now)),
                _error(changes, name, now),
            ]
        table.add_row(printable(name), *cells, _mark(found.get(name)))
    return ["", table]


def _error(changes: Changes, name: str, like: float) -> Text:
    error = changes.error(name)
    return Text("" if error is None else f"±{value(error, like)}", style="dim")


def _coloured(x: float, text: str) -> Text:
    return Text(text, style="" if not x or text == "0" else "green" if x < 0 else "red")


def _change_cells(x: float, loss: float) -> list[Text]:
    return [_coloured(x, change(x, loss)), _coloured(x, relative(x, loss))]


def _requested(requested: Values, name: str, loss: float) -> Text:
    if name not in requested:
        return Text("free", style="dim")
    return Text("hold" if requested[name] == 0 else change(requested[name], loss))


def _outcome_cells(
    predicted: Changes, achieved: Changes, name: str, loss: float, verdict: Verdict
) -> list[Text]:
    came, plain = achieved[name], achieved.is_noise(name) or verdict is Verdict.TAKEN_BACK
    return [
        Text(change(predicted[name], loss)),
        _coloured(0.0 if plain else came, change(came, loss)),
        _error(achieved, name, loss),
        Text(relative(came, loss)),
        _mark(verdict),
    ]


def _mark(verdict: Verdict | None) -> Text:
    """How an outcome compares with its prediction, where that is worth a word."""
    return Text(*_MARKS.get(verdict, ("", ""))) if verdict else Text()


def _verdict(step: Step | Record) -> Text:
    words = {
        StepStatus.ACCEPTED: ("Accepted", "bold green"),
        StepStatus.SHORTENED: ("Shortened", "bold yellow"),
        StepStatus.REJECTED: ("Rejected", "bold red"),
    }
    word, style = words[step.status or StepStatus.ACCEPTED]
    return Text.assemble((word, style), f": {step.reason}." if step.reason else ".")


def _cost(cost: Cost) -> str:
    return (
        f"{cost.seconds:.1f} s, {cost.gradient_passes:.3g} gradient passes over the training set, "
        f"{cost.hessian_products} Hessian products."
    )


def _reach(reach: float) -> str:
    if math.isinf(reach):
        return "no limit"
    return "over 100%" if reach > 1 else percent(reach)


def _metric_kinds(point: Point) -> list[str]:
    """The ``kind`` of metrics that every objective has one of, named "<objective> <kind>"."""
    first = next(iter(point.losses))
    kinds = [name[len(first) + 1 :] for name in point.metrics if name.startswith(f"{first} ")]
    return [kind for kind in kinds if all(f"{name} {kind}" in point.metrics for name in point.losses)]


def _metric(name: str, point: Point, start: Record) -> str:
    now = point.metrics[name]
    if not point.id or name not in start.metrics:
        return value(now, now)
    return f"{value(now, now)} ({change(now - start.metrics[name], now)})"
