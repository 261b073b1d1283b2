"""What a view says, and what it may not say."""

from __future__ import annotations

from typing import Any

import pytest

from paretonav.cockpit.messages import MessageError, Mode, request_of, steer_of

NAMES = ("f1", "f2")


def test_a_steer_is_read_in_the_order_of_the_quantities() -> None:
    said = {
        "by": "page",
        "seq": 3,
        "modes": {"f2": {"mode": "hold"}, "f1": {"mode": "improve", "percent": 5}},
        "settled": True,
        "unheard of": [],
    }
    steer = steer_of(said, NAMES)
    assert list(steer.modes.items()) == [("f1", Mode("improve", 5.0)), ("f2", Mode("hold"))]
    assert (steer.by, steer.seq, steer.point, steer.active, steer.settled) == ("page", 3, None, None, True)


def test_what_is_not_said_of_a_request_is_as_usual() -> None:
    request = request_of({"cmd": "star", "point": 2}, NAMES)
    assert (request.cmd, request.point, request.on, request.option, request.points) == (
        "star",
        2,
        True,
        0,
        (),
    )
    assert not request_of({"cmd": "star", "point": 2, "on": False}, NAMES).on


def test_a_note_is_cut_where_it_is_too_long() -> None:
    assert len(request_of({"cmd": "note", "point": 0, "text": "a" * 20_000}, NAMES).text) == 10_000


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ([], "no request"),
        ({}, "without 'cmd'"),
        ({"cmd": "fly"}, "'cmd' is 'fly', not 'start'"),
        ({"cmd": "go"}, "without 'point'"),
        ({"cmd": "go", "point": 1.5}, "'point' is 1.5, not a whole number"),
        ({"cmd": "go", "point": 2**60}, r"not a whole number up to 2\^53"),
        ({"cmd": "download"}, "without 'what'"),
        ({"cmd": "download", "what": "all"}, "'what' is 'all'"),
        ({"cmd": "compare", "points": list(range(30))}, "a list of at most 20 points"),
        ({"cmd": "undo", "by": "a" * 101}, "text of at most 100 characters"),
        ({"cmd": "undo", "seq": True}, "'seq' is True"),
        ({"cmd": "step"}, "without 'steer'"),
        ({"cmd": "step", "steer": {"modes": []}}, r"'modes' is \[\], not an object"),
        ({"cmd": "step", "steer": {"modes": {"f3": {"mode": "hold"}}}}, "no objective or metric 'f3'"),
        ({"cmd": "step", "steer": {"modes": {"f1": 3}}}, "no wish for 'f1'"),
        ({"cmd": "step", "steer": {"modes": {"f1": {"mode": "worsen"}}}}, "'mode' is 'worsen'"),
        ({"cmd": "step", "steer": {"modes": {"f1": {"mode": "aim"}}}}, "wish for 'f1' without 'value'"),
        (
            {"cmd": "step", "steer": {"modes": {"f1": {"mode": "aim", "value": float("inf")}}}},
            "'value' is inf, not a number that is finite",
        ),
        ({"cmd": "step", "steer": {"modes": {"f1": {"mode": "aim", "value": 10**400}}}}, "that is finite"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_part(message: Any, says: str) -> None:
    with pytest.raises(MessageError, match=says):
        request_of(message, NAMES)
