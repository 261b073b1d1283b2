"""What a start and a step will take, before they begin."""

from __future__ import annotations

import io
import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from tests.regression import network, noisy, problem, squared
from tests.two_regressions import two_regressions
from torch.utils.data import DataLoader

import paretonav as pn
from paretonav.objectives import Cost
from paretonav.problems.trained import TrainedProblem
from paretonav.steering.reporting.estimate import Estimate, Pace, epochs, planned
from paretonav.terminal.dialogue import Dialogue

MANY = {
    "two regressions": lambda: beside(two_regressions((1.0, 0.3))),
    "without validation": lambda: beside(two_regressions((1.0, 0.3), validation=None)),
    "network": problem,
    "network without validation": lambda: problem(validation=None),
    "with metrics": lambda: problem(metrics={"mean": lambda outputs, _: outputs.mean()}),
    "with an aggregate": lambda: with_gap(),
}
FAST = pn.Improve({"small": 1.0})


def beside(made: pn.ModelProblem) -> pn.ModelProblem:
    """A little off its optimum, where it has as many ways as losses."""
    made.set_parameters(made.parameters() + 0.05 * torch.arange(12).sin())
    return made


def with_gap() -> pn.ModelProblem:
    """One of whose losses is no mean over examples."""
    gap = pn.group_gap(lambda o, b: (o[:, 1] - b[1][:, 1]).square(), lambda b: b[0][:, 3] > 0)
    return pn.ModelProblem(network(), {"small": squared(0), "gap": gap}, noisy(512, 10), noisy(256, 20))


def factor(a: float, b: float) -> float:
    return max(a, b) / min(a, b)


def state(made: pn.Problem) -> dict[str, Any]:
    return {"cost": made.cost, "random": torch.get_rng_state(), "theta": made.parameters()}


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a["cost"] == b["cost"] and all(torch.equal(a[key], b[key]) for key in ("random", "theta"))


@pytest.mark.parametrize("which", MANY)
def test_the_planned_passes_of_a_start_are_about_those_it_takes(which: str) -> None:
    nav = pn.Navigator(MANY[which]())
    work = planned(nav.problem, nav.method.geometry, "start", held=True)
    told = nav.estimate("start")
    took = nav.start().cost
    assert factor(work.forward_passes, took.forward_passes) < 3
    assert factor(work.gradient_passes, took.gradient_passes) < 3
    assert factor(work.hessian_products, took.hessian_products) < 3
    assert told.epochs == epochs(work, nav.problem, nav.method.geometry)
    assert factor(told.epochs, epochs(took, nav.problem, nav.method.geometry)) < 3
    assert told.seconds > 0


@pytest.mark.parametrize("which", ["two regressions", "network", "network without validation"])
def test_the_planned_passes_of_a_step_are_about_those_it_takes(which: str) -> None:
    nav = pn.Navigator(MANY[which]())
    nav.start()
    told = nav.estimate("step")
    step = nav.step(pn.Improve({nav.problem.names[0]: 1.0}), 0.01)
    work = planned(nav.problem, nav.method.geometry, "step", held=True)
    assert step.status is pn.StepStatus.ACCEPTED
    assert factor(work.forward_passes, step.cost.forward_passes) < 3
    assert told.epochs == epochs(work, nav.problem, nav.method.geometry)
    # From then on it is what the step has taken.
    after = nav.estimate("step")
    assert after.seconds == step.cost.seconds
    assert after.epochs == epochs(step.cost, nav.problem, nav.here.trust.geometry)


@pytest.mark.parametrize("which", MANY)
def test_asking_changes_and_costs_nothing(which: str) -> None:
    made, other = MANY[which](), MANY[which]()
    nav, unasked = pn.Navigator(made), pn.Navigator(other)
    before = state(made)
    nav.estimate("start")
    nav.estimate("step")
    assert same(state(made), before)
    assert not nav.started
    points = nav.start(), unasked.start()
    assert torch.equal(points[0].parameters, points[1].parameters)
    assert np.array_equal(points[0].front.bend, points[1].front.bend)
    assert replace(points[0].cost, seconds=0) == replace(points[1].cost, seconds=0)
    nav.estimate("step")
    assert len(nav.records) == 1


@pytest.mark.parametrize("batch_size", [16, 512])
def test_it_reads_a_part_of_the_data(batch_size: int) -> None:
    """Two batches at most, of an eighth of the data at most each, however much is read at a time."""
    made = problem(batch_size=batch_size)
    read = []
    plain = made.minibatches

    def counted(size: int, generator: torch.Generator) -> Any:
        for batch in plain(size, generator):
            read.append(batch.fraction)
            yield batch

    made.minibatches = counted  # type: ignore[method-assign]
    pace = Pace.measured(made, pn.Geometry())
    assert len(read) == 2
    assert max(read) <= min(batch_size / 512, 1 / 8)
    assert pace.forward > 0
    assert pace.product > 0


