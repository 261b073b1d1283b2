"""The modes of torch in which somebody calls do not matter."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.regression import problem
from tests.tensors import normal
from torch import Tensor

import paretonav as pn
from paretonav.geometry import Curvature

MODES: dict[str, Callable[[], Any]] = {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}


def all_of(problem: pn.Problem) -> list[Tensor]:
    theta = problem.parameters()
    directions = torch.eye(len(theta), dtype=theta.dtype)[:2]
    losses, jacobian = problem.jacobian(theta)
    kind = problem.default_curvature
    return [
        losses.mean,
        jacobian,
        problem.response(theta.clone(), directions)[0].mean,
        problem.response(theta.clone(), directions)[1].mean,
        Curvature(problem.curvature_sample(), theta, torch.tensor([0.3, 0.7]), kind=kind)(directions),
        problem.evaluate(theta).mean,
    ]


def function(x: Tensor) -> Tensor:
    return torch.stack([(x - 1).pow(4).sum(), x.cosh().sum()])


@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("make", [problem, lambda: pn.FunctionProblem(function, normal(3))])
def test_derivatives_are_the_same_in_every_mode(make: Callable[[], pn.Problem], mode: str) -> None:
    expected = all_of(make())
    made = make()
    with MODES[mode]():
        found, inside = all_of(made), torch.is_grad_enabled()
    assert not inside
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.clone(), other)
    for one, other in zip(all_of(made), expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("mode", list(MODES))
def test_a_start_and_a_step_are_the_same_in_every_mode(mode: str) -> None:
    def walked(problem: pn.Problem) -> pn.Step:
        nav = pn.Navigator(problem)
        nav.start()
        return nav.step(pn.Improve({"small": 1.0}), amount=0.02)

    expected, given = walked(problem()), problem()
    with MODES[mode]():
        found = walked(given)
    assert found.status == expected.status
    assert found.achieved.train == pytest.approx(expected.achieved.train, rel=1e-6, abs=1e-9)


def test_a_model_made_in_inference_mode_is_refused() -> None:
    with (
        torch.inference_mode(),
        pytest.raises(pn.ProblemError, match=r"'0.weight' was made in inference mode"),
    ):
        problem()
