"""Records as plain JSON, for the session's table and for other programs."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal, TypeVar, cast

from paretonav.errors import SessionError
from paretonav.objectives import Cost
from paretonav.session.codec import decode, encode, made
from paretonav.session.record import Record, Unstorable, Values
from paretonav.session.typed import fits
from paretonav.steering import Changes, Estimates, Preference, StepStatus

_E = TypeVar("_E", bound=Estimates)
_MEASURED = ("losses", "validation", "metrics")
_CHANGES = (
    "predicted",
    "predicted_validation",
    "predicted_metrics",
    "achieved",
    "achieved_validation",
    "achieved_metrics",
)
_STORED: dict[str, Any] = {
    "id": int,
    "parent": int | None,
    "made": str,
    **dict.fromkeys((*_MEASURED, *_CHANGES), list[Any] | None),
    "weights": dict[str, float],
    "joint_gain": float | None,
    "residual": float | None,
    "cost": dict[str, Any],
    "preference": Any,
    "amount": float | None,
    "status": str | None,
    "reason": str,
    "requested": dict[str, float],
    "on": Literal["validation", "train"] | None,
    "missed": list[list[str]],
    "pull": float | None,
}
_LATER = {"on", "missed", "pull"}  # not noted by the first versions


def to_json(record: Record) -> dict[str, Any]:
    """What JSON holds of a record, but for its note and star; a number may be infinite or NaN."""
    return {
        "id": record.id,
        "parent": record.parent,
        "made": record.made.isoformat(),
        **{name: _packed(getattr(record, name)) for name in (*_MEASURED, *_CHANGES)},
        "weights": record.weights,
        "joint_gain": record.joint_gain,
        "residual": record.residual,
        "cost": asdict(record.cost),
        "preference": encode(storable(record.preference), {}),
        "amount": record.amount,
        "status": None if record.status is None else record.status.value,
        "reason": record.reason,
        "requested": record.requested,
        "on": record.on,
        "missed": [list(pair) for pair in record.missed],
        "pull": record.pull,
    }


def from_json(stored: dict[str, Any], note: str = "", star: bool = False) -> Record:
    """The record that ``to_json`` was given.

    Raises:
        SessionError: it is not what ``to_json`` writes.
    """
    try:
        return _record(_checked(stored), note, star)
    except (
        ArithmeticError,
        RecursionError,
        ValueError,
    ) as error:  # parts of the right types that mean nothing
        raise SessionError(f"it holds a record that cannot be read: {error}") from error


def _checked(stored: Any) -> dict[str, Any]:
    """What is stored, if all its parts are there and of the right types."""
    if not fits(stored, dict[str, Any]):
        raise SessionError("it holds no record")
    for name, hint in _STORED.items():
        if name not in stored and name not in _LATER:
            raise SessionError(f"it holds a record without {name!r}")
        if name in stored and not fits(stored[name], hint):
            raise SessionError(f"it holds a record whose {name!r} is not what paretonav writes")
    return cast(dict[str, Any], stored)


def _record(stored: dict[str, Any], note: str, star: bool) -> Record:
    time = datetime.fromisoformat(stored["made"])
    if time.tzinfo is None:
        raise ValueError("its time has no time zone")
    measured = {name: _unpacked(stored[name], Estimates) for name in _MEASURED}
    changes = {name: _unpacked(stored[name], Changes) for name in _CHANGES}
    losses, metrics = measured["losses"], measured["metrics"]
    if losses is None or metrics is None:
        raise ValueError("it has no losses")
    return Record(
        id=stored["id"],
        parent=stored["parent"],
        made=time,
        losses=losses,
        validation=measured["validation"],
        metrics=metrics,
        **changes,
        weights=_numbers(stored["weights"]),
        joint_gain=_number(stored["joint_gain"]),
        residual=_number(stored["residual"]),
        pull=_number(stored.get("pull")),
        cost=made(Cost, stored["cost"]),
        preference=_preference(stored["preference"]),
        amount=_number(stored["amount"]),
        status=None if stored["status"] is None else StepStatus(stored["status"]),
        reason=stored["reason"],
        requested=_numbers(stored["requested"]),
        on=stored.get("on"),
        missed=tuple(_missed(pair) for pair in stored.get("missed", ())),
        note=note,
        star=star,
    )


def require_tree(records: Sequence[Record]) -> None:
    """Raise ``ValueError`` if records are not numbered from 0, each reached from an earlier one, all of one problem."""
    for i, record in enumerate(records):
        if record.id != i or (record.parent is not None if i == 0 else record.parent not in range(i)):
            raise ValueError("the points make no tree")
        if _names(record) != _names(records[0]):
            raise ValueError(f"point {i} is of another problem than point 0")


def storable(preference: Preference | None) -> Preference | None:
    """The preference, or what it says of itself where it is of a kind that is not known here."""
    try:
        encode(preference, {})
    except SessionError:
        return Unstorable(repr(preference))
    return preference


def _preference(stored: Any) -> Preference | None:
    preference = decode(stored, {})
    if not (
        preference is None or hasattr(preference, "wish")
    ):  # isinstance of a protocol takes ten times as long
        raise ValueError(f"{reprlib.repr(preference)} is no preference")
    return cast(Preference | None, preference)


def _missed(pair: list[str]) -> tuple[str, str]:
    if len(pair) != 2 or pair[1] not in ("training", "validation", ""):
        raise ValueError(f"{pair} is no loss and no metric")
    return pair[0], pair[1]


def _number(stored: Any) -> float | None:
    return None if stored is None else float(stored)


def _names(record: Record) -> tuple[object, ...]:
    validation = None if record.validation is None else record.validation.keys()
    return record.losses.keys(), record.metrics.keys(), record.weights.keys(), validation


def _packed(estimates: Estimates | None) -> list[Any] | None:
    if estimates is None:
        return None
    return [dict(estimates), estimates.standard_errors, estimates.batches]


def _unpacked(stored: list[Any] | None, kind: type[_E]) -> _E | None:
    if stored is None:
        return None
    if not fits(tuple(stored), tuple[dict[str, float], dict[str, float] | None, int]):
        raise ValueError("its losses or metrics are not what paretonav writes")
    values, errors, batches = stored
    if errors is not None and errors.keys() != values.keys():
        raise ValueError("its standard errors are of something else")
    return kind(_numbers(values), None if errors is None else _numbers(errors), batches)


def _numbers(stored: dict[str, Any]) -> Values:
    return {name: float(value) for name, value in stored.items()}
