"""What comes from a view, checked: it may be anybody's."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from paretonav.errors import ParetonavError

Kind = Literal["improve", "hold", "limit", "aim"]
_NUMBER = {"improve": "percent", "limit": "value", "aim": "value"}
COMMANDS = ("start", "step", "take", "cancel", "undo", "go", "star", "note", "compare", "download")
DOWNLOADS = ("model", "card", "csv", "json")
_LONGEST_NOTE = 10_000
_MOST_COMPARED = 20
_LONGEST_NAME = 100  # of a view
_LARGEST = 2**53  # up to which a browser's whole numbers are exact


class MessageError(ParetonavError, ValueError):
    """A message from a view that makes no sense: a mistake in the view, or somebody who is none."""


@dataclass(frozen=True)
class Mode:
    """What is wanted of one quantity.

    Attributes:
        kind: improve it, hold it, limit what it may pay, or aim at a value.
        number: per cent to improve by, the worst acceptable value, or the value aimed at; 0 to hold.
    """

    kind: Kind
    number: float = 0.0

    def told(self) -> dict[str, object]:
        """As a view has it."""
        return (
            {"mode": self.kind}
            if self.kind == "hold"
            else {"mode": self.kind, _NUMBER[self.kind]: self.number}
        )


@dataclass(frozen=True)
class Steer:
    """What is wanted, as it stands in a view.

    Attributes:
        by: which view.
        seq: its count, which the answer carries.
        point: where it was said.
        modes: name -> what is wanted; free is what is not there.
        active: the quantity that is being changed.
        settled: whether the hand is off the slider.
    """

    by: str | None = None
    seq: int | None = None
    point: int | None = None
    modes: Mapping[str, Mode] = field(default_factory=dict)
    active: str | None = None
    settled: bool = False

    def told(self) -> dict[str, object]:
        """As views hear it: what was understood of the message, and nothing else that came with it."""
        return {
            "by": self.by,
            "seq": self.seq,
            "point": self.point,
            "modes": {name: mode.told() for name, mode in self.modes.items()},
            "active": self.active,
            "settled": self.settled,
        }

    @property
    def kinds(self) -> dict[str, Kind]:
        """Name -> what is wanted, without how much."""
        return {name: mode.kind for name, mode in self.modes.items()}


@dataclass(frozen=True)
class Request:
    """A command.

    Attributes:
        by: which view, None for none.
        seq: its count.
        cmd: one of ``COMMANDS``.
        expected_current: where the view believes to be; what was meant for another point is refused.
        steer: of "step".
        option: of "take".
        point: of "go", "star", "note", "download".
        on: of "star".
        text: of "note".
        points: of "compare".
        what: of "download".
    """

    by: str | None
    seq: int | None
    cmd: str
    expected_current: int | None = None
    steer: Steer | None = None
    option: int = 0
    point: int | None = None
    on: bool = True
    text: str = ""
    points: tuple[int, ...] = ()
    what: str = ""


def steer_of(message: object, names: Sequence[str]) -> Steer:
    """Read a steer; ``names`` are the quantities there are.

    Raises:
        MessageError: it is none.
    """
    given = _mapping(message, "steer")
    modes = _mapping(given.get("modes", {}), "modes")
    return Steer(
        by=_view(given),
        seq=_integer(given, "seq"),
        point=_integer(given, "point"),
        modes={name: _mode(name, modes[name], names) for name in names if name in modes}
        | {name: _mode(name, modes[name], names) for name in modes if name not in names},
        active=_text(given, "active"),
        settled=given.get("settled") is True,
    )


def request_of(message: object, names: Sequence[str]) -> Request:
    """Read a request.

    Raises:
        MessageError: it is none.
    """
    given = _mapping(message, "request")
    cmd = given.get("cmd")
    if cmd not in COMMANDS:
        raise MessageError(f"there is no command {cmd!r:.40}; there are {', '.join(COMMANDS)}")
    points = given.get("points", [])
    if not isinstance(points, Sequence) or isinstance(points, str) or len(points) > _MOST_COMPARED:
        raise MessageError(f"points is no list of at most {_MOST_COMPARED} numbers of points")
    what = given.get("what", "")
    if cmd == "download" and what not in DOWNLOADS:
        raise MessageError(f"there is no download {what!r:.40}; there are {', '.join(DOWNLOADS)}")
    point = _integer(given, "point")
    if point is None and cmd in ("go", "star", "note"):
        raise MessageError(f"{cmd} needs the number of a point")
    return Request(
        by=_view(given),
        seq=_integer(given, "seq"),
        cmd=str(cmd),
        expected_current=_integer(given, "expected_current"),
        steer=steer_of(given.get("steer"), names) if cmd == "step" else None,
        option=_integer(given, "option") or 0,
        point=point,
        on=given.get("on", True) is True,
        text=(_text(given, "text") or "")[:_LONGEST_NOTE],
        points=tuple(_whole(point, "a point") for point in points),
        what=str(what),
    )


def _mode(name: object, given: object, names: Sequence[str]) -> Mode:
    if name not in names:
        raise MessageError(f"there is no objective or metric {name!r:.60}")
    mode = _mapping(given, "a mode")
    kind = mode.get("mode")
    if kind == "hold":
        return Mode("hold")
    if not isinstance(kind, str) or kind not in _NUMBER:
        raise MessageError(f"there is no mode {kind!r:.40}; there are improve, hold, limit and aim")
    number = _finite(mode.get(_NUMBER[kind]))
    if number is None:
        raise MessageError(f"{_NUMBER[kind]} of {name!r:.60} is no finite number; give one")
    return Mode(kind, number)  # type: ignore[arg-type]  # one of the keys


def _finite(number: object) -> float | None:
    """A number as a float; None if it is none, or too large for one."""
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return None
    return float(number) if abs(number) <= sys.float_info.max else None


def _mapping(given: object, what: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise MessageError(f"{what} is no object")
    return given


def _text(given: Mapping[str, Any], key: str) -> str | None:
    text = given.get(key)
    if text is not None and not isinstance(text, str):
        raise MessageError(f"{key} is no text")
    return text


def _view(given: Mapping[str, Any]) -> str | None:
    by = _text(given, "by")
    if by is not None and len(by) > _LONGEST_NAME:
        raise MessageError(f"by has more than {_LONGEST_NAME} characters")
    return by


def _integer(given: Mapping[str, Any], key: str) -> int | None:
    return None if given.get(key) is None else _whole(given[key], key)


def _whole(number: object, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or abs(number) > _LARGEST:
        raise MessageError(f"{what} is no whole number up to 2^53")
    return number
