"""Slopes and bends by going there, against dense derivatives."""

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
from paretonav.geometry.probes import Probes, first_lengths, relative_sizes

FEW = settings(max_examples=15, deadline=None, derandomize=True)
LEVEL = pn.Metric(lambda o, b: (o[:, 0] * b[1][:, 1]).mean(), higher_is_better=True)
SHARE = pn.Metric(lambda o, b: (o[:, 0] > b[1][:, 0]).double().mean(), higher_is_better=False)


def squares(k: int) -> Any:
    """Of a linear model: quadratic in its parameters."""
    return lambda o, b: (o[:, 0] - b[1][:, k]).square().mean()


def regression(m: int = 2, n: int = 5, held_out: int = 60, **options: Any) -> pn.ModelProblem:
    """Linear regressions that share their parameters; held-out data are others."""
    x, noise = normal(100 + held_out, n, seed=0), normal(100 + held_out, m, seed=1)
    y = x @ normal(n, m, seed=2) + 0.3 * noise
    model = nn.Linear(n, 1, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(0.5 * normal(1, n, seed=3))
    arguments: dict[str, Any] = {
        "metrics": {"level": LEVEL, "share": SHARE},
        "batch_size": 10,
    } | options
    validation = TensorDataset(x[100:], y[100:]) if held_out else None
    losses = {f"task {k}": squares(k) for k in range(m)}
    return pn.ModelProblem(model, losses, TensorDataset(x[:100], y[:100]), validation, **arguments)


def batches_of(problem: pn.ModelProblem, theta: Tensor, split: Any) -> Tensor:
    losses = problem.evaluate(theta, split)
    return (
        torch.cat([losses.batches, losses.metric_batches], dim=1) if losses.metric_names else losses.batches
    )


def guess(problem: pn.ModelProblem, directions: Tensor) -> np.ndarray:
    losses, jacobian = problem.jacobian(problem.parameters())
    return first_lengths(jacobian @ directions.T, losses.mean)


@FEW
@given(m=st.integers(2, 6), fewer=st.integers(0, 4), seed=st.integers(0, 1000))
def test_on_a_quadratic_they_are_the_derivatives(m: int, fewer: int, seed: int) -> None:
    k = max(1, m - fewer)  # there never are more ways than losses
    problem = pn.problems.quadratic(n=9, m=m, seed=seed)
    theta, directions = normal(9, seed=seed), normal(k, 9, seed=seed + 1)
    losses, jacobian = problem.jacobian(theta)
    lengths = first_lengths(jacobian @ directions.T, losses.mean)
    probes = Probes.along(problem, theta, directions, "train", lengths)
    torch.testing.assert_close(probes.response.mean, jacobian @ directions.T, rtol=1e-8, atol=1e-8)
    dense = torch.einsum("aj,ijk,bk->iab", directions, problem.Q, directions)
    np.testing.assert_allclose(probes.bend, dense, rtol=1e-6, atol=1e-6 * float(dense.abs().max()))
    torch.testing.assert_close(probes.before.mean, losses.mean)


@pytest.mark.parametrize("split", ["validation", "train"])
@pytest.mark.parametrize("k", [1, 3])
def test_slopes_are_known_batch_by_batch(split: Any, k: int) -> None:
    problem = regression()
    theta, directions = problem.parameters(), normal(k, 5, seed=7)
    probes = Probes.along(problem, theta, directions, split, guess(problem, directions))
    assert probes.before.metric_names == (("level", "share") if split == "validation" else ())
    width = 4 if split == "validation" else 2
    assert probes.bend.shape == (width, k, k)
    data = problem.evaluate(theta, split)
    assert torch.equal(probes.response.fractions, data.fractions)
    assert probes.response.batches.shape == (len(data.fractions), width, k)
    known = (
        3 if split == "validation" else 2
    )  # the losses are squares and the level is linear, a rate is neither
    for j, direction in enumerate(directions):
        ends = [batches_of(problem, theta + s * direction, split)[:, :known] for s in (1, -1)]
        expected = (ends[0] - ends[1]) / 2
        torch.testing.assert_close(probes.response.batches[:, :known, j], expected, rtol=1e-6, atol=1e-8)


def test_standard_errors_are_those_of_the_batches_and_unknown_for_few_examples() -> None:
    directions, c = normal(2, 5, seed=7), torch.tensor([0.3, -0.2]).double()
    known, unknown = (regression(held_out=count) for count in (60, 31))
    probes = Probes.along(known, known.parameters(), directions, "validation", guess(known, directions))
    along = probes.response.batches @ c
    shares = probes.response.fractions
    expected = (shares @ (along - shares @ along).square() / (len(shares) - 1)).sqrt()
    found = probes.response.along(c)[1]
    assert found is not None
    torch.testing.assert_close(found, expected)
    assert len(unknown.evaluate(unknown.parameters(), "validation").fractions) >= 4
    probes = Probes.along(unknown, unknown.parameters(), directions, "validation", guess(unknown, directions))
    assert probes.response.along(c)[1] is None


@FEW
@given(exponent=st.floats(-6, 6), seed=st.integers(0, 100))
def test_a_length_that_is_far_too_long_or_short_is_mended(exponent: float, seed: int) -> None:
    problem = regression()
    theta, directions = problem.parameters(), normal(2, 5, seed=seed)
    right = guess(problem, directions)
    probes = Probes.along(problem, theta, directions, "validation", right * 10**exponent)
    # On a quadratic it makes no difference to what is measured.
    at_once = Probes.along(problem, theta, directions, "validation", right)
    torch.testing.assert_close(probes.response.mean[:2], at_once.response.mean[:2], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(probes.bend[:2], at_once.bend[:2], rtol=1e-4, atol=1e-4)


def test_a_good_guess_costs_two_passes_a_direction_and_two_a_loss() -> None:
    problem = regression(held_out=0, metrics=None)
    directions = normal(3, 5, seed=7)
    lengths = guess(problem, directions)
    before = problem.cost.forward_passes
    Probes.along(problem, problem.parameters(), directions, "train", lengths)
    assert problem.cost.forward_passes - before == pytest.approx(1 + 2 * 3 + 2 * 2)
    before = problem.cost.forward_passes
    probes = Probes.along(problem, problem.parameters(), directions, "train", lengths, bends=False)
    assert problem.cost.forward_passes - before == pytest.approx(1 + 2 * 3)
    assert not probes.bend.any()
    before = problem.cost.forward_passes
    Probes.along(problem, problem.parameters(), directions, "train", lengths, batches=5)
    assert problem.cost.forward_passes - before == pytest.approx(0.5 * (1 + 2 * 3 + 2 * 2))


def test_a_metrics_bend_with_unknown_errors_counts_for_nothing() -> None:
    problem = regression(held_out=20)
    directions = normal(2, 5, seed=7)
    probes = Probes.along(problem, problem.parameters(), directions, "validation", guess(problem, directions))
    assert probes.bend[:2].any()
    assert not probes.bend[2:].any()


class Cliff(pn.FunctionProblem):
    """Finite at the start only, up to some distance."""

    def __init__(self, distance: float) -> None:
        def fn(x: Tensor) -> Tensor:
            values = torch.stack([(x - 1).square().sum(), (x + 1).square().sum()])
            return values if bool(x.norm() <= distance) else values * float("nan")

        super().__init__(fn, torch.zeros(2).double())


def test_where_a_loss_is_not_finite_the_length_is_shortened() -> None:
    problem, directions = Cliff(1e-2), torch.eye(2).double()
    probes = Probes.along(problem, problem.parameters(), directions, "train", np.array([1.0, 1.0]))
    torch.testing.assert_close(probes.response.mean, torch.tensor([[-2.0, -2.0], [2.0, 2.0]]).double())


def test_where_it_is_finite_nowhere_the_slopes_are_not_either() -> None:
    problem, directions = Cliff(0.0), torch.eye(2).double()
    probes = Probes.along(problem, problem.parameters(), directions, "train", np.array([1.0, 1.0]))
    assert not probes.response.mean.isfinite().any()
    assert not np.isfinite(probes.bend).any()


@FEW
@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=5))
def test_sizes_are_magnitudes_and_never_zero(values: list[float]) -> None:
    losses = np.array(values)
    sizes = relative_sizes(losses)
    assert (sizes > 0).all()
    assert (sizes >= np.abs(losses)).all()
    large = np.abs(losses) > 1e-8 * np.abs(losses).max()
    np.testing.assert_array_equal(sizes[large], np.abs(losses)[large])


