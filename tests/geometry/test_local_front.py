"""The piece of the front that is shown lies on the front, and ends where the front or the model's word does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import paretonav as pn
from paretonav.geometry.local_front import local_front, radius
from paretonav.steering import Point


def start(m: int) -> tuple[pn.FunctionProblem, Point]:
    """A problem whose front is known, and a point on it."""
    problem = pn.problems.quadratic(n=10, m=m)
    return problem, pn.Navigator(problem).start()


@pytest.mark.parametrize("m", [2, 3])
def test_it_is_the_front_nearby(m: int) -> None:
    problem, here = start(m)
    patch = local_front(here.front)
    assert patch is not None
    losses = here.measured.train.mean.numpy()
    scale = np.abs(losses).mean()
    assert 0.05 * scale < np.abs(patch.outcomes - losses).max() < 0.25 * scale
    for outcome in patch.outcomes[::20]:
        assert abs(problem.front_distance(torch.from_numpy(outcome))) < 0.01 * scale


@pytest.mark.parametrize("m", [2, 3])
@pytest.mark.parametrize("extent", [0.01, 0.04])
def test_it_reaches_as_far_as_is_asked_for(m: int, extent: float) -> None:
    here = start(m)[1]
    patch = local_front(here.front, extent)
    assert patch is not None
    before = here.front.losses
    reached = np.abs(patch.outcomes - before).max() / np.abs(before).mean()
    assert reached == pytest.approx(extent, rel=0.2)


def test_it_never_reaches_farther_than_the_model_is_believed() -> None:
    front = start(3)[1].front
    usual, wide = local_front(front), local_front(front, 10.0)
    assert usual is not None
    assert wide is not None
    np.testing.assert_array_equal(usual.outcomes, wide.outcomes)


def test_its_lines_are_a_curve_or_a_rim_with_a_web() -> None:
    curve, surface = (local_front(start(m)[1].front) for m in (2, 3))
    assert curve is not None
    assert surface is not None
    assert [line.tolist() for line in curve.lines] == [list(range(len(curve.outcomes)))]
    rim, *web = surface.lines
    assert rim[0] == rim[-1]
    assert all(line.max() < len(surface.outcomes) for line in web)
    far = np.abs(surface.outcomes - surface.outcomes[0]).max(axis=1)
    assert far[rim].mean() > far.mean()


def test_it_ends_at_the_edge() -> None:
    front = replace(start(3)[1].front, weights=np.array([0.98, 0.01, 0.01]))
    directions = [np.array([np.cos(angle), np.sin(angle)]) for angle in np.linspace(0, 2 * np.pi, 50)]
    least = [front.weights_at(radius(front, u) * u).min() for u in directions]
    assert abs(min(least)) < 1e-12


def test_of_four_objectives_nobody_sees_it() -> None:
    assert local_front(start(4)[1].front) is None


def test_a_flat_problem_has_none() -> None:
    def losses(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.square().sum(), 2 * x.square().sum()])

    point = pn.Navigator(pn.FunctionProblem(losses, torch.ones(2, dtype=torch.float64))).start()
    assert local_front(point.front) is None
