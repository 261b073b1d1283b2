"""How far an operation is, and that it stops: the watch on its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import tensor

import paretonav as pn
from paretonav.errors import BusyError
from paretonav.objectives import Watch, watch


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watch, "time", clock)
    return clock


# What a computation may tell: where it is, a pass over batches (perhaps broken off), a part with more of the same, or
# a part that fails and is given up.
LEAVES = st.one_of(
    st.tuples(st.just("at"), st.floats(-0.5, 1.5)),
    st.tuples(st.just("pass"), st.integers(1, 5), st.integers(0, 5)),
)
WORK = st.recursive(
    st.lists(LEAVES, max_size=4),
    lambda inner: st.lists(
        st.one_of(
            LEAVES,
            st.tuples(st.just("part"), st.floats(0, 1), st.integers(1, 3), inner),
            st.tuples(st.just("failing part"), st.floats(0, 1), st.integers(1, 3), inner),
        ),
        max_size=4,
    ),
    max_leaves=20,
)


def carry_out(watch: Watch, work: list[tuple]) -> None:
    for what, *how in work:
        if what == "at":
            watch.at(how[0])
        elif what == "pass":
            count, read = how
            for number, _ in enumerate(watch.through(iter([("batch", 1)] * count), count)):
                if number == read:
                    break
        else:
            until, passes, inner = how
            try:
                with watch.part(until, f"phase {until}", passes):
                    carry_out(watch, inner)
                    if what == "failing part":
                        raise LookupError
            except LookupError:
                assert what == "failing part"


@given(WORK)
@settings(max_examples=200, deadline=None)
def test_the_fraction_never_falls_and_ends_at_one(work: list[tuple]) -> None:
    told: list[pn.Event] = []
    it = Watch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "_INTERVAL", 0.0)
        with it.over(told.append):
            carry_out(it, work)
    fractions = [event.fraction for event in told]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] == 1
    assert fractions.count(1) == 1
    assert told[-1].seconds_left == 0
    assert not it.active


@pytest.mark.usefixtures("clock")
def test_parts_share_what_encloses_them() -> None:
    it, told = Watch(), []
    with it.over(told.append):
        with it.part(0.8, "a"):
            with it.part(0.5, "b"):
                it.at(0.5)
            with it.part(1.0, "c"):
                pass
        with it.part(1.0, "d"):
            it.at(0.25)
            with it.part(0.5, "e"):
                pass
    assert [event.phase for event in told] == ["a", "b", "c", "d", "e", "e"]
    assert [event.fraction for event in told] == pytest.approx([0, 0, 0.4, 0.8, 0.85, 1])


def test_passes_take_their_share_of_what_is_left(clock: Clock) -> None:
    it, told = Watch(), []
    pairs = [("batch", 10), ("batch", 30)]
    with it.over(told.append):
        for passes in (1, 2):
            with it.part(0.4 * passes, f"{passes}", passes=passes):
                for _ in it.through(iter(pairs), 40):
                    clock.now += 1
        clock.now += 1
        it.checkpoint()
    # The first part ends at 0.4 after 0.1; the second goes on to 0.6, half way, by 0.45.
    assert [event.fraction for event in told] == pytest.approx([0, 0.1, 0.4, 0.4, 0.45, 0.6, 0.8, 1])


def test_events_come_at_most_twenty_times_a_second(clock: Clock) -> None:
    it, told = Watch(), []
    with it.over(told.append), it.part(1, "work"):
        for k in range(1000):
            clock.now += 0.001
            it.at(k / 1000)
    assert 15 <= len(told) <= 22
    assert {event.phase for event in told} == {"work"}


def test_time_left_at_a_steady_pace(clock: Clock) -> None:
    it, told = Watch(), []
    with it.over(told.append), it.part(1, "work"):
        for k in range(1, 101):
            clock.now += 0.1
            it.at(k / 100)
    assert told[0].seconds_left is None
    for event in told[2:-2]:
        assert event.seconds_left == pytest.approx(10 - event.seconds, rel=1e-6)


def test_a_slow_beginning_is_forgotten(clock: Clock) -> None:
    it, told = Watch(), []
    with it.over(told.append), it.part(1, "work"):
        clock.now += 10.0  # something is loaded
        for k in range(1, 101):
            clock.now += 0.2
            it.at(k / 100)
    middle = next(event for event in told if event.fraction >= 0.5)
    assert middle.seconds_left == pytest.approx(10, rel=0.3)  # by the mean pace it would be 20


def test_time_left_begins_with_what_an_earlier_operation_took(clock: Clock) -> None:
    it, told = Watch(), []
    with it.over(told.append, expected=4.0), it.part(1, "work"):
        for k in range(1, 101):
            clock.now += 0.08
            it.at(k / 100)
    assert told[0].seconds_left == pytest.approx(4.0)
    late = next(event for event in told if event.fraction >= 0.8)
    assert 1.0 < late.seconds_left <= 1.65  # it is 1.6 by its own pace, 0.8 by the earlier one's


@pytest.mark.usefixtures("clock")
def test_losses_are_those_seen_last() -> None:
    it, told = Watch(), []
    with it.over(told.append):
        with it.part(0.5, "first"):
            it.saw(("a", "b"), tensor([1.0, 2.0]))
        with it.part(1.0, "second"):
            pass
    assert [event.losses for event in told] == [None, {"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0}]


@pytest.mark.usefixtures("clock")
def test_cancelling_from_the_callback_stops_at_once() -> None:
    it, cancel = Watch(), threading.Event()
    with (
        pytest.raises(pn.Cancelled, match=r"cancelled \(work\); the model is as it was"),
        it.over(lambda _: cancel.set(), cancel),
        it.part(1, "work"),
    ):
        pytest.fail("it went on")
    assert not it.active


def test_what_is_swallowed_on_the_way_comes_out_all_the_same() -> None:
    it, reached = Watch(), []

    def fail(_: pn.Event) -> None:
        raise ValueError("the bar is broken")

    with pytest.raises(ValueError, match="the bar is broken"), it.over(fail):  # noqa: PT012
        try:
            with it.part(0.5, "a"):
                pass
        except ValueError as error:
            raise RuntimeError("the model failed") from error
    with pytest.raises(ValueError, match="the bar is broken"), it.over(fail):  # noqa: PT012
        try:
            with it.part(0.5, "a"):
                pass
        except ValueError:
            reached.append("on")
        it.checkpoint()
        reached.append("too far")
    assert reached == ["on"]


def test_after_the_finish_nothing_stops_it() -> None:
    it, cancel = Watch(), threading.Event()
    with it.over(None, cancel):
        it.finish()
        cancel.set()
        it.checkpoint()
        it.at(0.5)


def test_one_operation_at_a_time() -> None:
    it = Watch()
    with (
        it.over(),
        pytest.raises(pn.NavigationError, match="another operation"),
        it.over(),
    ):
        pass
    assert not it.active


def elsewhere(work):
    """What work comes to in another thread."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(work).result(timeout=60)


