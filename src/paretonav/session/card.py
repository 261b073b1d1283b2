"""The model card of a choice: what was traded for what, how, and on which data."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata

import torch

from paretonav.objectives import Cost
from paretonav.session.card_rows import before, difference_cells, step_rows, value_rows
from paretonav.session.compare import Comparison, Difference
from paretonav.session.markdown import escaped, quote, table
from paretonav.session.record import Record
from paretonav.session.wording import standing, unsure
from paretonav.steering import Point
from paretonav.steering.preferences.wording import describe
from paretonav.text import change, listed, relative, weight

_DATA = {"train": "training", "validation": "validation"}


@dataclass(frozen=True, eq=False)
class Card:
    """What a model card says.

    Attributes:
        path: the records from the first point to the chosen one.
        points: how many the session has.
        chosen: the point.
        since_start: how it differs from the first one; None if it is the first.
        title: of the session; empty if it has none.
    """

    path: tuple[Record, ...]
    points: int
    chosen: Point
    since_start: Comparison | None
    title: str = ""

    def __str__(self) -> str:
        sections = (
            self._headline(),
            self._traded(),
            self._steps(),
            self._standing(),
            self._data(),
            self._origin(),
        )
        return "\n\n".join("\n".join(section) for section in sections) + "\n"

    @property
    def record(self) -> Record:
        """Of the chosen point."""
        return self.path[-1]

    def _headline(self) -> Iterator[str]:
        record, steps = self.record, len(self.path) - 1
        called = f"{escaped(record.name)}, " if record.name else ""
        where = f": {escaped(self.title)}" if self.title else ""
        yield f"# Model card: {called}point {record.id} of a Pareto navigation{where}"
        yield ""
        names = listed([escaped(name) for name in record.losses])
        if steps:
            way = " → ".join(str(r.id) for r in self.path) if steps <= 20 else f"0 → … → {record.id}"
            yield f"The model trades {names} against each other. It was chosen among {self.points} points and reached"
            yield f"in {steps} step{'s' if steps > 1 else ''} from the first one (points {way})."
        else:
            yield f"The model trades {names} against each other. It is the first point of {self.points}, where no"
            yield "preference had been stated yet."
        if record.note:
            yield ""
            yield from quote(record.note)

    def _traded(self) -> Iterator[str]:
        if self.since_start is None:
            yield "## Losses"
            yield ""
            yield from table(("", "value", "std. error"), value_rows(self.record))
            return
        first = self.path[0]
        yield "## What was traded for what"
        yield ""
        differences = list(self.since_start)
        shown = first.values.split
        yield _in_words([d for d in differences if d.split in (shown, "metrics")], first, _DATA[shown])
        yield ""
        yield from table(
            ("", "at the start", "chosen", "change", "", "std. error", ""),
            (difference_cells(difference, first) for difference in differences),
        )
        yield ""
        yield "Lower losses are better. Standard errors are of paired per-batch differences; noise is what lies"
        yield "within the 95 % interval around no change."

    def _steps(self) -> Iterator[str]:
        yield "## How it was reached"
        yield ""
        held = self.path[0].pull is not None
        where = "with the model as it was" if held else "on the front"
        yield f"It began at point 0, {where} before any preference."
        for parent, record in zip(self.path, self.path[1:], strict=False):
            yield ""
            yield f"### From {_called(parent)} to {_called(record)}"
            yield ""
            asked = (
                "something" if record.preference is None else describe(record.preference, record.amount or 0)
            )
            outcome = "" if record.status is None else f" The step was {record.status.value}"
            reason = f": {escaped(record.reason)}" if record.reason else ""
            yield f"Asked for: {escaped(asked)}.{outcome}{reason}."
            yield ""
            yield from table(
                ("", "asked for", "expected", "achieved", "std. error", ""), step_rows(parent, record)
            )
            if record.note and record is not self.record:
                yield ""
                yield from quote(record.note)

    def _standing(self) -> Iterator[str]:
        record = self.record
        held = self.chosen.anchor is not None
        yield "## Where it stands" if held else "## Where it stands on the front"
        yield ""
        if held:
            yield standing(self.chosen)
            yield "It was trained on a weighted sum of the losses, with these weights:"
        else:
            yield "It is optimal for a weighted sum of the losses, with these weights:"
        yield ""
        yield from table(
            ("objective", "weight"), ([escaped(name), weight(w)] for name, w in record.weights.items())
        )
        yield ""
        if record.joint_gain is not None:
            yield standing(self.chosen)
        yield f"Whether there is a conflict on {_DATA[record.values.split]} data, or only noise:"
        yield ""
        for name, verdict in self.chosen.conflict.items():
            yield f"- improving {escaped(name)}: {escaped(verdict.reason)}"

    def _data(self) -> Iterator[str]:
        record = self.record
        yield "## Data"
        yield ""
        train, validation = record.losses.batches, record.validation.batches
        how = "planned" if self.chosen.anchor is not None else "planned and corrected"
        yield f"- Training data ({_batches(train)}): the steps were {how} on its losses."
        if not record.validation:
            yield "- No validation data were given: nothing here says how the model does on other data."
        else:
            what = "losses and metrics" if record.metrics else "losses"
            asked = any(r.on == "validation" for r in self.path)
            made = "the steps were made for them" if asked else "the choice was made in sight of them"
            yield f"- Validation data ({_batches(validation)}): {what} were measured on it at every point, and"
            yield f"  {made}, so they flatter the chosen model a little."
        if doubt := unsure(self.chosen):
            yield f"- {doubt}"
        yield "- Test data were never used. An unbiased figure needs data that nobody has looked at."

    def _origin(self) -> Iterator[str]:
        total = sum((record.cost for record in self.path), Cost())
        yield "## Cost and software"
        yield ""
        yield f"The points on the way took {total.seconds:.3g} s, {total.gradient_passes:.3g} gradient passes over the"
        yield f"training data and {total.hessian_products} Hessian-vector products, the first point included."
        yield f"The point was made on {self.record.made:%Y-%m-%d at %H:%M} UTC. This card was written by paretonav"
        yield f"{_version()} with PyTorch {escaped(torch.__version__)} and Python {platform.python_version()}."


def _called(record: Record) -> str:
    return f"point {record.id}{f' ({escaped(record.name)})' if record.name else ''}"


def _in_words(differences: Sequence[Difference], first: Record, split: str) -> str:
    """What got better, what worse, and what stayed, in one sentence."""
    groups: dict[str, list[str]] = {"better": [], "worse": [], "changed": [], "no change beyond noise": []}
    for d in differences:
        there = before(d, first)
        size = change(d.change, there) if d.split == "metrics" else relative(d.change, there)
        word = (
            "no change beyond noise"
            if d.noise
            else {True: "better", False: "worse", None: "changed"}[d.better]
        )
        groups[word].append(escaped(d.name) + ("" if d.noise else f" ({size})"))
    told = [f"{word}: {listed(names)}" for word, names in groups.items() if names]
    return f"Since the start, on {split} data: {'; '.join(told)}."


def _batches(count: int) -> str:
    return f"{count} batches" if count > 1 else "in one piece"


def _version() -> str:
    try:
        return metadata.version("paretonav")
    except metadata.PackageNotFoundError:  # run from a copy that was not installed
        return "(not installed)"
