"""What comes from a view, checked: it may be anybody's."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from paretonav.declared import AtMost, DeclaredError, parts_of
from paretonav.errors import ParetonavError

Kind = Literal["improve", "hold", "limit", "aim"]
Command = Literal[
    "start",
    "step",
    "take",
    "cancel",
    "undo",
    "go",
    "cover",
    "route",
    "visit",
    "pace",
    "star",
    "name",
    "note",
    "title",
    "keep",
    "drop",
    "compare",
    "download",
]
_PARTS = {"improve": "percent", "limit": "value", "aim": "value"}
_LONGEST_NOTE = 10_000  # letters: a few pages; chosen, so that no note makes every later message long


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
            else {"mode": self.kind, _PARTS[self.kind]: self.number}
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
        cmd: which.
        expected_current: where the view believes to be; what was meant for another point is refused.
        steer: of "step"; and of "cover", within whose bounds it stays.
        option: of "take".
        point: of "go", "star", "name", "note", "download".
        on: of "star".
        text: of "name", "note" and "title".
        points: of "compare".
        what: of "download".
        wish: of "keep" and "drop": what is asked for at which point, and to keep it, what was predicted.
        count: of "cover": how many models.
        target: of "route" and "visit": name -> the value to come to.
    """

    by: str | None
    seq: int | None
    cmd: Command
    expected_current: int | None = None
    steer: Steer | None = None
    option: int = 0
    point: int | None = None
    on: bool = True
    text: str = ""
    points: tuple[int, ...] = ()
    what: str = ""
    wish: Mapping[str, Any] = field(default_factory=dict)
    count: int = 0
    target: Mapping[str, float] = field(default_factory=dict)


_WHOLE = Annotated[int, AtMost(2**53, "up to 2^53")]  # beyond, a browser's are not exact
_NUMBER = Annotated[float, AtMost(sys.float_info.max, "that is finite")]
_VIEW = Annotated[str, AtMost(100, "of at most 100 characters")]
_STEER = {
    "by": _VIEW,
    "seq": _WHOLE,
    "point": _WHOLE,
    "modes": dict[str, Any],
    "active": str,
    "settled": bool,
}
_REQUEST: dict[str, Any] = {
    "by": _VIEW,
    "seq": _WHOLE,
    "cmd": Command,
    "expected_current": _WHOLE,
    "steer": dict[str, Any],
    "option": _WHOLE,
    "point": _WHOLE,
    "on": bool,
    "text": str,
    "points": Annotated[list[_WHOLE], AtMost(20, "of at most 20 points")],
    "what": Literal["model", "card", "csv", "json", "page"],
    "wish": dict[str, Any],
    "count": Annotated[int, AtMost(200, "up to 200")],
    "target": dict[str, _NUMBER],
}
_WISHED = {"point": _WHOLE, "modes": dict[str, Any]}
_KEPT = {
    "title": Annotated[str, AtMost(1000, "of at most 1000 characters")],
    "train": list[_NUMBER],
    "shown": list[_NUMBER],
    "errors": list[_NUMBER | None] | None,
    "noise": list[bool],
    "sure": bool,
}
_NEEDED = {
    "step": ("steer",),
    "go": ("point",),
    "star": ("point",),
    "name": ("point",),
    "note": ("point",),
    "title": ("text",),
    "keep": ("wish",),
    "drop": ("wish",),
    "cover": ("count",),
    "route": ("target",),
    "visit": ("target",),
    "download": ("what",),
}


def steer_of(message: object, names: Sequence[str]) -> Steer:
    """Read a steer; ``names`` are the quantities there are.

    Raises:
        MessageError: it is none.
    """
    given = _parts_of(message, _STEER, "steer")
    modes = given["modes"] or {}
    for name in modes:
        if name not in names:
            raise MessageError(f"there is no objective or metric {name!r:.60}")
    return Steer(
        by=given["by"],
        seq=given["seq"],
        point=given["point"],
        modes={name: _mode(modes[name], name) for name in names if name in modes},
        active=given["active"],
        settled=bool(given["settled"]),
    )


def request_of(message: object, names: Sequence[str]) -> Request:
    """Read a request.

    Raises:
        MessageError: it is none.
    """
    given = _parts_of(message, _REQUEST, "request")
    needed = ("cmd", *_NEEDED.get(given["cmd"], ()))
    _parts_of(message, {name: _REQUEST[name] for name in needed}, "request", all_there=True)
    target = given["target"] or {}
    for name in target:
        if name not in names:
            raise MessageError(f"there is no objective or metric {name!r:.60}")
    steered = given["cmd"] == "step" or (given["cmd"] == "cover" and given["steer"] is not None)
    return Request(
        by=given["by"],
        seq=given["seq"],
        cmd=given["cmd"],
        expected_current=given["expected_current"],
        steer=steer_of(given["steer"], names) if steered else None,
        option=given["option"] or 0,
        point=given["point"],
        on=given["on"] is not False,
        text=(given["text"] or "")[:_LONGEST_NOTE],
        points=tuple(given["points"] or ()),
        what=given["what"] or "",
        wish=_wish(given["wish"], names, kept=given["cmd"] == "keep") if given["wish"] is not None else {},
        count=given["count"] or 0,
        target={name: float(goal) for name, goal in target.items()},
    )


def _wish(message: object, names: Sequence[str], *, kept: bool) -> dict[str, Any]:
    """What is asked for at a point, and where it is to be kept, what was predicted for it."""
    given = _parts_of(message, _WISHED | (_KEPT if kept else {}), "wish", all_there=True)
    asked = {name: _mode(mode, name).told() for name, mode in given["modes"].items() if name in names}
    if len(asked) != len(given["modes"]):
        raise MessageError("this is a wish for what is no objective or metric")
    if kept:
        errors = given["errors"] or given["shown"]
        each = {len(given["shown"]), len(errors), len(given["noise"])}
        if each != {len(names)} or not 0 < len(given["train"]) <= len(names):
            raise MessageError("this is a wish with predictions for other objectives or metrics")
    return given | {"modes": {name: asked[name] for name in names if name in asked}}


def _mode(given: object, name: str) -> Mode:
    what = f"wish for {name[:60]!r}"
    kind: Kind = _parts_of(given, {"mode": Kind}, what, all_there=True)["mode"]
    if kind == "hold":
        return Mode(kind)
    number = _PARTS[kind]
    return Mode(kind, float(_parts_of(given, {number: _NUMBER}, what, all_there=True)[number]))


def _parts_of(
    given: object, declared: Mapping[str, Any], what: str, *, all_there: bool = False
) -> dict[str, Any]:
    try:
        return parts_of(given, declared, what, all_there=all_there)
    except DeclaredError as error:
        raise MessageError(f"this is {error}") from error
