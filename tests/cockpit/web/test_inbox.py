"""Whatever is sent, it is understood or refused in words."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretonav.cockpit.web.inbox import LARGEST, NonsenseError, messages_of

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["steer", "request"]), inner),
)


def test_what_a_view_says():
    assert messages_of('{"steer": {"by": "me"}}') == [("steer", {"by": "me"})]
    assert messages_of('{"request": {"cmd": "undo"}, "steer": {}}') == [
        ("request", {"cmd": "undo"}),
        ("steer", {}),
    ]
    assert messages_of("{}") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "are text"),
        ("", "are JSON"),
        ("[" * 10_000, "are JSON"),
        ('{"steer": {"seq": NaN}}', "are JSON"),
        ('{"steer": {"seq": ' + "9" * 5000 + "}}", "are JSON"),
        ('{"steer": {"modes": {"f1": {"mode": "aim", "value": 1e999}}}}', "finite"),
        ('{"steer": {"modes": {"f1": {"mode": "aim", "value": 1' + "0" * 400 + "}}}}", "finite"),
        ('{"steer": {"more": ' + "[" * 600 + "1" + "]" * 600 + "}}", "levels"),
        ("[]", "is no message"),
        ('{"state": {}}', "only steer and request"),
        ('{"steer": [1]}', "'steer' is .*not an object"),
        ('{"steer": null}', "'steer' is .*not an object"),
        (" " * (LARGEST + 1), "up to 65536"),
    ],
)
def test_nonsense(text, says):
    with pytest.raises(NonsenseError, match=says):
        messages_of(text)


def test_a_long_number_is_a_number():
    number = "1" + "0" * 19  # as browsers write it
    said = messages_of('{"steer": {"value": ' + number + "}}")
    assert said == [("steer", {"value": 1e19})]


@settings(max_examples=30)
@given(JSON.map(json.dumps) | st.text())
def test_anything(text):
    try:
        for name, content in messages_of(text):
            assert name in ("steer", "request")
            assert isinstance(content, dict)
    except NonsenseError:
        pass
