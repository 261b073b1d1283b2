"""A gain that only a few validation examples see is not sold."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.tensors import normal
from torch import nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Anchor, FrontModel
from paretonav.steering.planning.doubt import doubt
from paretonav.steering.planning.plan import Plan, plan, reach
from paretonav.steering.preferences.situation import situation


def regression(validation: int, *, turned: bool) -> pn.ModelProblem:
    """A trained sum of two regressions; of the first one validation labels are other than training labels."""
    x = normal(2000 + validation, 6, seed=0).float()
    y = (x @ normal(6, 2, seed=1).float()) + 0.3 * normal(2000 + validation, 2, seed=2).float()
    held = y[2000:].clone()
    if turned:
        held[:, 0] = x[2000:] @ normal(6, 1, seed=5).float()[:, 0] + 8 * normal(validation, seed=6).float()
    model = nn.Linear(6, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.linalg.lstsq(x[:2000], y[:2000].mean(dim=1, keepdim=True)).solution.T)
    losses = {
        name: lambda o, b, i=i: (o[:, 0] - b[1][:, i]).square().mean()
        for i, name in enumerate(("first", "second"))
    }
    return pn.ModelProblem(
        model, losses, TensorDataset(x[:2000], y[:2000]), TensorDataset(x[2000:], held), batch_size=50
    )


@pytest.fixture(scope="module")
def made() -> tuple[FrontModel, Plan]:
    nav = pn.Navigator(regression(600, turned=False))
    front = nav.start().front
    assert front.anchor is not None
    return front, plan(front, pn.Improve({"first": 1.0}).wish(situation(front)), 0.02)


def told(made: tuple[FrontModel, Plan], gain: float, error: float, rise: float, **changed: Any) -> str:
    """What is said of a gain of the first loss on validation data with this error, and its rise on training data."""
    front, first = made
    other = replace(
        first,
        predicted=replace(first.predicted, train=np.array([rise, 0.0]), validation=np.array([-gain, 0.0])),
        errors=replace(first.errors, validation=np.array([error, error])),
    )
    return doubt(replace(front, **changed), other)


def test_a_gain_within_its_noise_that_training_data_deny_is_in_doubt(made: tuple[FrontModel, Plan]) -> None:
    assert told(made, 0.02, 0.011, 0.009)
    assert not told(made, 0.02, 0.009, 0.02), "it shows"
    assert not told(made, 0.02, 0.011, 0.008), "training data hardly deny it"
    assert told(made, 0.02, 0.021, 0.0), "it does not show at all"
    assert not told(made, 0.02, 0.011, -0.02), "training data say so, too"
    assert not told(made, -0.02, 0.011, 0.02), "it was not to gain"


def test_of_what_was_learnt_by_heart_a_part_counts(made: tuple[FrontModel, Plan]) -> None:
    """Twice the gain at two standard errors, of a loss that is a thousandth of that on validation data."""
    by_heart = made[0].losses * 1e-3
    assert not told(made, 0.02, 0.011, 1e-3 * 0.025, losses=by_heart)
    assert told(made, 0.02, 0.011, 1e-3 * 0.04, losses=by_heart)
    assert not told(made, 0.02, 0.009, 1e-3 * 0.1, losses=by_heart), "it shows"
    assert told(made, 0.02, 0.011, 0.011, losses=made[0].losses * 1e3), "a rise by value counts as well"


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_make_no_difference(made: tuple[FrontModel, Plan], scale: float) -> None:
    assert told(made, 0.02 * scale, 0.011 * scale, 0.011 * scale)
    assert not told(made, 0.02 * scale, 0.009 * scale, 0.011 * scale)


def test_there_is_no_doubt_along_a_front_or_about_training_data(made: tuple[FrontModel, Plan]) -> None:
    assert told(made, 0.02, 0.011, 0.011, anchor=Anchor(0.1, 1.0, ""))
    assert not told(made, 0.02, 0.011, 0.011, anchor=None)
    assert not told(made, 0.02, 0.011, 0.011, asked="train")


def test_what_is_in_doubt_is_refused_and_out_of_reach() -> None:
    """Forty noisy examples like another model, and two thousand do not."""
    nav = pn.Navigator(regression(40, turned=True))
    front = nav.start().front
    wish = pn.Improve({"first": 1.0})
    with pytest.raises(
        pn.InfeasiblePreferenceError,
        match=r"on validation data first would gain .* on training data it would lose",
    ) as refused:
        nav.step(wish, 0.005)
    assert refused.value.reach == 0
    assert reach(front, wish.wish(situation(front))) == 0
    step = nav.step(pn.Improve({"first": 1.0}, on="train"), 0.005)
    assert step.status is pn.StepStatus.ACCEPTED
