"""Kills navigations and looks at what is left; a process of its own that forks, run by ``test_killed.py``.

``random COUNT FOLDER`` kills at random moments. ``every FOLDER`` looks at what is on disk before each operation on
files and each SQL statement of one run, which is what a kill would leave. Every victim is forked from this process,
which has imported everything and has no threads.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import paretonav as pn
from paretonav.session import files

Script = tuple[tuple[str, Any], ...]
SCRIPT: Script = (
    ("start", None),
    ("step", "f1"),
    ("note", 1),
    ("step", "f2"),
    ("go_to", 1),
    ("step", "f2"),
    ("star", 0),
    ("go_to", 0),
    ("step", "f1"),
)
SHORT = SCRIPT[:5]  # one of each kind
State = tuple[int, int | None, tuple[str, ...], tuple[bool, ...]]


def problem() -> pn.Problem:
    return pn.problems.quadratic(n=4, m=2)


def do(nav: pn.Navigator, operation: str, argument: Any) -> None:
    if operation == "start":
        nav.start()
    elif operation == "step":
        nav.step(pn.Improve({argument: 1.0}), 0.02)
    elif operation == "go_to":
        nav.go_to(argument)
    elif operation == "note":
        nav.session.note(argument, f"about {argument}")
    else:
        nav.session.star(argument)


def state(session: pn.Session) -> State:
    """Different after each operation of the script."""
    current = session.current
    return (
        len(session),
        None if current is None else current.id,
        tuple(record.note for record in session),
        tuple(record.star for record in session),
    )


def checksums(session: pn.Session) -> list[str]:
    """Of the parameters of all points, as they load."""
    points = [session.point(record.id) for record in session]
    return [hashlib.sha256(point.parameters.numpy().tobytes()).hexdigest() for point in points]


def navigate(folder: Path, script: Script, tell: Callable[[int], None]) -> None:
    nav = pn.Navigator(problem(), session=folder)
    for i, (operation, argument) in enumerate(script):
        do(nav, operation, argument)
        tell(i + 1)


def victim(folder: Path, script: Script, before: Callable[[int], None]) -> tuple[int, int]:
    """Fork a process that navigates; its id, and where it tells how many operations have returned."""
    out, into = os.pipe()
    pid = os.fork()
    if pid:
        os.close(into)
        return pid, out
    try:
        os.close(out)
        before(into)
        navigate(folder, script, lambda done: os.write(into, bytes([done])) and None)
    finally:
        os._exit(0)


def expected(folder: Path, script: Script) -> tuple[list[State], list[str]]:
    """The states after 0, 1, ... operations and the points' checksums, in a run that nobody kills."""
    with pn.Session(folder, write=True) as session:
        nav = pn.Navigator(problem(), session=session)
        states = [state(session)]
        for operation, argument in script:
            do(nav, operation, argument)
            states.append(state(session))
        return states, checksums(session)


def look(folder: Path, script: Script, told: int, states: list[State], points: list[str], go_on: bool) -> int:
    """Check what a killed process has left; how many operations are there.

    At most the operation under way is lost, what is there loads, nothing lies about once the next writer is there,
    and the navigation goes on, bit for bit as if nothing had been.
    """
    try:
        reader = pn.Session(folder)
    except pn.SessionError as error:
        assert told == 0, f"{told} operations were lost: {error}"  # noqa: PT017
        assert "no session" in str(error)  # noqa: PT017
    else:
        assert state(reader) in states[told : told + 2], (state(reader), told)
        assert checksums(reader) == points[: len(reader)]
    with pn.Session(folder, write=True) as session:
        assert session.writable, f"locked by {session.owner}"
        assert session.path is not None
        there = states.index(state(session))
        assert there - told in (0, 1), (there, told)
        # A journal that had not begun yet is no harm, and goes with the next commit.
        leftovers(session, "session.db-journal")
        if go_on:
            nav = pn.Navigator(problem(), session=session)
            for operation, argument in script[there:]:
                do(nav, operation, argument)
            assert state(session) == states[-1]
            assert checksums(session) == points
            leftovers(session)
    return there


