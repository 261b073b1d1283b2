"""One thread steps while another notes down and looks."""

import threading
from pathlib import Path

import pytest

import paretonav as pn


@pytest.mark.parametrize("on_disk", [False, True])
def test_notes_and_steps_do_not_lose_each_other(on_disk: bool, tmp_path: Path) -> None:
    path = tmp_path / "s" if on_disk else None
    with pn.Session(path, write=True) as session:
        nav = pn.Navigator(pn.problems.quadratic(n=8, m=3), session=session)
        nav.start()
        done = threading.Event()
        noted: dict[int, str] = {}

        def note() -> None:
            count = 0
            while not done.is_set() or count < 20:
                count += 1
                last = len(session) - 1
                noted[last] = f"note {count}"
                session.note(last, noted[last])
                session.star(last, on=count % 2 == 0)
                assert session.point(last).id == last
                done.wait(0.001)  # a thread that never rests would leave the other hardly any turn

        thread = threading.Thread(target=note)
        thread.start()
        try:
            for _ in range(5):
                nav.step(pn.Improve({"f1": 1.0}), 0.01)
                nav.step(pn.Improve({"f2": 1.0}), 0.01)
        finally:
            done.set()
            thread.join()
        assert [record.id for record in session] == list(range(11))
        assert {record.id: record.note for record in session if record.note} == noted
    if path is not None:
        assert {record.id: record.note for record in pn.Session(path) if record.note} == noted
