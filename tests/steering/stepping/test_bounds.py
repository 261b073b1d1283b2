"""Bounds hold at every point that is accepted, the corrector included."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.steering.stepping.correctors import Correction, Newton
from paretonav.steering.stepping.predictors import ObjectiveSpace
from paretonav.steering.stepping.target import Limits

FEW = settings(max_examples=10, deadline=None, derandomize=True)


@pytest.mark.slow
@FEW
@given(
    st.integers(2, 5),
    st.integers(0, 1000),
    st.floats(0.05, 0.5),
    st.sampled_from(["improve", "aim", "classify"]),
)
def test_no_loss_ends_beyond_its_bound(m: int, seed: int, amount: float, kind: str) -> None:
    rng = np.random.default_rng(seed)
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=m, seed=seed, condition=100))
    start = nav.start()
    amount = min(amount, 0.9 * nav.preview(pn.Improve({"f1": 1.0}), 1e-3).reach)
    free = nav.preview(pn.Improve({"f1": 1.0}), amount).predicted.train
    rising = [name for name, change in free.items() if change > 0][:2]
    allow = {
        name: start.losses[name] + free[name] * rng.choice([0.0, rng.uniform(0.05, 1.1)]) for name in rising
    }
    made: dict[str, tuple[Any, float]] = {
        "improve": (pn.Improve({"f1": 1.0}, allow=allow), amount),
        "aim": (pn.Aim({"f1": start.losses["f1"] * (1 - amount)}, allow=allow), 1.0),
        "classify": (pn.Classify(improve=["f1"], allow=allow), amount),
    }
    preference, amount = made[kind]
    try:
        step = nav.step(preference, amount)
    except pn.InfeasiblePreferenceError as refused:
        if refused.reach < 1e-3:
            return
        step = nav.step(preference, refused.reach)
    for name, bound in allow.items():
        assert step.point.losses[name] <= bound * (1 + 1e-15)
    if step.status is pn.StepStatus.ACCEPTED:
        assert step.achieved.train["f1"] == pytest.approx(step.requested.shown["f1"], rel=1e-4)


class Overshooting(Newton):
    """A corrector that goes on along the front by half of the step, unless a bound is among the targets."""

    def correct(
        self, problem: Any, theta: Any, weights: Any, geometry: Any, guide: Any = None, *_: Any
    ) -> Correction:
        if guide is None or len(guide.target.named) > 1:
            return super().correct(problem, theta, weights, geometry, guide)
        theta = guide.tangent.point(torch.from_numpy(1.5 * guide.plan.coordinates))
        return super().correct(problem, theta, weights, geometry)


class Unpromising(ObjectiveSpace):
    """A predictor whose legs nobody takes back, so that bounds alone are kept."""

    promises = False


@pytest.mark.parametrize("m", [2, 3])
def test_a_corrector_that_passes_a_bound_is_brought_back(m: int) -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=m, seed=3), predictor=Unpromising() if m == 2 else None)
    start = nav.start()
    nav.method = replace(nav.method, corrector=Overshooting())
    free = nav.preview(pn.Improve({"f1": 1.0}), 0.05).predicted.train
    payer = max(free, key=lambda name: free[name])
    bound = start.losses[payer] + 1.05 * free[payer]
    step = nav.step(pn.Improve({"f1": 1.0}, allow={payer: bound}), 0.05)
    assert step.point.losses[payer] <= bound
    assert step.status is not pn.StepStatus.REJECTED
    assert step.achieved.train["f1"] < 0.5 * step.requested.shown["f1"] < 0


def test_what_goes_too_far_inside_a_bound_is_no_outcome_that_was_asked_for() -> None:
    """With two losses there is no room to align; the leg is shortened to the bound, and goes beyond its part still."""
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=2, seed=3))
    start = nav.start()
    nav.method = replace(nav.method, corrector=Overshooting())
    rise = nav.preview(pn.Improve({"f1": 1.0}), 0.05).predicted.train["f2"]
    step = nav.step(pn.Improve({"f1": 1.0}, allow={"f2": start.losses["f2"] + 1.05 * rise}), 0.05)
    assert step.status is pn.StepStatus.REJECTED
    assert re.fullmatch(r"f[12] came out .* on training data, where .* was predicted", step.reason)
    assert nav.here is start
    assert torch.equal(nav.problem.parameters(), start.parameters)


class Careless(Newton):
    """A corrector that ends somewhere else altogether."""

    def correct(self, problem: Any, theta: Any, *rest: Any, **options: Any) -> Correction:
        return Correction(theta - 1.0, problem.evaluate(theta - 1.0), rest[0], None, 1, True)


def test_a_step_that_cannot_keep_a_bound_is_taken_back() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=3, seed=3))
    start = nav.start()
    nav.method = replace(nav.method, corrector=Careless())
    step = nav.step(pn.Improve({"f1": 1.0}, allow={"f2": 1.1 * start.losses["f2"]}), 0.02)
    assert step.status is pn.StepStatus.REJECTED
    assert step.reason == "the bound on f2 left no more room"
    assert nav.here is start
    assert step.achieved.train["f2"] > 0.1 * start.losses["f2"]


def test_limits_know_which_way_is_worse() -> None:
    limits = Limits(np.array([0, 1]), np.array([1.0, 0.8]), np.array([1.0, -1.0]))

    class Problem:
        m, has_validation, metric_names = 1, False, ("accuracy",)

    def losses(loss: float, accuracy: float) -> Any:
        class Fake:
            mean = torch.tensor([loss])
            metrics = {"accuracy": accuracy}  # noqa: RUF012

        return Fake()

    def beyond(loss: float, accuracy: float) -> list[float]:
        return limits.beyond(Problem(), None, "train", losses(loss, accuracy)).tolist()  # type: ignore[arg-type]

    assert beyond(0.9, 0.9) == pytest.approx([-0.1, -0.1])
    assert beyond(1.2, 0.7) == pytest.approx([0.2, 0.1])
    assert max(beyond(1.0, 0.8)) <= 0
