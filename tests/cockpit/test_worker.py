"""A thread that does one thing after the other, and for which nobody has to wait."""

import subprocess
import sys
import threading
from concurrent.futures import CancelledError

import pytest

from paretonav.cockpit.worker import Worker

PATIENCE = 60.0


def test_one_thing_after_the_other_in_one_thread():
    done, firsts = [], []
    worker = Worker("a name", lambda: firsts.append(threading.current_thread().name))
    asked = [worker.submit(done.append, number) for number in range(100)]
    assert asked[-1].result(PATIENCE) is None
    assert done == list(range(100))
    assert worker.submit(lambda: threading.current_thread().name).result(PATIENCE) == "a name"
    worker.end()
    assert firsts == ["a name"]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt()])
def test_an_error_is_told_to_who_asked_and_ends_nothing(error):
    def fails():
        raise error

    worker = Worker("a name")
    with pytest.raises(type(error)):
        worker.submit(fails).result(PATIENCE)
    assert worker.submit(lambda: 1).result(PATIENCE) == 1
    worker.end()


def test_the_end_waits_for_what_is_being_done_and_drops_the_rest():
    began, go = threading.Event(), threading.Event()
    worker = Worker("a name")
    doing = worker.submit(lambda: began.set() or go.wait(PATIENCE))
    dropped = worker.submit(lambda: 1)
    assert began.wait(PATIENCE)
    ending = threading.Thread(target=worker.end)
    ending.start()
    while not worker._ended:
        ending.join(0.01)
    go.set()
    ending.join(PATIENCE)
    assert doing.result(0) is True
    with pytest.raises(CancelledError):
        dropped.result(0)
    with pytest.raises(RuntimeError, match="nothing any more"):
        worker.submit(lambda: 1)
    worker.end()


def test_the_interpreter_does_not_wait_for_it():
    code = "import threading; from paretonav.cockpit.worker import Worker; Worker('x').submit(threading.Event().wait)"
    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE, check=False).returncode == 0
