from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Geometry, measure_front, tangent_at
from paretonav.steering.stepping.trust import Leg, Trust, first_geometry

TRUST = Trust(0.25, Geometry(samples=1024, tolerance=0.1), adapts=True)
GOOD = Leg(length=0.1, error=0.02, waste=0.05, struggled=False, damping=1e-3)
SIZES = st.floats(1e-6, 2.0)


@given(SIZES, SIZES, st.floats(0, 1), st.booleans())
def test_nothing_leaves_its_limits(length: float, error: float, waste: float, struggled: bool) -> None:
    trust = TRUST
    for _ in range(8):
        trust = trust.after(Leg(length, error, waste, struggled, trust.geometry.damping or 1e-3))
        assert 0.02 <= trust.radius <= 1
        assert 512 <= (trust.geometry.samples or 0) <= 8192
        assert 0.02 <= (trust.geometry.tolerance or 0) <= 0.3


@given(st.floats(0.051, 10), st.floats(0.01, 0.25))
def test_a_bad_prediction_shortens_the_legs_to_where_it_would_be_good(error: float, length: float) -> None:
    """The error of a second-order model grows with the square of the length."""
    radius = TRUST.after(replace(GOOD, error=error, length=length)).radius
    assert radius == pytest.approx(max(0.02, length * max(0.25, np.sqrt(0.05 / error))))
    assert radius < 0.25


def test_a_good_prediction_of_a_long_leg_lengthens_them_and_of_a_short_one_says_nothing() -> None:
    assert TRUST.after(replace(GOOD, length=0.2, error=0.01)).radius == pytest.approx(0.4)
    assert TRUST.after(replace(GOOD, length=0.2, error=0.049)).radius == 0.25
    assert TRUST.after(replace(GOOD, length=0.1, error=0.01)).radius == 0.25


def test_an_error_that_the_length_does_not_explain_takes_more_examples() -> None:
    assert TRUST.after(replace(GOOD, length=0.05, error=0.2)).geometry.samples == 2048
    assert TRUST.after(replace(GOOD, length=0.25, error=0.2)).geometry.samples == 1024
    assert TRUST.after(replace(GOOD, error=0.001)).geometry.samples == 512


def test_what_is_lost_beside_the_front_takes_tighter_solves() -> None:
    assert TRUST.after(replace(GOOD, waste=0.2)).geometry.tolerance == 0.05
    assert TRUST.after(replace(GOOD, waste=0.01)).geometry.tolerance == pytest.approx(0.15)
    assert TRUST.after(replace(GOOD, waste=None)).geometry.tolerance == 0.1


def test_a_solve_that_does_not_converge_gets_more_damping() -> None:
    assert TRUST.after(replace(GOOD, struggled=True)).geometry.damping == pytest.approx(4e-3)
    assert TRUST.after(replace(GOOD, struggled=True, damping=0.0)).geometry.damping is None


def test_what_was_set_by_hand_stays() -> None:
    fixed = replace(TRUST, adapts=False)
    assert fixed.after(replace(GOOD, error=9.0, waste=9.0, struggled=True)) is fixed
    whole = replace(TRUST, geometry=Geometry(samples=None, tolerance=0.1))
    assert whole.after(replace(GOOD, length=0.01, error=9.0)).geometry.samples is None


def test_the_share_of_a_plan_is_that_within_the_radius() -> None:
    problem = pn.problems.quadratic(10, 3)
    weights = np.full(3, 1 / 3)
    tangent = tangent_at(problem, problem.pareto_point(weights), problem.parameters().new_tensor(weights))
    front = measure_front(problem, tangent, Geometry())
    change = np.array([0.5, -0.1, 0.0]) * front.losses
    assert TRUST.length(front, change) == pytest.approx(0.5)
    assert TRUST.share(front, change) == pytest.approx(0.5)
    assert TRUST.share(front, 0.2 * change) == 1
    assert TRUST.share(front, 0 * change) == 1


@pytest.mark.parametrize(("sizes", "length"), [((2.0, 0.5), 0.2), ((2.0, 1e-6), 1.0), ((2.0, 0.0), 1.0)])
def test_a_loss_that_is_next_to_nothing_does_not_make_a_step_long(
    sizes: tuple[float, float], length: float
) -> None:
    problem = pn.problems.quadratic(n=4, m=2)
    tangent = tangent_at(problem, problem.parameters(), torch.tensor([0.5, 0.5], dtype=torch.float64))
    front = replace(measure_front(problem, tangent, Geometry()), losses=np.array(sizes))
    assert TRUST.length(front, np.array([0.1, 0.1])) == pytest.approx(length)


@pytest.mark.parametrize(("examples", "samples"), [(100, 512), (4200, 700), (9000, 1024), (10**6, 1024)])
def test_the_first_sample_is_a_part_of_the_data(examples: int, samples: int) -> None:
    assert first_geometry(counting(Recipe, examples)) == Geometry(samples=samples)


@pytest.mark.parametrize(
    ("examples", "samples"), [(100, 256), (6100, 256), (9000, 375), (24000, 1000), (10**6, 1024)]
)
def test_around_a_model_that_is_held_it_is_a_smaller_one(examples: int, samples: int) -> None:
    assert first_geometry(counting(pn.ModelProblem, examples)) == Geometry(samples=samples)


class Recipe(pn.ModelProblem):
    """Brings a recipe for its training, so it does not come trained."""

    def train(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


def counting(kind: type[pn.ModelProblem], examples: int) -> pn.ModelProblem:
    """A model of so many examples."""
    x = torch.arange(examples, dtype=torch.float32)[:, None]
    losses = {f"to {i}": lambda o, b, i=i: (o - i).square().mean() for i in range(2)}
    problem = kind(nn.Linear(1, 1), losses, TensorDataset(x / examples), batch_size=10**6)
    assert problem.examples == examples
    return problem


def test_a_function_has_no_examples() -> None:
    problem = pn.problems.quadratic(n=4, m=2)
    assert problem.examples is None
    assert first_geometry(problem) == Geometry()


def test_what_was_set_beyond_the_limits_is_not_brought_inside_them() -> None:
    """Limits say how far it adapts; who has asked for more or less has a reason."""
    bad, good = replace(GOOD, length=0.01, error=0.9), replace(GOOD, error=0.001)
    for samples, leg in ((10**4, bad), (100, good)):
        trust = replace(TRUST, geometry=Geometry(samples=samples, tolerance=0.1))
        assert trust.after(leg).geometry.samples == samples
    for tolerance, waste in ((1e-3, 0.9), (0.3, 0.0)):
        trust = replace(TRUST, geometry=Geometry(samples=1024, tolerance=tolerance))
        assert trust.after(replace(GOOD, waste=waste)).geometry.tolerance == tolerance
