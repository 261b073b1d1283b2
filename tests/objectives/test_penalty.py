"""Penalties against dense formulas in float64."""

from typing import Any

import pytest
import torch
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from paretonav import ModelProblem, Penalty, ProblemError, l2, smooth_l1
from paretonav.geometry import Curvature


def fit(o: Tensor, batch: Any) -> Tensor:
    return (o - batch[1]).square().mean()


def make(penalty: Any, batch_size: int = 3, n: int = 10, **options: Any) -> ModelProblem:
    """Of 26 parameters, of which the first 16 are those of layer 0."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    data = TensorDataset(normal(n, 3, seed=0), normal(n, 2, seed=1))
    return ModelProblem(model, {"fit": fit, "size": penalty}, data, batch_size=batch_size, **options)


def by_hand(theta: Tensor) -> dict[str, tuple[Penalty, Tensor]]:
    """Penalties beside their formulas."""
    first, last = theta[:16], theta[16:]
    quartic = Penalty(lambda chosen: sum(p.pow(4).sum() for p in chosen.values()))  # type: ignore[arg-type, return-value]
    return {
        "l2": (l2(scale=3.0), 1.5 * theta @ theta),
        "l2 of a layer": (l2("0.*"), 0.5 * first @ first),
        "l1 of the other": (
            smooth_l1("2.*", scale=2.0, smoothing=0.1),
            2 * (last**2 + 0.01).sqrt().sum() - 2,
        ),
        "biases alone": (l2("*.bias"), 0.5 * (theta[12:16].square().sum() + theta[24:].square().sum())),
        "of one's own": (quartic, theta.pow(4).sum()),
    }


@pytest.mark.parametrize("kind", list(by_hand(torch.zeros(26))))
def test_value_slope_and_curvature_are_those_of_the_formula(kind: str) -> None:
    theta = normal(26, seed=2)
    penalty, expected = by_hand(theta)[kind]
    problem = make(penalty)
    losses, jacobian = problem.jacobian(theta)
    torch.testing.assert_close(losses.mean[1], expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(problem.evaluate(theta).mean[1], expected, rtol=1e-12, atol=1e-12)
    slope = torch.autograd.functional.jacobian(lambda t: by_hand(t)[kind][1], theta)
    torch.testing.assert_close(jacobian[1], slope, rtol=1e-12, atol=1e-12)
    dense = torch.autograd.functional.hessian(lambda t: by_hand(t)[kind][1], theta)
    for curvature in ("exact", "gauss-newton"):  # the parameters are outputs, so that these are the same
        sample, weights = problem.curvature_sample(), torch.tensor([0.0, 1.0])
        operator = Curvature(sample, theta, weights, kind=curvature)  # type: ignore[arg-type]
        torch.testing.assert_close(operator(torch.eye(26).double()), dense, rtol=1e-11, atol=1e-11)


def test_gauss_newton_curvature_of_the_fit_beside_a_penalty_is_that_of_the_fit_alone() -> None:
    theta, weights = normal(26, seed=2), torch.tensor([0.5, 0.5])
    problem, eye = make(l2(scale=3.0)), torch.eye(26, dtype=torch.float64)
    mixed = Curvature(problem.curvature_sample(), theta, weights, kind="gauss-newton")(eye)
    plain = make(lambda o, b: 0 * o.sum() + fit(o, b)).curvature_sample()
    alone = Curvature(plain, theta, torch.tensor([1.0, 0.0]), kind="gauss-newton")(eye)
    torch.testing.assert_close(mixed, 0.5 * alone + 1.5 * eye)


def test_changes_have_no_sampling_error() -> None:
    problem, theta = make(l2(), 8, n=32), normal(26, seed=2)
    before, after = problem.evaluate(theta), problem.evaluate(1.1 * theta)
    change, error = after.change_from(before)
    assert float(change[1]) == pytest.approx(0.105 * float(theta @ theta))
    assert error is not None
    assert float(error[1]) < 1e-14 < float(error[0])


def test_the_smooth_l1_tends_to_the_absolute_value() -> None:
    theta = normal(26, seed=2)
    for smoothing in (1e-1, 1e-3, 1e-6):
        value = float(smooth_l1(smoothing=smoothing)({"w": theta}))
        assert 0 <= float(theta.abs().sum()) - value <= 26 * smoothing
    zero = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    value = smooth_l1()({"w": zero})
    assert value.item() == 0
    assert not torch.autograd.grad(value, zero)[0].any()


def test_a_penalty_may_be_a_metric() -> None:
    small = Penalty(
        lambda chosen: (torch.cat([p.flatten() for p in chosen.values()]).abs() < 0.5).double().mean()
    )
    problem = make(lambda o, b: (o - 1).square().mean(), metrics={"small": small, "norm": l2("2.*")})
    theta = normal(26, seed=2)
    metrics = problem.evaluate(theta).metrics
    assert metrics["small"] == pytest.approx(float((theta.abs() < 0.5).double().mean()))
    assert metrics["norm"] == pytest.approx(0.5 * float(theta[16:] @ theta[16:]))
    direction = normal(26, seed=3)
    _, response = problem.response(theta, direction[None])
    assert response.mean[3, 0].item() == pytest.approx(float(theta[16:] @ direction[16:]))


BAD: dict[str, tuple[Any, str]] = {
    "pattern of nothing": (
        l2("trunk.*"),
        r"pattern 'trunk\.\*'.* none of the steered.*there are: 2\.weight, 2\.bias",
    ),
    "pattern of what is not steered": (
        l2("0.*"),
        r"pattern '0\.\*'.* none of the steered.*there are: 2\.weight",
    ),
    "vector": (Penalty(lambda chosen: chosen["2.bias"]), r"penalty 'size' must be a scalar tensor.* \[2\]"),
    "float": (Penalty(lambda chosen: 0.5), "penalty 'size' must be a scalar tensor.* float"),  # type: ignore
    "fails": (Penalty(lambda chosen: chosen["odd"].sum()), "loss 'size' failed.*'odd'"),
    "constant": (
        Penalty(lambda chosen: chosen["2.bias"].detach().sum()),
        "'size' does not depend on the steered",
    ),
}


@pytest.mark.parametrize(("wrong", "words"), [pytest.param(*case, id=name) for name, case in BAD.items()])
def test_bad_penalties_are_named(wrong: Penalty, words: str) -> None:
    with pytest.raises(ProblemError, match=words):
        make(wrong, parameters="2.*")
