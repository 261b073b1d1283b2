import io
import signal
import threading

import pytest
import torch
from rich.console import Console

import paretonav as pn
from paretonav.terminal.console import watched_on
from paretonav.terminal.dialogue import Dialogue
from paretonav.terminal.drive import asking, run_prompt


class Interrupted:
    """Two squared distances; Ctrl-C is pressed at the ``left``-th call from now."""

    def __init__(self):
        self.left = 0

    def __call__(self, x):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return torch.stack([(x - 1).square().sum(), (x + 1).square().sum()])


def test_the_bar_shows_phase_fraction_time_left_and_losses():
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    with watched_on(console) as (show, _):
        show(pn.Event("predict", 0.25, {"left [1]": 0.12345, "right": 2.0}, 1.0, 83.0))
        show(pn.Event("measure", 0.75, None, 2.0, None))
        show(pn.Event("polish", 0.5, {"left [1]": 0.12345, "right": 2.0}, 1.0, 83.0))
    shown = console.file.getvalue()
    for text in ("polish", "50%", "(about 1:23 min to go) left [1] 0.1235, right 2.0000"):
        assert text in shown


def test_a_narrow_bar_leaves_whole_losses_out_and_cuts_nothing():
    def last_line(width):
        console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
        with watched_on(console) as (show, _):
            show(pn.Event("polish", 0.5, {"left digit": 0.12345, "right digit": 2.0}, 1.0, 3.0))
        return console.file.getvalue()

    assert "50% (about 3.0 s to go) left digit 0.1235, \u2026" in last_line(60)
    narrow = last_line(45)
    assert "polish" in narrow
    assert "50% (about 3.0 s to go)" in narrow
    assert "left" not in narrow


def test_nothing_is_drawn_where_nobody_watches(console):
    with watched_on(console) as (show, _):
        show(pn.Event("predict", 0.25, None, 1.0, None))
    assert console.file.getvalue() == ""


def test_the_first_ctrl_c_cancels_and_the_second_interrupts(console):
    before = signal.getsignal(signal.SIGINT)
    with watched_on(console) as (_, cancel):
        signal.raise_signal(signal.SIGINT)
        assert cancel.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_cancelled_ends_as_an_interrupt(console):
    with pytest.raises(KeyboardInterrupt), watched_on(console):
        raise pn.Cancelled("cancelled")


def test_other_threads_have_no_ctrl_c(console):
    seen = []

    def work():
        with watched_on(console) as (_, cancel):
            seen.append(cancel.is_set())

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    assert seen == [False]


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_ctrl_c_in_a_step_goes_back_to_the_prompt(console, written, calls):
    function = Interrupted()
    problem = pn.FunctionProblem(function, torch.tensor([0.3, 0.1]).double(), names=["a", "b"])
    dialogue = Dialogue(pn.Navigator(problem), console)
    dialogue.start()
    before = problem.parameters()
    answers = ["improve a by 5%", "y", "improve a by 5%", "y"]
    points = []

    def read(_):
        if not answers:
            raise EOFError
        points.append((len(dialogue.navigator.records), problem.parameters().equal(before)))
        if len(answers) == 3:
            function.left = calls
        return answers.pop(0)

    dialogue.ask = asking(read, console)
    run_prompt(dialogue, read)
    assert "Interrupted; the model is that of point 0." in written()
    assert points == [(1, True)] * 4
    assert len(dialogue.navigator.records) == 2