def test_data_in_one_batch_of_their_own_take_one_epoch() -> None:
    data = noisy(64, 10)
    whole = DataLoader(data, batch_sampler=[list(range(64))])
    made = pn.ModelProblem(network(), {"small": squared(0), "large": squared(1)}, whole)
    pace = Pace.measured(made, pn.Geometry())
    # One pass, forward and backward; the rest follows from it.
    assert pace.gradient == pytest.approx(2 * pace.forward)
    assert pace.product == pytest.approx(6 * pace.forward)
    assert pace.seconds(Cost(1, 2, 3)) == pytest.approx(23 * pace.forward)


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("batches", [None, 1, 3, 100])
def test_shares_are_what_probes_read(split: Any, batches: int | None) -> None:
    made = problem()
    made.probe([made.parameters()] * 3, split, batches)
    assert made.cost.forward_passes == pytest.approx(
        3 * made.share(split, batches), rel=0.05
    )  # batches differ by one


def test_the_time_left_begins_with_what_was_asked() -> None:
    nav = pn.Navigator(problem())
    told = nav.estimate("start")
    events: list[pn.Event] = []
    nav.start(on_event=events.append)
    assert events[0].seconds_left is not None
    assert events[0].seconds_left == pytest.approx(told.seconds, rel=0.5, abs=0.5)
    unasked: list[pn.Event] = []
    pn.Navigator(problem()).start(on_event=unasked.append)
    assert unasked[0].seconds_left is None
    # A start says what the first step takes.
    steps: list[pn.Event] = []
    nav.step(FAST, 0.01, on_event=steps.append)
    assert steps[0].seconds_left is not None


def test_what_is_planned_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    nav = pn.Navigator(problem())
    work = epochs(
        planned(nav.problem, nav.method.geometry, "start", held=True), nav.problem, nav.method.geometry
    )
    with caplog.at_level(logging.INFO, "paretonav"):
        nav.start()
    assert f"the start is expected to take about {work:.2g} epochs" in caplog.messages


def test_a_recipe_is_not_included() -> None:
    losses = {"small": squared(0), "large": squared(1)}
    made = TrainedProblem(network(), losses, noisy(256, 1), epochs=2, generator=torch.Generator())
    nav = pn.Navigator(made)
    told = nav.estimate("start")
    assert "and its training, of which the time is not known before" in told.words
    nav.start()
    assert "training" not in nav.estimate("step").words


def test_of_a_function_only_what_it_has_taken_is_known() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=10, m=3))
    for what in ("start", "step"):
        with pytest.raises(pn.NavigationError, match="nobody knows how often a function"):
            nav.estimate(what)  # type: ignore[arg-type]
    nav.start()
    with pytest.raises(pn.NavigationError, match="when there has been one"):
        nav.estimate("step")
    step = nav.step(pn.Improve({"f1": 1.0}), 0.05)
    assert nav.estimate("step").seconds == step.cost.seconds


def test_what_makes_no_sense_is_refused() -> None:
    nav = pn.Navigator(problem())
    with pytest.raises(pn.NavigationError, match="no estimate of 'undo'; ask for 'start' or 'step'"):
        nav.estimate("undo")  # type: ignore[arg-type]
    nav.start()
    with pytest.raises(pn.NavigationError, match=r"started already; ask for the estimate of a 'step'"):
        nav.estimate("start")
    caught: list[BaseException] = []

    def within(_: pn.Event) -> None:
        try:
            pn.Navigator(nav.problem).estimate("start")
        except pn.NavigationError as error:
            caught.append(error)

    nav.step(FAST, 0.01, on_event=within, cancel=threading.Event())
    assert "another operation is under way" in str(caught[0])


def test_a_resumed_session_starts_in_no_time(tmp_path: Path) -> None:
    with pn.Navigator(problem(), session=tmp_path / "session").session as session:
        nav = pn.Navigator(problem(), session=session)
        nav.start()
        took = nav.step(FAST, 0.01).cost.seconds
    again = pn.Navigator(problem(), session=tmp_path / "session")
    with again.session:
        assert again.estimate("start") == Estimate(0.0, 0.0, "no time: the session goes on where it was left")
        assert again.estimate("step").seconds == pytest.approx(took)


@pytest.mark.parametrize(
    ("seconds", "count", "words"),
    [
        (0.123, 0.51, "about 0.12 s (0.51 epochs)"),
        (0.4, 589.0, "about 0.4 s (590 epochs)"),
        (12.3, 1.0, "about 12 s (1 epoch)"),
        (150.0, 4.04, "about 2.5 min (4 epochs)"),
        (6000.0, 41.0, "about 100 min (41 epochs)"),
    ],
)
def test_in_words(seconds: float, count: float, words: str) -> None:
    assert Estimate.of(seconds, count).words == words


def test_it_is_printed_before_the_start() -> None:
    out = io.StringIO()
    dialogue = Dialogue(pn.Navigator(problem()), Console(file=out, width=100))
    dialogue.start()
    first = out.getvalue().splitlines()[0]
    assert first.startswith("About ")
    assert "epoch" in first
