from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

import paretonav as pn
from paretonav.geometry import Tangent, tangent_at
from paretonav.objectives import Losses
from paretonav.problems.quadratic import Quadratic
from paretonav.steering.stepping.align import align
from paretonav.steering.stepping.target import Target


def at_front(problem: Quadratic, weights: list[float]) -> Tangent:
    w = torch.tensor(weights, dtype=torch.float64)
    return tangent_at(problem, problem.pareto_point(w), w)


def target(tangent: Tangent, changes: dict[int, float], tolerance: float = 1e-9) -> Target:
    named = np.array(list(changes))
    ones = np.ones(len(named))
    return Target(
        named,
        tangent.losses.mean.numpy()[named] + list(changes.values()),
        tolerance=tolerance * ones,
        scale=ones,
        response=tangent.response.numpy()[named],
        split="train",
    )


def excess(problem: pn.Problem, goal: Target, losses: Losses) -> np.ndarray:
    return goal.excess(problem, problem.parameters(), losses)


@pytest.mark.parametrize("changes", [{0: -0.01}, {0: -0.01, 2: 0.0}, {1: -0.01, 2: 0.005}])
def test_the_named_losses_meet_their_targets(changes: dict[int, float]) -> None:
    problem = pn.problems.quadratic(20, 4)
    tangent = at_front(problem, [0.1, 0.2, 0.3, 0.4])
    goal = target(tangent, changes)
    assert not goal.met(excess(problem, goal, tangent.losses))
    theta, losses = align(problem, tangent, tangent.theta, goal, rounds=6)
    assert goal.met(excess(problem, goal, losses))
    assert excess(problem, goal, losses) == pytest.approx(0, abs=1e-9)
    torch.testing.assert_close(losses.mean, problem.evaluate(theta).mean)
    moved = torch.linalg.lstsq(tangent.basis.T, (theta - tangent.theta)[:, None])
    torch.testing.assert_close(tangent.basis.T @ moved.solution[:, 0], theta - tangent.theta)


def test_every_round_costs_one_forward_pass_and_known_losses_save_one() -> None:
    problem = pn.problems.quadratic(20, 3)
    tangent = at_front(problem, [0.2, 0.3, 0.5])
    goal = target(tangent, {0: -0.01}, tolerance=0.0)
    before = problem.cost.forward_passes
    align(problem, tangent, tangent.theta, goal, rounds=2)
    assert problem.cost.forward_passes - before == 3
    align(problem, tangent, tangent.theta, goal, rounds=2, losses=tangent.losses)
    assert problem.cost.forward_passes - before == 5
    align(problem, tangent, tangent.theta, goal, rounds=0, losses=tangent.losses)
    assert problem.cost.forward_passes - before == 5
    align(problem, tangent, tangent.theta, target(tangent, {0: 0.0}), rounds=5)
    assert problem.cost.forward_passes - before == 6


def test_it_takes_the_shortest_way_in_the_metric_of_the_front() -> None:
    problem = pn.problems.quadratic(20, 4)
    tangent = at_front(problem, [0.1, 0.2, 0.3, 0.4])
    goal = target(tangent, {0: -1e-4})
    theta, _ = align(problem, tangent, tangent.theta, goal, rounds=1)
    c = -torch.linalg.lstsq(tangent.basis.T, (theta - tangent.theta)[:, None]).solution[:, 0].numpy()
    S = tangent.curvature_of_front.numpy()
    expected = np.linalg.solve(S, tangent.response[0].numpy())
    np.testing.assert_allclose(c, expected * (1e-4 / (tangent.response[0].numpy() @ expected)), rtol=1e-6)


def test_the_best_that_was_seen_is_kept() -> None:
    """Beyond the minimum of the first objective every round overshoots."""
    problem = pn.problems.quadratic(20, 2)
    tangent = at_front(problem, [0.5, 0.5])
    goal = target(tangent, {0: -10.0})
    theta, losses = align(problem, tangent, tangent.theta, goal, rounds=5)
    assert abs(excess(problem, goal, losses)[0]) <= abs(excess(problem, goal, tangent.losses)[0])
    torch.testing.assert_close(losses.mean, problem.evaluate(theta).mean, rtol=0, atol=0)


def test_it_stays_in_the_box() -> None:
    problem = pn.problems.quadratic(20, 3, bounds=(-0.1, 0.1))
    tangent = at_front(problem, [0.2, 0.3, 0.5])
    theta, _ = align(problem, tangent, tangent.theta, target(tangent, {0: -0.5}), rounds=4)
    assert theta.abs().max() <= 0.1


def test_losses_that_are_not_finite_are_handed_back() -> None:
    def fn(x: Tensor) -> Tensor:
        return torch.stack([(x - 1).square().sum(), (x + 1).square().sum()]) / (x[0] < 0.5)

    problem = pn.FunctionProblem(fn, torch.zeros(3, dtype=torch.float64))
    half = torch.full((2,), 0.5, dtype=torch.float64)
    tangent = tangent_at(problem, torch.zeros(3, dtype=torch.float64), half)
    beyond = torch.ones(3, dtype=torch.float64)
    theta, losses = align(problem, tangent, beyond, target(tangent, {0: -0.1}), rounds=3)
    assert torch.equal(theta, beyond)
    assert not losses.mean.isfinite().all()
    theta, losses = align(problem, tangent, tangent.theta, target(tangent, {0: -2.9}), rounds=3)
    assert losses.mean.isfinite().all()
    assert losses.mean[0] <= tangent.losses.mean[0]


def test_a_flat_front_has_a_metric_too() -> None:
    a = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
    problem = pn.FunctionProblem(
        lambda x: torch.stack([a @ x + x[1:].square().sum(), -(a @ x) + x[1:].square().sum()]),
        torch.zeros(3, dtype=torch.float64),
    )
    tangent = tangent_at(problem, problem.parameters(), torch.full((2,), 0.5, dtype=torch.float64))
    goal = target(tangent, {0: -0.01})
    assert goal.met(excess(problem, goal, align(problem, tangent, tangent.theta, goal, rounds=4)[1]))


@pytest.mark.parametrize("factor", [0.75, 0.9, 1.2, 1.6])
@pytest.mark.parametrize("changes", [{0: -1e-5}, {0: -1e-5, 2: 1e-5}])
def test_what_a_round_has_shown_mends_a_response_that_was_told_wrong(
    factor: float, changes: dict[int, float]
) -> None:
    """So short a way is all but straight: one round tells by how much the response is off, and the next one is right.

    Without that every round would leave the same part of the error.
    """
    problem = pn.problems.quadratic(20, 4)
    tangent = at_front(problem, [0.1, 0.2, 0.3, 0.4])
    goal = target(tangent, changes, tolerance=1e-14)
    goal = replace(goal, response=factor * goal.response)
    left = [
        np.abs(excess(problem, goal, align(problem, tangent, tangent.theta, goal, rounds)[1])).max()
        for rounds in (1, 2)
    ]
    assert left[0] == pytest.approx(abs(1 - 1 / factor) * 1e-5, rel=0.01)
    assert left[1] < 1e-3 * left[0]
