import io
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

import paretonav as pn
from paretonav.objectives import Losses
from paretonav.steering import Changes, StepStatus
from paretonav.steering.outcome import Outcome
from paretonav.terminal.dialogue import Dialogue
from paretonav.terminal.parser import parse
from paretonav.terminal.views import points_view, step_view, tree
from paretonav.text import change, decimals, percent, relative, value, weight


def test_losses_show_at_least_four_digits():
    assert [decimals(x) for x in (0, 0.5, 3, 42, 1e3, 1e9, 0.05, 1e-4, 1e-30)] == [4, 4, 4, 3, 1, 0, 5, 7, 9]
    assert value(0.123456, 1) == "0.1235"


def test_a_change_that_rounds_to_zero_has_no_sign():
    assert change(-0.00001, 1) == "0.0000"
    assert relative(-0.00001, 1) == "0.0%"
    assert weight(-1e-9) == "0.000"


def test_relative_changes_are_of_the_magnitude():
    assert relative(-1, -10) == "-10.0%"
    assert relative(1, 0) == "-"
    assert [percent(0.2051), percent(0.0012)] == ["20.5%", "0.12%"]


def parents(*numbers):
    return [SimpleNamespace(id=i, parent=parent) for i, parent in enumerate(numbers)]


@pytest.mark.parametrize(
    ("ascii_only", "drawn"),
    [
        (False, ["0", "1", "├─ 2", "│  ├─ 4", "│  └─ 5", "└─ 3", "   6"]),
        (True, ["0", "1", "|- 2", "|  |- 4", "|  `- 5", "`- 3", "   6"]),
    ],
)
def test_only_forks_indent_the_tree(ascii_only, drawn):
    points = parents(None, 0, 1, 1, 2, 2, 3)
    assert [f"{branch}{p.id}" for branch, p in tree(points, ascii_only=ascii_only)] == drawn


def test_a_long_way_stays_at_the_margin():
    points = parents(None, *range(2000))
    assert {branch for branch, _ in tree(points, ascii_only=False)} == {""}


def test_of_too_many_points_those_that_matter_are_listed():
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    navigator.start()
    first = navigator.records[0]
    points = [
        first,
        *(replace(first, id=i, parent=i - 1, star=i == 50, note="so " * (i == 60)) for i in range(1, 1000)),
    ]
    shown = render(points_view(points, 70, ascii_only=False))
    assert [int(n) for n in re.findall(r"^(\d+)", shown, flags=re.M)] == [0, 50, 60, 70, *range(804, 1000)]
    assert "800 of 1000 points are not shown" in shown


def render(view, **options):
    console = Console(file=io.StringIO(), width=80, markup=False, emoji=False, highlight=False, **options)
    console.print(view)
    return console.file.getvalue()


def losses(mean, wobble):
    batches = torch.tensor(mean, dtype=torch.float64) + torch.tensor([[-wobble], [wobble]] * 2)
    return Losses(batches, torch.full((4,), 0.25, dtype=torch.float64))


def fake_step(names, before, after):
    """A step between made-up losses, and the point it left."""
    change, error = after.change_from(before)
    values = dict(zip(names, before.mean.tolist(), strict=True))
    achieved = Changes.of(names, change, error)
    step = SimpleNamespace(
        requested=outcome(Changes(), Changes({names[0]: achieved[names[0]]})),
        predicted=outcome(achieved, achieved),
        achieved=outcome(achieved, Changes.of(names, change, None)),
        missed=(),
        status=StepStatus.ACCEPTED,
        on="validation",
        reason="",
        cost=pn.Cost(1, 2, 3, 4.0),
    )
    front = SimpleNamespace(senses=dict.fromkeys(names, 1.0))
    known = Outcome(values, values, {}, "validation")
    return step, SimpleNamespace(id=0, losses=values, values=known, metrics={}, front=front)


def outcome(train, validation):
    return Outcome(train, validation, Changes(), "validation")


def test_changes_within_two_standard_errors_are_noise():
    step, before = fake_step(("a", "b"), losses([1.0, 1.0], 0.0), losses([0.9, 0.9], 0.2))
    shown = render(step_view(step, before))
    assert shown.count("noise") == 3  # two changes and the legend; there is no error on validation data
    clear, before = fake_step(("a", "b"), losses([1.0, 1.0], 0.0), losses([0.9, 0.9], 0.01))
    assert "noise" not in render(step_view(clear, before))


def test_better_than_predicted_is_told_and_worse_is_what_the_test_of_steps_calls_so():
    step, before = fake_step(("a", "b"), losses([1.0, 1.0], 0.0), losses([0.9, 0.8], 0.01))
    step.predicted = replace(step.predicted, validation=Changes({"a": -0.1, "b": -0.1}))
    shown = render(step_view(step, before))
    assert re.search(r"b +valid\. +free +-0\.1000 +-0\.2000 .*better", shown)
    assert "better, other: than predicted" in shown
    step.predicted = replace(step.predicted, validation=Changes({"a": -0.1, "b": -0.23}))
    assert "worse" not in render(step_view(step, before))
    step.missed = (("b", "validation"),)
    shown = render(step_view(step, before))
    assert re.search(r"b +valid\. .*worse", shown)
    assert "worse: than predicted, by more than a step is allowed" in shown
    step.status = StepStatus.REJECTED
    assert "worse" not in render(step_view(step, before))


HOSTILE = ("[red]x[/red]", "a\x1b[31mb", ":smile:")


@pytest.fixture
def hostile():
    centres = torch.eye(3, dtype=torch.float64)
    problem = pn.FunctionProblem(
        lambda x: 1 + (x - centres).square().sum(1), torch.full((3,), 0.3, dtype=torch.float64), names=HOSTILE
    )
    return pn.Navigator(problem)


def test_names_are_text_and_nothing_else(hostile):
    console = Console(file=io.StringIO(), width=80, markup=False, emoji=False, highlight=False)
    dialogue = Dialogue(hostile, console)
    dialogue.start()
    for command in parse('improve "[red]x[/red]" by 1%; hold ":smile:"; points; show; help', HOSTILE):
        dialogue.run(command)
    shown = console.file.getvalue()
    assert "\x1b" not in shown
    for name in ("[red]x[/red]", r"a\x1b[31mb", ":smile:"):
        assert name in shown


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal(width):
    console = Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False)
    dialogue = Dialogue(pn.Navigator(pn.problems.quadratic(n=10, m=3)), console)
    dialogue.start()
    for command in parse("improve f1; hold f2; show; points; compare 0 1; help", ("f1", "f2", "f3")):
        dialogue.run(command)
    assert max(map(len, console.file.getvalue().splitlines())) <= width
