"""An exception at any line while a point is kept, or Ctrl-C, leaves session, navigator and model with each other."""

import itertools
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch

import paretonav as pn
from paretonav.undisturbed import undisturbed


def problem() -> pn.Problem:
    return pn.problems.quadratic(n=4, m=2)


def step(nav: pn.Navigator) -> None:
    nav.step(pn.Improve({("f1", "f2")[nav.here.id % 2]: 1.0}), 0.01)


def go_back(nav: pn.Navigator) -> None:
    nav.go_to(1 - min(nav.here.id, 1))


OPERATIONS: dict[str, tuple[Callable[[pn.Navigator], None], str]] = {
    "step": (step, "accept"),
    "go to": (go_back, "go_to"),
    "note": (lambda nav: nav.session.note(0, f"at {nav.here.id}"), "note"),
}


Place = tuple[str, int, int]
"""File, line, and for how many times it is run in one frame; a ``with`` is run twice."""


@contextmanager
def at_each_place(function: str, act: Callable[[Place], None]) -> Iterator[None]:
    """Call ``act`` before each line that is run, in whatever file, from when a function is called."""
    begun = False

    def enter(frame: FrameType, *_: object) -> Any:
        nonlocal begun
        if not begun and frame.f_code.co_name != function:
            return None
        if not begun:
            begun = True
            outer = frame.f_back
            while outer is not None and outer.f_code is not at_each_place.__wrapped__.__code__:  # type: ignore[attr-defined]
                outer.f_trace = lines()
                outer = outer.f_back
        return lines()

    def lines() -> Callable[[FrameType, str, object], Any]:
        visits: Counter[int] = Counter()

        def line(frame: FrameType, event: str, _: object) -> Any:
            if event == "line":
                visits[frame.f_lineno] += 1
                act((frame.f_code.co_filename, frame.f_lineno, visits[frame.f_lineno]))
            return line

        return line

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)


def places_of(function: str, work: Callable[[], object]) -> list[Place]:
    """All of them, in their order; of loops the first two turns."""
    places: dict[Place, None] = {}
    with at_each_place(function, lambda place: places.setdefault(place)):
        work()
    return [(file, line, visit) for file, line, visit in places if visit <= 2 and file != __file__]


@contextmanager
def interrupted_at(place: Place, function: str) -> Iterator[None]:
    done = False

    def interrupt(here: Place) -> None:
        nonlocal done
        if here == place and not done:
            done = True
            raise KeyboardInterrupt

    with at_each_place(function, interrupt):
        yield


def require_consistent(nav: pn.Navigator) -> None:
    session = nav.session
    assert session.current is not None
    assert session.current.id == nav.here.id
    assert [record.id for record in session] == list(range(len(session)))
    assert torch.equal(nav.problem.parameters(), nav.here.parameters)
    views = [session] if session.path is None else [session, pn.Session(session.path)]
    for view in views:
        assert len(view) == len(session)
        assert view.current is not None
        assert view.current.id == nav.here.id
        assert view[0].note == session[0].note
        for record in (view[nav.here.id], view[len(view) - 1]):
            point = view.point(record.id)
            assert (point.id, point.parent, point.losses) == (record.id, record.parent, record.losses)
    assert torch.equal(views[-1].point(nav.here.id).parameters, nav.here.parameters)


KEEPING = (
    "navigator",
    "position",
    "journal",
    "session",
    "archive",
    "folder",
    "database",
    "undisturbed",
    "watch",
    "contextlib",
)


def keeps(place: Place) -> bool:
    """Whether it is where points are kept, rather than turned into bytes."""
    return Path(place[0]).stem in KEEPING


def others(place: Place) -> bool:
    """All other places, in the first turn of a loop."""
    return not keeps(place) and place[2] == 1


