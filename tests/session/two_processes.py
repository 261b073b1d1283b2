"""Writers and readers of one session, forked from this process; run by ``test_processes.py``.

``FOLDER`` is where they meet. Any failure ends the process with a trace.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

import paretonav as pn
from paretonav.session import Journal

POINTS = 25


def problem() -> pn.Problem:
    return pn.problems.quadratic(n=4, m=2)


def fork(does: Callable[[], object]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        does()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def wait(*pids: int) -> None:
    statuses = [os.waitpid(pid, 0)[1] for pid in pids]
    assert not any(statuses), statuses


def write(folder: Path, points: int, looks: Sequence[int] = ()) -> None:
    """Steps, goes back and notes things down; until there are ten points, each reader looks before each of them.

    Args:
        folder: of the session.
        points: how many there shall be.
        looks: for each reader, where it says that it has looked.
    """
    nav = pn.Navigator(problem(), session=folder)
    assert nav.session.writable
    nav.start()
    names = nav.problem.names
    while len(nav.records) < points:
        for look in looks if len(nav.records) < 10 else ():
            assert os.read(look, 1)
        nav.step(pn.Improve({names[len(nav.records) % 2]: 1.0}), 0.01)
        nav.session.note(len(nav.records) - 1, "here")
        if len(nav.records) % 5 == 0:
            nav.go_to(len(nav.records) // 2)


def read(folder: Path, points: int, looked: int) -> None:
    """Sees a tree that grows and never changes otherwise, and says whenever it has looked."""
    while not (folder / "session.db").exists():
        time.sleep(0.01)
    session, looks = None, 0
    seen: tuple[pn.Record, ...] = ()
    while len(seen) < points:
        time.sleep(0.01)
        if session is None or looks % 7 == 0:  # a fresh reader, too
            try:
                session = pn.Session(folder)
            except pn.SessionError as error:
                assert "yet" in str(error) and not seen, error  # noqa: PT017, PT018
                continue
        records, current = session.records, session.current
        assert len(records) >= len(seen)
        for old, new in zip(seen, records, strict=False):
            assert (old.id, old.parent, old.losses, old.made) == (new.id, new.parent, new.losses, new.made)
        for record in records[max(0, len(seen) - 1) :]:
            point = session.point(record.id)
            assert point.losses == record.losses
            assert Journal(session).tangent(record.id) is not None
        assert current is not None or not records
        seen, looks = records, looks + 1
        os.write(looked, b".")
    assert looks >= 10, looks


def one_of_two_wins(folder: Path) -> None:
    """All start at the same moment; one writes until the others have said who does."""
    for attempt in range(10):
        here = folder / f"race-{attempt}"
        results, into = os.pipe()
        gate, opens = os.pipe()
        saw, says = os.pipe()

        def contend(
            here: Path = here,
            gate: int = gate,
            into: int = into,
            opens: int = opens,
            saw: int = saw,
            says: int = says,
        ) -> None:
            os.close(opens)
            os.read(gate, 1)
            session = pn.Session(here, write=True)
            if session.writable:
                os.write(into, b"w")
                pn.Navigator(problem(), session=session).start()
                for _ in range(2):
                    assert os.read(saw, 1)
            else:
                os.write(says, b".")
                assert session.owner.startswith("process "), session.owner
                os.write(into, b"r")
                try:
                    pn.Navigator(problem(), session=session).step(pn.Improve({"f1": 1.0}), 0.01)
                except pn.NavigationError:
                    return
                raise AssertionError("a reader has taken a step")

        pids = [fork(contend) for _ in range(3)]
        os.close(gate)
        os.close(opens)  # now
        wait(*pids)
        outcome = sorted(os.read(results, 10))
        assert bytes(outcome) == b"rrw", outcome
        for end in (results, into, saw, says):
            os.close(end)
        assert len(pn.Session(here)) == 1


def a_writer_is_killed_under_a_reader(folder: Path) -> None:
    """The reader reads on, another writer takes over, and the reader sees what that adds."""
    for attempt in range(5):
        here = folder / f"killed-{attempt}"
        writer = fork(lambda here=here: write(here, 1000))  # type: ignore[misc]
        while not (here / "points" / "000001.safetensors").exists():
            time.sleep(0.01)
        reader = pn.Session(here)
        time.sleep(0.13 * attempt)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        before = len(reader)
        for record in reader:
            assert reader.point(record.id).losses == record.losses
        with pn.Session(here, write=True) as session:
            assert session.writable
            nav = pn.Navigator(problem(), session=session)
            nav.step(pn.Improve({"f2": 1.0}), 0.01)
            assert len(reader) == before + 1
            assert reader.current is not None
            assert reader.current.id == nav.here.id


def a_forked_copy_of_the_writer_does_not_write(folder: Path) -> None:
    """As a data loader's worker has one: it must not write, and its end must not let go of the lock."""
    with pn.Session(folder / "forked", write=True) as session:
        nav = pn.Navigator(problem(), session=session)
        nav.start()

        def copy() -> None:
            assert not session.writable
            try:
                nav.step(pn.Improve({"f1": 1.0}), 0.01)
            except pn.SessionError:
                session.close()
                return
            raise AssertionError("a copy has taken a step")

        wait(fork(copy))
        assert not pn.Session(folder / "forked", write=True).writable
        nav.step(pn.Improve({"f1": 1.0}), 0.01)


if __name__ == "__main__":
    torch.set_num_threads(1)
    logging.disable()
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    write(place / "first", 2)  # so that no process imports for itself what only a step needs
    both = place / "both"
    (first, say_first), (second, say_second) = os.pipe(), os.pipe()
    wait(
        fork(lambda: write(both, POINTS, (first, second))),
        fork(lambda: read(both, POINTS, say_first)),
        fork(lambda: read(both, POINTS, say_second)),
    )
    one_of_two_wins(place)
    a_writer_is_killed_under_a_reader(place)
    a_forked_copy_of_the_writer_does_not_write(place)
