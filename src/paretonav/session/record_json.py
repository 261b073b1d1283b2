"""Records as plain JSON, for the session's table and for other programs."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar, cast

from paretonav.declared import DeclaredError, fits, parts_of
from paretonav.errors import SessionError
from paretonav.objectives import Cost
from paretonav.session.codec import decode, encode, made
from paretonav.session.record import Record, Unstorable, Values
from paretonav.steering import Changes, Estimates, Preference, StepStatus
from paretonav.steering.outcome import Outcome, Part

_E = TypeVar("_E", bound=Estimates)
_PARTS = ("train", "validation", "metrics")
_CHANGES = ("requested", "predicted", "achieved")
_STORED: dict[str, Any] = {
    "id": int,
    "parent": int | None,
    "made": str,
    **dict.fromkeys(("values", *_CHANGES), dict[str, Any]),
    "weights": dict[str, float],
    "joint_gain": float | None,
    "residual": float | None,
    "cost": dict[str, Any],
    "preference": Any,
    "amount": float | None,
    "status": str | None,
    "reason": str,
    "missed": list[list[str]],
    "pull": float | None,
}


def to_json(record: Record) -> dict[str, Any]:
    """What JSON holds of a record, but for its name, note and star; a number may be infinite or NaN."""
    return {
        "id": record.id,
        "parent": record.parent,
        "made": record.made.isoformat(),
        **{name: _packed(getattr(record, name)) for name in ("values", *_CHANGES)},
        "weights": record.weights,
        "joint_gain": record.joint_gain,
        "residual": record.residual,
        "cost": asdict(record.cost),
        "preference": encode(storable(record.preference), {}),
        "amount": record.amount,
        "status": None if record.status is None else record.status.value,
        "reason": record.reason,
        "missed": [list(pair) for pair in record.missed],
        "pull": record.pull,
    }


def from_json(stored: Any, name: str = "", note: str = "", star: bool = False) -> Record:
    """The record that ``to_json`` was given.

    Raises:
        SessionError: it is not what ``to_json`` writes.
    """
    try:
        return _record(parts_of(stored, _STORED, "record"), name, note, star)
    except DeclaredError as error:
        raise SessionError(f"it holds {error}") from error
    except (
        ArithmeticError,
        RecursionError,
        ValueError,
    ) as error:  # parts of the right types that mean nothing
        raise SessionError(f"it holds a record that cannot be read: {error}") from error


def _record(stored: dict[str, Any], name: str, note: str, star: bool) -> Record:
    time = datetime.fromisoformat(stored["made"])
    if time.tzinfo is None:
        raise ValueError("its time has no time zone")
    values = _unpacked(stored["values"], Estimates)
    if not values.train:
        raise ValueError("it has no losses")
    changes = {part: _unpacked(stored[part], Changes) for part in _CHANGES}
    return Record(
        id=stored["id"],
        parent=stored["parent"],
        made=time,
        values=values,
        **changes,
        weights=_numbers(stored["weights"]),
        joint_gain=_number(stored["joint_gain"]),
        residual=_number(stored["residual"]),
        pull=_number(stored["pull"]),
        cost=made(Cost, stored["cost"]),
        preference=_preference(stored["preference"]),
        amount=_number(stored["amount"]),
        status=None if stored["status"] is None else StepStatus(stored["status"]),
        reason=stored["reason"],
        missed=tuple(_missed(pair) for pair in stored["missed"]),
        name=name,
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


def _missed(pair: list[str]) -> tuple[str, Part]:
    if len(pair) != 2 or pair[1] not in _PARTS:
        raise ValueError(f"{pair} is no loss and no metric")
    return pair[0], cast(Part, pair[1])


def _number(stored: Any) -> float | None:
    return None if stored is None else float(stored)


def _names(record: Record) -> tuple[object, ...]:
    return *(
        part.keys() for part in (record.losses, record.validation, record.metrics)
    ), record.weights.keys()


def _packed(outcome: Outcome[Any]) -> dict[str, Any]:
    parts = {name: getattr(outcome, name) for name in _PARTS}
    return {
        "split": outcome.split,
        **{name: [dict(part), part.standard_errors, part.batches] for name, part in parts.items()},
    }


def _unpacked(stored: dict[str, Any], kind: type[_E]) -> Outcome[_E]:
    if stored.keys() != {"split", *_PARTS} or stored["split"] not in ("train", "validation"):
        raise ValueError("its losses or metrics are not what paretonav writes")
    return Outcome(**{name: _estimates(stored[name], kind) for name in _PARTS}, split=stored["split"])


def _estimates(stored: Any, kind: type[_E]) -> _E:
    if not fits(stored, list[Any]) or not fits(tuple(stored), tuple[dict[str, float], dict[str, float], int]):
        raise ValueError("its losses or metrics are not what paretonav writes")
    values, errors, batches = stored
    if not errors.keys() <= values.keys():
        raise ValueError("its standard errors are of something else")
    return kind(_numbers(values), _numbers(errors), batches)


def _numbers(stored: dict[str, Any]) -> Values:
    return {name: float(value) for name, value in stored.items()}