# Python cannot close a file whose closing is broken off.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("among", [keeps, pytest.param(others, marks=pytest.mark.slow)])
@pytest.mark.parametrize("where", ["in memory", pytest.param("on disk", marks=pytest.mark.slow)])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_interrupt_at_any_line_leaves_everything_consistent(
    tmp_path: Path, operation: str, where: str, among: Callable[[Place], bool]
) -> None:
    carry_out, function = OPERATIONS[operation]
    folders = (tmp_path / f"s{i}" if where == "on disk" else None for i in itertools.count())

    def fresh() -> pn.Navigator:
        nav = pn.Navigator(problem(), session=next(folders))
        nav.start()
        step(nav)
        return nav

    nav = fresh()
    places = [place for place in places_of(function, lambda: carry_out(nav)) if among(place)]
    interrupts, inconsistent = 0, {}
    for place in places:
        try:
            with interrupted_at(place, function):
                carry_out(nav)
        except KeyboardInterrupt:
            interrupts += 1
        try:
            require_consistent(nav)
            with pytest.raises(KeyboardInterrupt):  # Ctrl-C works as before
                signal.raise_signal(signal.SIGINT)
        except AssertionError as error:
            inconsistent[place] = str(error)
        if inconsistent or len(nav.session) > 10:
            nav = fresh()
    assert not inconsistent
    assert interrupts > 0.9 * len(places) > 9
    carry_out(nav)
    require_consistent(nav)


@contextmanager
def slow_disk(seconds: float) -> Iterator[None]:
    flush = os.fsync

    def slow(handle: int) -> None:
        time.sleep(seconds)
        flush(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", slow)
        yield


def test_ctrl_c_comes_before_a_point_is_kept_or_after_it(tmp_path: Path) -> None:
    """Where a disk takes its time, most of a step is spent there."""
    nav = pn.Navigator(problem(), session=tmp_path / "s")
    nav.start()
    draw, came = random.Random(0), 0
    with slow_disk(0.01):
        for _ in range(12):
            before = len(nav.session)
            timer = threading.Timer(draw.uniform(0.0, 0.06), os.kill, (os.getpid(), signal.SIGINT))
            try:
                timer.start()
                step(nav)
                timer.join()
                time.sleep(1)  # the signal comes here, if it has not come
            except KeyboardInterrupt:
                came += 1
            timer.join()
            assert len(nav.session) - before in (0, 1)
            require_consistent(nav)
    assert came == 12
    nav.session.close()
    assert pn.Navigator(problem(), session=tmp_path / "s").here.id == nav.here.id


def test_a_signal_is_put_off_to_the_end() -> None:
    told: list[str] = []

    def handler(*_: object) -> None:
        told.append("signal")
        raise KeyboardInterrupt

    def work() -> None:
        undisturbed(lambda: signal.raise_signal(signal.SIGINT))  # one within another
        signal.raise_signal(signal.SIGTERM)
        told.append("done")

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(KeyboardInterrupt):
            undisturbed(work)
        assert told == ["done", "signal"]
        assert all(signal.getsignal(number) is handler for number in before)
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def test_in_other_threads_signals_are_nobodys_business() -> None:
    done: list[bool] = []
    thread = threading.Thread(target=lambda: done.append(undisturbed(lambda: True)))
    thread.start()
    thread.join()
    assert done == [True]


def test_after_an_interrupt_no_operation_is_under_way() -> None:
    """Wherever it comes in the watch, what is asked for next is done."""
    nav = pn.Navigator(problem())
    nav.start()
    places = [
        p for p in places_of("watched", lambda: step(nav)) if Path(p[0]).name in ("watch.py", "contextlib.py")
    ]
    assert len(places) > 40
    for place in places:
        with suppress(KeyboardInterrupt), interrupted_at(place, "watched"):
            step(nav)
        assert not nav.problem.watch.active, place
        require_consistent(nav)


def test_who_asks_while_an_operation_is_under_way_does_not_end_it() -> None:
    nav = pn.Navigator(problem())
    nav.start()
    refused: list[str] = []

    def again(_: pn.Event) -> None:
        with pytest.raises(pn.NavigationError, match="another operation is under way") as caught:
            nav.step(pn.Improve({"f1": 1.0}), 0.01)
        assert nav.problem.watch.active
        refused.append(str(caught.value))

    nav.step(pn.Improve({"f1": 1.0}), 0.01, on_event=again)
    assert refused
    assert nav.here.id == 1