def leftovers(session: pn.Session, *tolerated: str) -> None:
    names = {f"{record.id:06d}.safetensors" for record in session}
    assert session.path is not None
    for folder in ("points", "tangents"):
        if (session.path / folder).exists() or names:
            assert {file.name for file in (session.path / folder).iterdir()} == names, folder
    allowed = {
        "session.db",
        "model.safetensors",
        "writer.lock",
        "writer.txt",
        "points",
        "tangents",
        *tolerated,
    }
    names = {file.name for file in session.path.iterdir()}
    assert names <= allowed, names - allowed


def kill_at_random(count: int, folder: Path) -> None:
    states, points = expected(folder / "expected", SCRIPT)
    began = time.monotonic()
    pid, out = victim(folder / "timed", SCRIPT, lambda _: None)
    os.waitpid(pid, 0)
    duration = time.monotonic() - began
    assert len(os.read(out, 100)) == len(SCRIPT)
    os.close(out)
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}, {duration:.2f} s for {len(SCRIPT)} operations")
    draw = random.Random(seed)
    lost, ends = 0, [0] * (len(SCRIPT) + 1)
    for i in range(count):
        here = folder / f"killed-{i}"
        pid, out = victim(here, SCRIPT, lambda _: None)
        time.sleep(draw.uniform(0, 1.05 * duration))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        told = len(os.read(out, 100))
        os.close(out)
        there = look(here, SCRIPT, told, states, points, go_on=i % 8 == 0)
        lost += there == told < len(SCRIPT)
        ends[there] += 1
        shutil.rmtree(here)
    print(json.dumps({"kills": count, "operations that were there": ends, "lost the one under way": lost}))


def look_before_every_operation(folder: Path) -> None:
    """A copy has no more than files have, and nobody's locks: what is in memory is lost with the copied process."""
    states, points = expected(folder / "expected", SHORT)
    here, copy = folder / "running", folder / "copy"
    waits, go_on = os.pipe()
    pid, out = victim(here, SHORT, lambda into: stop_at_each(into, waits))
    told = k = 0
    try:
        while said := os.read(out, 1):
            if said != b"\0":
                told += 1
                continue
            if here.exists():
                shutil.copytree(here, copy)
            look(copy, SHORT, told, states, points, go_on=k % 8 == 0)
            shutil.rmtree(copy)
            k += 1
            os.write(go_on, b".")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert told == len(SHORT), "the victim has failed by itself"
    assert k > 100, k
    print(json.dumps({"moments": k}))


def stop_at_each(into: int, waits: int) -> None:
    """Have this process tell of each operation on files and each statement in SQL, and wait before it."""

    def count(*_: object) -> None:
        os.write(into, b"\0")
        os.read(waits, 1)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "sqlite3.connect"):
            count()

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*arguments: Any, **named: Any) -> Any:
            count()
            return function(*arguments, **named)

        return calling

    def half(tensors: Any, path: Path, facts: Any) -> None:
        save(tensors, path, facts)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        count()
        path.write_bytes(content)

    class Connection(sqlite3.Connection):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.set_trace_callback(count)

        def __exit__(self, *arguments: Any) -> Any:
            ended = super().__exit__(*arguments)
            count()
            return ended

    save, connect = files.save_file, sqlite3.connect
    files.save_file = half
    os.fsync = counted(os.fsync)
    sqlite3.connect = lambda *a, **named: connect(*a, **named, factory=Connection)  # type: ignore[assignment]
    sys.addaudithook(audit)


if __name__ == "__main__":
    torch.set_num_threads(1)
    logging.disable()
    place = Path(sys.argv[-1])
    place.mkdir(parents=True, exist_ok=True)
    if sys.argv[1] == "random":
        kill_at_random(int(sys.argv[2]), place)
    else:
        look_before_every_operation(place)