def test_what_another_thread_does_is_none_of_it() -> None:
    it, seen = Watch(), []

    def work() -> None:
        assert it.active
        assert it.elsewhere
        with it.part(0.9, "something else"):
            it.at(0.9)
            list(it.through(iter([("batch", 1)]), 1))
            it.checkpoint()
        it.saw(("b",), tensor([2.0]))
        it.finish()

    stop = threading.Event()
    with it.over(seen.append, stop):
        with it.part(0.5, "work"):
            elsewhere(work)
            it.at(0.2)
            assert not it.elsewhere
        with it.part(1.0, "rest"):
            stop.set()
            elsewhere(work)  # it has not been asked to stop
            stop.clear()
    assert [event.phase for event in seen] == ["work", "rest", "rest"]
    assert [event.fraction for event in seen] == [0.0, 0.5, 1.0]
    assert {event.losses for event in seen} == {None}


def test_who_would_compute_beside_an_operation_can_be_refused() -> None:
    it = Watch()
    it.require_free()
    with it.over():
        it.require_free()
        with pytest.raises(BusyError, match="wait for its end"):
            elsewhere(it.require_free)
    elsewhere(it.require_free)


def test_what_another_thread_spends_is_not_part_of_an_operation() -> None:
    problem = pn.problems.quadratic(n=4, m=2)
    theta = problem.parameters()
    with problem.watch.over():
        problem.evaluate(theta)
        elsewhere(lambda: [problem.evaluate(theta) for _ in range(5)])
        assert problem.cost.forward_passes == 1
        assert elsewhere(lambda: problem.cost.forward_passes) == 5
    assert problem.cost.forward_passes == 6
    assert problem.cost.forward_passes == 6


def test_nothing_happens_where_nothing_is_watched() -> None:
    it = Watch()
    it.checkpoint()
    it.at(0.5)
    it.finish()
    it.saw(("a",), tensor([1.0]))
    with it.part(0.5, "work"):
        assert list(it.through(iter([("batch", 1)]), 1)) == [("batch", 1)]
    assert not it.active