def test_first_lengths_change_the_fastest_loss_by_a_per_cent() -> None:
    response = torch.tensor([[2.0, 0.0, 0.1], [10.0, 0.0, 1.0]]).double()
    lengths = first_lengths(response, torch.tensor([1.0, 100.0]).double())
    assert lengths[[0, 2]] == pytest.approx([0.005, 0.1])
    assert np.isfinite(lengths[1]), "however long, where nothing changes"


def test_a_direction_along_which_nothing_changes_has_no_slope_and_no_bend() -> None:
    problem = pn.FunctionProblem(
        lambda x: torch.stack([(x[0] - 1).square(), (x[0] + 1).square()]), torch.zeros(2).double()
    )
    directions = torch.eye(2).double()
    lengths = first_lengths(torch.tensor([[-2.0, 0.0], [2.0, 0.0]]).double(), torch.ones(2).double())
    probes = Probes.along(problem, problem.parameters(), directions, "train", lengths)
    assert not probes.response.mean[:, 1].any()
    assert not probes.bend[:, 1].any()
    assert np.isfinite(probes.bend).all()


@pytest.mark.parametrize("apart", [1.0, 1e-3, 1e-6, 1e-9])
def test_first_lengths_stay_near_where_losses_only_bend(apart: float) -> None:
    """Where tasks hardly compete the losses change in second order only along the front."""
    response, bend = apart**2 * torch.tensor([[1.0], [-1.0]]).double(), 2 * np.full((2, 1, 1), apart**2)
    (length,) = first_lengths(response, torch.ones(2).double(), bend)
    change = apart**2 * np.array([1.0, -1.0]) * length + apart**2 * length**2
    assert 0.005 <= np.abs(change).max() <= 0.021
