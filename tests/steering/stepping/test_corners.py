"""Absolute values and maxima: shown as they are, predicted as they come, and no obstacle where they have closed."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Geometry, measure_front, tangent_at

NAMES = ("entropy", "gap", "square")


def people(n: int, seed: int) -> TensorDataset:
    """Inputs, answers and a group of 0 or 1, which the first input tells of."""
    group = torch.arange(n) % 2
    x = normal(n, 4, seed=seed)
    x[:, 0] += group
    answers = (x @ torch.tensor([1.0, -0.5, 0.3, 0.2]).double() + 0.7 * normal(n, seed=seed + 1) > 0).double()
    return TensorDataset(x, answers, group)


def entropy(o: Tensor, batch: Any) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(o[:, 0], batch[1])


def square(o: Tensor, batch: Any) -> Tensor:
    return (o[:, 0].sigmoid() - (batch[0][:, 2] > 0).double()).square().mean()


def problem(seed: int, m: int = 2, smoothing: float = 1e-2, **options: Any) -> pn.ModelProblem:
    gap = pn.group_gap(lambda o, _: o[:, 0].sigmoid(), lambda b: b[2], smoothing=smoothing)
    losses = dict(zip(NAMES, (entropy, gap, square), strict=True))
    return pn.ModelProblem(
        nn.Linear(4, 1).double(),
        {name: losses[name] for name in NAMES[:m]},
        people(120, seed),
        validation=people(120, seed + 10),
        batch_size=20,
        weight_decay=1e-3,
        **options,
    )


def signed_gap(theta: Tensor, data: TensorDataset) -> float:
    x, _, group = data.tensors
    rates = (x @ theta[:4] + theta[4]).sigmoid()
    return float(rates[group == 0].mean() - rates[group == 1].mean())


@settings(max_examples=15, deadline=None)
@given(
    size=st.floats(1e-6, 1),
    smoothing=st.sampled_from([0, 1e-3, 1e-2, 0.1]),
    split=st.sampled_from(["train", "validation"]),
    seed=st.integers(0, 10**6),
)
def test_a_gap_is_shown_as_it_is(size: float, smoothing: float, split: Any, seed: int) -> None:
    theta, made = size * normal(5, seed=seed), problem(seed, smoothing=smoothing)
    data = people(120, seed + (10 if split == "validation" else 0))
    expected = abs(signed_gap(theta, data))
    assert float(made.evaluate(theta, split).mean[1]) == pytest.approx(expected, rel=1e-9, abs=1e-15)
    assert float(made.jacobian(theta, split)[0].mean[1]) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(m=st.sampled_from([2, 3]), size=st.sampled_from([0, 1e-4, 1e-2, 0.3, 1]), seed=st.integers(0, 10**6))
def test_changes_are_predicted_on_both_sides_of_zero(m: int, size: float, seed: int) -> None:
    """Along the tangent, training and validation data apart: they may be on different sides."""
    made, theta = problem(seed, m), size * normal(5, seed=seed)
    theta[4] = 0.2
    weights = normal(m, seed=seed + 1).abs() + 0.1
    tangent = tangent_at(made, theta, weights / weights.sum(), Geometry())
    front = measure_front(made, tangent, Geometry())
    for number in range(3):
        c = normal(m - 1, seed=seed + number)
        c = 0.01 * c / (c.to(tangent.basis) @ tangent.basis).norm()
        moved = tangent.point(c)
        outcome = made.evaluate(moved).mean - tangent.losses.mean
        off = np.abs(front.change(c.numpy()) - outcome.numpy())
        assert off.max() <= 1e-3 * 0.01
        validation = made.evaluate(moved, "validation").mean - made.evaluate(theta, "validation").mean
        seen = front.validation_change(c.numpy())
        assert seen is not None
        # The training data's curvature stands in, but the gap's sides and their order must be right.
        assert np.abs(seen - validation.numpy()).max() <= 0.02 * 0.01
        if abs(signed_gap(theta, people(120, seed))) > 1e-3:
            step = 1e-6
            ahead, behind = (front.changes(c.numpy() + s * np.eye(m - 1)[0]) for s in (step, -step))
            np.testing.assert_allclose(
                front.slopes(c.numpy())[:, 0], (ahead - behind) / (2 * step), rtol=1e-4, atol=1e-6
            )


@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.1, 0.25])
def test_small_steps_come_as_they_are_predicted(share: float) -> None:
    """At gaps of .001 to .25."""
    made = problem(3, smoothing=1e-2)
    theta = torch.tensor([1.0, 0, 0, 0, 0], dtype=torch.float64)
    low, high = 0.0, 20.0  # the gap grows with the size of the weights
    data = people(120, 3)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if abs(signed_gap(middle * theta, data)) < share else (low, middle)
    theta = low * theta
    tangent = tangent_at(made, theta, torch.tensor([0.5, 0.5]), Geometry())
    front = measure_front(made, tangent, Geometry()).on("train")
    assert front.losses[1] == pytest.approx(share, rel=1e-6)
    for sign in (1, -1):
        c = np.array([sign * 0.01 * share / np.abs(front.response).max()])
        outcome = made.evaluate(tangent.point(torch.from_numpy(c))).mean.numpy() - front.losses
        np.testing.assert_allclose(front.change(c), outcome, rtol=0.02, atol=1e-3 * np.abs(outcome).max())


def closed(m: int, seed: int) -> pn.ModelProblem:
    """A model that says the same of everybody: its gap is zero, and the other losses could do with less."""
    made = problem(seed, m)
    made.set_parameters(torch.tensor([0, 0, 0, 0, -0.3], dtype=torch.float64))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("m", [2, 3])
def test_a_gap_that_has_closed_is_no_obstacle(m: int) -> None:
    for seed in range(3):
        nav = pn.Navigator(closed(m, seed))
        assert nav.start().losses["gap"] < 1e-9
        for name in (NAMES[0], *NAMES[2:m]):
            step = nav.step(pn.Improve({name: 1.0}), 0.01)
            assert step.status is pn.StepStatus.ACCEPTED
            largest = max(abs(change) for change in step.predicted.train.values())
            for other, change in step.achieved.train.items():
                assert change == pytest.approx(step.predicted.train[other], abs=0.05 * largest)
            assert np.isfinite(list(step.point.losses.values())).all()
            nav.go_to(0)
        if m == 3:
            step = nav.step(pn.Improve({"entropy": 1.0}, allow={"gap": 1e-3}), 0.01)
            assert step.status is pn.StepStatus.ACCEPTED
            assert step.point.losses["gap"] <= 1e-3


def test_a_gap_improves_by_no_more_than_all_of_it() -> None:
    nav = pn.Navigator(problem(1))
    nav.start()
    with pytest.raises(pn.InfeasiblePreferenceError) as refused:
        nav.preview(pn.Improve({"gap": 1.0}), 1.5)
    assert refused.value.reach <= 1


def test_what_is_equally_badly_off_improves_together() -> None:
    """Two groups that want opposite things: the worst of them is soon both."""
    x, group = normal(200, 3, seed=1), torch.arange(200) % 3
    wanted = x @ torch.tensor([1.0, 0.5, 0.0]).double() + (group - 1.0) + 0.3 * normal(200, seed=2)

    def each(o: Tensor, batch: Any) -> Tensor:
        return (o[:, 0] - batch[1]).square()

    losses = {
        "mean": lambda o, b: each(o, b).mean(),
        "worst": pn.worst_group(each, lambda b: b[2], 3),
    }
    made = pn.ModelProblem(
        nn.Linear(3, 1).double(), losses, TensorDataset(x, wanted, group), batch_size=50, weight_decay=1e-3
    )
    with torch.no_grad():
        for parameter in made.model.parameters():
            parameter.zero_()
    nav = pn.Navigator(made)
    nav.start()
    for name, amount in (("worst", 0.01), ("worst", 0.01), ("worst", 0.002), ("mean", 0.0001)):
        step = nav.step(pn.Improve({name: 1.0}), amount)
        assert step.status is pn.StepStatus.ACCEPTED, step.reason
        largest = max(abs(change) for change in step.predicted.train.values())
        for other, change in step.achieved.train.items():
            assert change == pytest.approx(step.predicted.train[other], abs=0.25 * largest)
        o = (x @ made.parameters()[:3] + made.parameters()[3])[:, None]
        rates = [float(each(o, (x, wanted))[group == g].mean()) for g in range(3)]
        assert step.point.losses["worst"] == pytest.approx(max(rates))


def test_the_size_of_nothing_is_refused() -> None:
    with pytest.raises(pn.ProblemError, match="absolute=True needs shown="):
        pn.Aggregate(lambda o, _: o, lambda means: means[0], absolute=True)
