"""Data and outputs of everyday kinds: NumPy's precision, complex numbers, lengths beside the examples."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.regression import network, noisy, squared
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import paretonav as pn

LOSSES = {"small": squared(0), "large": squared(1)}


def test_targets_in_double_precision_do_not_matter_to_a_model_in_single() -> None:
    x, y = noisy(64, 1).tensors
    model = network().float()
    double, single = (TensorDataset(x.float(), target) for target in (y, y.float()))
    found, expected = (pn.ModelProblem(model, LOSSES, data, validation=data) for data in (double, single))
    theta = found.parameters()
    directions = normal(2, len(theta), dtype=torch.float32)
    torch.testing.assert_close(found.jacobian(theta)[1], expected.jacobian(theta)[1])
    for split in ("train", "validation"):
        one, other = (p.response(theta.clone(), directions, split)[1] for p in (found, expected))
        torch.testing.assert_close(one.mean, other.mean, rtol=1e-4, atol=1e-6)
    mixed = {"small": squared(0), "plain": lambda o, _: o[:, 1].square().mean()}
    nav = pn.Navigator(pn.ModelProblem(model, mixed, double, validation=double))
    nav.start()
    assert nav.step(pn.Improve({"small": 1.0}), 0.01).status is not None


class Spectrum(nn.Module):
    """A signal's Fourier transform."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 6).double()

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.rfft(self.inner(x))


def power(o: Tensor, _: Any) -> Tensor:
    return (o.abs() - 1).square().mean()


def phase(o: Tensor, batch: Any) -> Tensor:
    return (o * torch.polar(torch.ones_like(batch[1]), batch[1])[:, :1]).real.square().mean()


def test_complex_outputs_have_their_derivatives() -> None:
    problem = pn.ModelProblem(Spectrum(), {"power": power, "phase": phase}, noisy(16, 1), batch_size=5)
    theta = problem.parameters()
    directions = normal(3, len(theta))
    losses, jacobian = problem.jacobian(theta)
    dense = torch.autograd.functional.jacobian(lambda t: _total(problem, t), theta)
    torch.testing.assert_close(jacobian, dense)
    torch.testing.assert_close(problem.response(theta.clone(), directions)[1].mean, jacobian @ directions.T)
    hessian = torch.autograd.functional.hessian(lambda t: _total(problem, t).sum(), theta)
    exact = pn.geometry.Curvature(problem.curvature_sample(), theta, torch.ones(2), kind="exact")
    torch.testing.assert_close(exact(directions), directions @ hessian)
    near = pn.geometry.Curvature(problem.curvature_sample(), theta, torch.ones(2), kind="gauss-newton")
    torch.testing.assert_close(
        near(directions), exact(directions), rtol=1e-9, atol=1e-9
    )  # the model is linear
    assert losses.mean.isfinite().all()


def _total(problem: pn.ModelProblem, theta: Tensor) -> Tensor:
    outputs = torch.func.functional_call(
        problem.model, problem._flat.unflatten(theta), (noisy(16, 1).tensors[0],)
    )
    return torch.stack([f(outputs, noisy(16, 1).tensors) for f in (power, phase)])


def test_a_model_with_complex_outputs_can_be_steered() -> None:
    data = noisy(64, 1)
    nav = pn.Navigator(pn.ModelProblem(Spectrum(), {"power": power, "phase": phase}, data, validation=data))
    nav.start()
    assert nav.step(pn.Improve({"power": 1.0}), 0.01).status.value == "accepted"


def test_complex_losses_and_metrics_are_refused() -> None:
    with pytest.raises(
        pn.ProblemError, match=r"loss 'odd' returned a complex number; take its .real or .abs\(\)"
    ):
        pn.ModelProblem(Spectrum(), {"power": power, "odd": lambda o, _: o.mean()}, noisy(8, 1))
    metrics: Any
    for metrics in ({"odd": lambda o, _: o.mean()}, {"odd": lambda o, _: complex(o.mean())}):
        with pytest.raises(pn.ProblemError, match=r"metric 'odd' must return one number.*complex"):
            pn.ModelProblem(Spectrum(), {"power": power, "phase": phase}, noisy(8, 1), metrics=metrics)
    with pytest.raises(pn.ProblemError, match=r"fn returned complex numbers"):
        pn.FunctionProblem(lambda x: torch.fft.fft(x), torch.ones(3))


class Bags(IterableDataset[Any]):
    """Batches of different sizes, each with a few numbers about it in front."""

    def __iter__(self) -> Iterator[Any]:
        for k, size in enumerate((5, 12, 19)):
            yield torch.tensor([3, 2]), normal(size, 4, seed=k), normal(size, 2, seed=10 + k)


def test_examples_are_counted_by_what_most_tensors_hold() -> None:
    losses = {
        "small": lambda o, batch: (o[:, 0] - batch[2][:, 0]).square().mean(),
        "large": lambda o, batch: (o[:, 1] - batch[2][:, 1]).square().mean(),
    }
    bags: DataLoader[Any] = DataLoader(Bags(), batch_size=None)
    problem = pn.ModelProblem(network(), losses, bags, forward=lambda m, batch: m(batch[1]))
    x, y = (torch.cat(parts) for parts in zip(*(batch[1:] for batch in Bags()), strict=True))
    whole = pn.ModelProblem(network(), LOSSES, TensorDataset(x, y))
    assert problem.examples == 36
    theta = problem.parameters()
    torch.testing.assert_close(problem.evaluate(theta).mean, whole.evaluate(theta).mean)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 1000),
    scale=st.floats(1e-3, 1e3),
    size=st.integers(1, 16),
    order=st.permutations([0, 1, 2]),
)
def test_scaling_permuting_and_splitting_do_what_they_say(
    seed: int, scale: float, size: int, order: list[int]
) -> None:
    """A loss in another unit, objectives in another order, and data in other batches are the same problem."""
    data = noisy(16, seed)
    losses = {"small": squared(0), "large": squared(1), "both": lambda o, _: o.pow(4).mean()}
    names = list(losses)
    plain = pn.ModelProblem(network(seed), losses, data)
    turned = {names[k]: losses[names[k]] for k in order}
    turned["small"] = squared(0, scale)
    other = pn.ModelProblem(network(seed), turned, data, batch_size=size)
    theta = plain.parameters()
    factors = torch.tensor([scale if names[k] == "small" else 1.0 for k in order], dtype=torch.float64)
    directions = normal(2, len(theta), seed=seed)
    (one, jacobian), (two, moved) = plain.jacobian(theta), other.jacobian(theta)
    torch.testing.assert_close(two.mean, factors * one.mean[order])
    torch.testing.assert_close(moved, factors[:, None] * jacobian[order], rtol=1e-9, atol=1e-9)
    responses = [p.response(theta.clone(), directions)[1].mean for p in (plain, other)]
    torch.testing.assert_close(responses[1], factors[:, None] * responses[0][order], rtol=1e-9, atol=1e-9)
    weights = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    products = [
        pn.geometry.Curvature(p.curvature_sample(), theta, w, kind="gauss-newton")(directions)
        for p, w in ((plain, weights), (other, weights[order] / factors))
    ]
    torch.testing.assert_close(products[1], products[0], rtol=1e-8, atol=1e-9)
