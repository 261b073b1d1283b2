"""Training on, by a navigator that was asked for it; what it would bring; the warning where nobody has asked."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.countdown import Countdown
from tests.regression import NAMES, best, linear, network, noisy, problem, squared

import paretonav as pn
from paretonav.navigation import measuring
from paretonav.problems.trained import TrainedProblem
from paretonav.session import Journal
from paretonav.steering.stepping.train_on import train_on

FAST = pn.TrainOn(
    optimizer=lambda p: torch.optim.Adam(p, lr=1e-2),
    learning_rate_factor=1.0,
    epochs=4,
    rounds=1,
    batch_size=64,
)
HALF = torch.tensor([0.5, 0.5], dtype=torch.float64)


class Never:
    """A corrector that leaves it at what it is given."""

    def correct(self, problem: Any, theta: Any, weights: Any, geometry: Any, guide: Any = None) -> Any:
        losses = problem.evaluate(theta)
        return pn.correctors.Correction(theta, losses, HALF, None, 0, True)


def navigating(made: pn.Problem, **options: Any) -> pn.Navigator:
    return pn.Navigator(made, corrector=Never(), **options)


def test_nothing_is_trained_on_unasked() -> None:
    for asked in ({}, {"train_on": None}, {"train_on": False}):
        nav = navigating(problem())
        before = nav.problem.parameters()
        nav.start(**asked)
        assert torch.equal(nav.problem.parameters(), before)


def test_the_first_point_is_where_training_on_ends(caplog: pytest.LogCaptureFixture) -> None:
    wanted = train_on(problem(), HALF, FAST)
    nav = navigating(problem())
    with caplog.at_level(logging.INFO, "paretonav"):
        start = nav.start(train_on=FAST)
    assert torch.equal(start.parameters, wanted.theta)
    assert torch.equal(nav.problem.parameters(), wanted.theta)
    assert start.measured.validation is not None
    assert torch.equal(start.measured.validation.mean, wanted.losses.mean)
    assert start.cost.gradient_passes >= wanted.epochs
    assert start.id == 0
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    assert told.startswith(
        f"trained on for {wanted.epochs} epochs and kept what was there after {wanted.kept}; "
    )
    for name, before, after in zip(NAMES, wanted.before.mean, wanted.losses.mean, strict=True):
        assert f"{name} {before:.4g} -> {after:.4g}" in told


def test_true_means_the_problems_optimizer() -> None:
    """On few data, which training on soon fits as well as it can."""
    few = {"train": noisy(32, 10), "validation": noisy(64, 20), "test": None}
    made = [problem(optimizer=lambda p: torch.optim.SGD(p, lr=0.1), **few) for _ in range(2)]
    wanted = train_on(made[0], HALF, pn.TrainOn())
    assert wanted.kept > 0
    assert torch.equal(navigating(made[1]).start(train_on=True).parameters, wanted.theta)


def test_a_model_that_gains_nothing_is_left_bit_for_bit() -> None:
    made = linear()
    theta = best(noisy(256, 10), HALF)
    made.set_parameters(theta)
    assert torch.equal(navigating(made).start(train_on=FAST).parameters, theta)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.8, 1.0])
def test_a_start_that_is_cancelled_leaves_the_model_as_it_came(part: float) -> None:
    twin, everything = navigating(problem()), Countdown()
    wanted = twin.start(train_on=FAST, cancel=everything)
    nav = navigating(problem())
    before = nav.problem.parameters()
    with pytest.raises(pn.Cancelled):
        nav.start(train_on=FAST, cancel=Countdown(max(1, round(part * everything.asked))))
    assert torch.equal(nav.problem.parameters(), before)
    assert not nav.started
    assert not nav.problem.watch.active
    assert torch.equal(nav.start(train_on=FAST).parameters, wanted.parameters)


def test_what_fails_after_the_training_takes_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise LookupError("no tangent")

    monkeypatch.setattr(measuring, "tangent_at", fail)
    nav = navigating(problem())
    before = nav.problem.parameters()
    with pytest.raises(LookupError, match="no tangent"):
        nav.start(train_on=FAST)
    assert torch.equal(nav.problem.parameters(), before)


def test_a_training_that_fails_leaves_the_model_as_it_came() -> None:
    nav = navigating(problem())
    before = nav.problem.parameters()
    with pytest.raises(pn.NonFiniteError, match="of epoch 1 of training on"):
        nav.start(train_on=dataclasses.replace(FAST, optimizer=lambda p: torch.optim.SGD(p, lr=1e200)))
    with pytest.raises(pn.ProblemError, match="L-BFGS"):
        nav.start(train_on=pn.TrainOn(optimizer=torch.optim.LBFGS))
    assert torch.equal(nav.problem.parameters(), before)
    assert not nav.started


def test_events_say_that_it_trains_on() -> None:
    seen: list[pn.Event] = []
    navigating(problem()).start(on_event=seen.append, train_on=FAST)
    assert seen[0].phase == "train on"
    assert seen[-1].phase == "measure"
    fractions = [event.fraction for event in seen]
    assert fractions == sorted(fractions)


def own_recipe() -> TrainedProblem:
    losses = {name: squared(i) for i, name in enumerate(NAMES)}
    generator = torch.Generator().manual_seed(0)
    return TrainedProblem(network(), losses, noisy(128, 10), epochs=2, generator=generator)


@pytest.mark.parametrize(
    ("make", "asked", "message"),
    [
        (lambda: pn.problems.quadratic(n=4, m=2), True, "a function has no data to train on"),
        (own_recipe, True, "brings its own recipe, which start"),
        (problem, 3, "train_on=3 is not possible; give True, a TrainOn, or None"),
        (problem, torch.optim.Adam, "give True, a TrainOn, or None"),
    ],
)
def test_what_cannot_be_trained_on_is_said(make: Any, asked: Any, message: str) -> None:
    nav = pn.Navigator(make())
    before = nav.problem.parameters()
    with pytest.raises(pn.NavigationError, match=message):
        nav.start(train_on=asked)
    assert torch.equal(nav.problem.parameters(), before)
    assert not nav.started


def test_a_resumed_session_is_not_trained_again(tmp_path: Path) -> None:
    first = navigating(problem(), session=tmp_path / "session")
    start = first.start(train_on=FAST)
    first.session.close()
    again = navigating(problem(), session=tmp_path / "session")
    assert torch.equal(again.start(train_on=FAST).parameters, start.parameters)
    assert again.problem.cost.gradient_passes == 0
    again.session.close()


def test_the_gain_is_measured_and_leaves_everything_as_it_is() -> None:
    nav = navigating(problem(train=noisy(128, 10), optimizer=lambda p: torch.optim.Adam(p, lr=0.1)))
    here = nav.start()
    assert nav.known_training_gain is None
    before = nav.problem.parameters()
    gain = nav.training_gain()
    assert torch.equal(nav.problem.parameters(), before)
    assert nav.here is here
    assert len(nav.records) == 1
    assert 1 <= gain.epochs <= gain.tried == 15
    assert gain.on == "validation"
    assert gain.pays is True
    weights = torch.from_numpy(here.front.weights)
    wanted = train_on(nav.problem, weights, pn.TrainOn(rounds=2))
    changes = wanted.losses.mean - here.measured.validation.mean
    assert gain.changes == pytest.approx(dict(zip(NAMES, changes.tolist(), strict=True)))
    assert gain.total == pytest.approx(float(weights @ changes))
    assert gain.cost.gradient_passes == pytest.approx(gain.tried)
    assert gain.cost.seconds > 0


def test_the_gain_is_kept_for_each_point() -> None:
    nav = navigating(problem())
    nav.start()
    gain = nav.training_gain(FAST)
    spent = nav.problem.cost
    assert nav.training_gain(FAST) is gain
    assert nav.known_training_gain is gain
    assert nav.problem.cost == spent
    shorter = nav.training_gain(dataclasses.replace(FAST, epochs=1))
    assert shorter is not gain
    assert nav.known_training_gain is shorter
    Journal(nav.session).add(*_another(nav))
    nav.go_to(1)
    assert nav.known_training_gain is None
    nav.undo()
    assert nav.known_training_gain is shorter


def _another(nav: pn.Navigator) -> tuple[pn.Record, pn.Point, Any]:
    """A second point at the place of the first."""
    point = dataclasses.replace(nav.here, id=1, parent=0)
    return pn.Record.of(point, None), point, nav.tangent


def test_a_measurement_of_the_gain_that_ends_early_has_never_been() -> None:
    nav = navigating(problem())
    here = nav.start()
    for error, ends in (
        (pn.Cancelled, {"how": FAST, "cancel": Countdown(9)}),
        (
            pn.NonFiniteError,
            {"how": dataclasses.replace(FAST, optimizer=lambda p: torch.optim.SGD(p, 1e200))},
        ),
        (pn.ProblemError, {"how": pn.TrainOn(optimizer=torch.optim.LBFGS)}),
    ):
        with pytest.raises(error):
            nav.training_gain(**ends)
        assert nav.here is here
        assert nav.known_training_gain is None
        assert torch.equal(nav.problem.parameters(), here.parameters)
        assert not nav.problem.watch.active


def test_where_there_is_no_gain_to_measure() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=4, m=2))
    for ask in (nav.training_gain, lambda: nav.known_training_gain):
        with pytest.raises(pn.NavigationError, match="no point yet"):
            ask()
    nav.start()
    with pytest.raises(pn.NavigationError, match="a function has no data to train on"):
        nav.training_gain()
    with pytest.raises(pn.NavigationError, match="give a TrainOn, or None"):
        nav.training_gain(True)


def warnings(caplog: pytest.LogCaptureFixture, sizes: list[float]) -> list[str]:
    """What a start from half-way to the minimum warns of, where the losses have these sizes."""

    def f(x: torch.Tensor) -> torch.Tensor:
        falling = 0.01 * (x @ x)  # of both losses, to their minimum
        return torch.stack([falling + s + (x[0] - c) ** 2 * 1e-6 for s, c in zip(sizes, (0, 1), strict=True)])

    made = pn.FunctionProblem(f, torch.ones(2, dtype=torch.float64), names=["first", "second"])
    caplog.clear()
    nav = pn.Navigator(made, corrector=Never(), approach=Never())
    nav.start()
    return [r.getMessage() for r in caplog.records if "fall together" in r.getMessage()]


def test_the_warning_compares_with_each_loss(caplog: pytest.LogCaptureFixture) -> None:
    """A gain of .02 is little beside 10 and much beside .1, whatever their mean; losses may be negative."""
    assert warnings(caplog, [10.0, 10.0]) == []
    for small in (0.1, -0.2):
        (told,) = warnings(caplog, [10.0, small])
        assert "second (" in told
        assert "% of it)" in told
        assert "first" not in told
    (told,) = warnings(caplog, [10.0, -0.02])
    assert "second (which is 0)" in told
    (told,) = warnings(caplog, [0.1, 0.1])
    assert "first (" in told
    assert "second (" in told
