"""All points as one table, for notebooks and spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from paretonav.errors import needing
from paretonav.session.record import Record
from paretonav.steering.outcome import Outcome, Part
from paretonav.steering.preferences.wording import describe
from paretonav.text import DUST

if TYPE_CHECKING:
    from pandas import DataFrame

_FORMULAS = (*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the start of a formula, the last ones in full width."""

_SIZED = ("train loss: ", "metric: ")
_TEXTS = ("preference", "status", "reason", "name", "note")
_PARTS: dict[Part, str] = {"train": "train", "validation": "validation", "metrics": "metric"}


def table(records: Sequence[Record]) -> DataFrame:
    """One row per point; see ``Session.table``."""
    with needing("tables", "a table"):
        import pandas as pd

    columns: dict[str, Any] = {
        "id": [r.id for r in records],
        "parent": pd.array([r.parent for r in records], dtype="Int64"),
        "made": pd.to_datetime([r.made for r in records], utc=True),
        "preference": [preference_text(r) for r in records],
        "amount": _floats(r.amount for r in records),
        "on": ["" if r.on is None else r.on for r in records],
        "status": ["" if r.status is None else r.status.value for r in records],
        "reason": [r.reason for r in records],
        "name": [r.name for r in records],
        "note": [r.note for r in records],
        "star": [r.star for r in records],
    }
    columns |= _measured(records, "{} loss", lambda r: r.values)
    columns |= _named("weight", records, lambda r: r.weights)
    columns["joint gain"] = _floats(r.joint_gain for r in records)
    columns["residual"] = _floats(r.residual for r in records)
    columns["pull"] = _floats(r.pull for r in records)
    columns |= _named("requested change", records, lambda r: r.requested.shown)
    columns |= _measured(records, "predicted {} change", lambda r: r.predicted)
    columns |= _measured(records, "achieved {} change", lambda r: r.achieved)
    columns["seconds"] = _floats(r.cost.seconds for r in records)
    columns["gradient passes"] = _floats(r.cost.gradient_passes for r in records)
    columns["Hessian products"] = _floats(r.cost.hessian_products for r in records)
    return pd.DataFrame(columns)


def csv(frame: DataFrame) -> str:
    """A table as CSV in which no text is a formula: one that could be is preceded by an apostrophe.

    Nor is a change one that arithmetic alone has left behind: that is 0.
    """
    safe = _dustless(frame)
    for name in _TEXTS:
        safe[name] = [f"'{text}" if text.startswith(_FORMULAS) else text for text in frame[name]]
    text: str = safe.to_csv(index=False, lineterminator="\r\n")  # else a \r in a note would not be quoted
    return text


def _dustless(frame: DataFrame) -> DataFrame:
    """A copy in which changes are 0 that are next to nothing beside what changes."""
    cleaned = frame.copy()
    losses = [name for name in frame if name.startswith("train loss: ")]
    sizes = {name.partition(": ")[2]: frame[name].abs() for name in frame if name.startswith(_SIZED)}
    for column in frame:
        kind, _, name = column.partition(": ")
        size = sizes.get(name) if kind.endswith(" change") else None
        if column == "joint gain":
            size = frame[losses].abs().sum(axis=1)
        if size is not None:
            cleaned[column] = frame[column].mask(frame[column].abs() <= DUST * size, 0.0)
    return cleaned


def preference_text(record: Record) -> str:
    """What was asked for to come here, in words; empty for the first point."""
    if record.preference is None:
        return ""
    return describe(record.preference, record.amount or 0.0)


def _measured(
    records: Sequence[Record], kind: str, of: Callable[[Record], Outcome[Any]]
) -> dict[str, list[float]]:
    """The columns of losses on training and validation data, and of metrics, each with its standard errors."""
    columns: dict[str, list[float]] = {}
    for part, word in _PARTS.items():
        name = "metric" if kind == "{} loss" and part == "metrics" else kind.format(word)
        columns |= _named(name, records, lambda r, part=part: of(r).part(part))  # type: ignore[misc]
        columns |= _named(f"{name} s.e.", records, lambda r, part=part: of(r).part(part).standard_errors)  # type: ignore[misc]
    return columns


def _named(
    kind: str, records: Sequence[Record], of: Callable[[Record], Mapping[str, float]]
) -> dict[str, list[float]]:
    """A column for each name that any of the records has, not a number where one has none."""
    rows = [of(record) for record in records]
    names = dict.fromkeys(name for row in rows for name in row)
    return {f"{kind}: {name}": [row.get(name, float("nan")) for row in rows] for name in names}


def _floats(values: Iterable[float | None]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]
