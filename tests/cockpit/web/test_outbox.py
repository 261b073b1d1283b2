"""What waits for a slow client: the newest values, in the order of their last change, and the end of every job."""

import asyncio
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretonav.cockpit.web.outbox import Outbox, Parcel, as_json

pytestmark = pytest.mark.usefixtures("no_loop")


def taken(outbox):
    return [json.loads(parcel.text) for parcel in asyncio.run(outbox.take())]


def job(number, status):
    return Parcel("job", {"id": number, "status": status})


def test_only_the_newest_value_waits_and_jobs_are_not_lost():
    outbox = Outbox()
    outbox.put(job(1, "running"))
    outbox.put(Parcel("state", 1))
    outbox.put(job(1, "running"))
    outbox.put(Parcel("state", 2))
    outbox.put(job(1, "failed"))
    outbox.put(job(2, "running"))
    outbox.put(Parcel("answer", {"by": "a", "seq": 1}))
    outbox.put(Parcel("answer", {"by": "b", "seq": 1}))
    assert taken(outbox) == [
        {"state": 2},
        {"job": {"id": 1, "status": "failed"}},
        {"job": {"id": 2, "status": "running"}},
        {"answer": {"by": "a", "seq": 1}},
        {"answer": {"by": "b", "seq": 1}},
    ]


TRAITS = st.tuples(st.sampled_from(["state", "points", "outlook", "steer"]), st.integers(0, 9))


@given(st.lists(TRAITS))
def test_any_run_of_values_ends_with_the_last_of_each(said):
    outbox = Outbox()
    for trait, value in said:
        outbox.put(Parcel(trait, value))
    if said:
        got = taken(outbox)
        assert {name: value for message in got for name, value in message.items()} == dict(said)
        assert len(got) == len(dict(said))
        assert not outbox.full


def test_who_does_not_read_is_told_apart_and_keeps_no_memory():
    outbox = Outbox()
    for number in range(1000):
        outbox.put(job(number, "refused"))
    assert outbox.full
    assert taken(outbox) == []


def test_the_end_comes_after_what_waits():
    outbox = Outbox()
    outbox.put(Parcel("state", 1))
    outbox.end()
    assert not outbox.ended
    assert taken(outbox) == [{"state": 1}]
    assert outbox.ended


def test_a_value_is_written_down_once_for_all():
    parcel = Parcel("state", {"a": 1})
    assert parcel.text is parcel.text


@settings(max_examples=30)
@given(
    st.recursive(st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_what_is_sent_is_json(value):
    def refuse(constant):
        raise AssertionError(constant)

    back = json.loads(as_json(value), parse_constant=refuse)
    if isinstance(value, float):
        assert back == value if math.isfinite(value) else back is None


def test_what_cannot_be_written_down_keeps_nothing_else_back():
    deep = math.inf
    for _ in range(600):
        deep = [deep]
    odd = {"deep": deep, "large": 10**400, "thing": object(), "bytes": b"", "fine": 1, "not": math.nan}
    said = json.loads(as_json({"state": odd}))["state"]
    assert said.pop("fine") == 1
    while said["deep"]:
        said["deep"] = said["deep"][0]
    assert set(said.values()) == {None}
    parcels = [Parcel("received", {"what": ["steer"], "seq": deep}), Parcel("answer", {"by": [1], "seq": {}})]
    assert all(json.loads(parcel.text) for parcel in parcels)
