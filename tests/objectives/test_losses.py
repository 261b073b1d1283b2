import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit
from tests.tensors import normal
from torch import Tensor

from paretonav.objectives import Losses, Response
from paretonav.statistics import has_standard_error, standard_error


def losses(values: Tensor, lengths: Tensor | None = None) -> Losses:
    lengths = torch.ones(len(values)) if lengths is None else lengths
    return Losses(values.double(), lengths.double() / lengths.sum())


def test_the_mean_is_weighted_by_the_fractions() -> None:
    assert losses(torch.tensor([[1.0, 2.0], [5.0, 10.0]]), torch.tensor([3, 1])).mean.tolist() == [2, 4]


@settings(max_examples=20, deadline=None)
@given(b=st.integers(4, 12), m=st.integers(2, 4), seed=st.integers(0, 10**6))
def test_the_standard_error_of_equal_batches_is_that_of_a_mean(b: int, m: int, seed: int) -> None:
    before, after = normal(b, m, seed=seed), normal(b, m, seed=seed + 1)
    change, error = losses(after).change_from(losses(before))
    differences = (after - before).numpy()
    np.testing.assert_allclose(change, differences.mean(0), atol=1e-14)
    assert error is not None
    np.testing.assert_allclose(error, differences.std(0, ddof=1) / math.sqrt(b), rtol=1e-12)


def test_the_standard_error_of_unequal_batches_follows_the_formula() -> None:
    before, after, lengths = normal(5, 2, seed=1), normal(5, 2, seed=2), torch.tensor([8, 8, 8, 8, 3])
    change, error = losses(after, lengths).change_from(losses(before, lengths))
    assert error is not None
    for i in range(2):
        d, w = (after - before)[:, i].tolist(), [n / 35 for n in lengths.tolist()]
        mean = sum(w[k] * d[k] for k in range(5))
        variance = sum(w[k] * (d[k] - mean) ** 2 for k in range(5)) / 4
        assert float(change[i]) == pytest.approx(mean)
        assert float(error[i]) == pytest.approx(math.sqrt(variance))


@pytest.mark.parametrize(("batches", "last"), [(16, 32), (16, 5), (4, 32), (4, 1)])
def test_the_standard_error_covers_the_true_change_as_often_as_it_says(batches: int, last: int) -> None:
    """Batches of 32 examples whose losses differ far more between examples than they change."""
    lengths = torch.tensor([32] * (batches - 1) + [last], dtype=torch.float64)
    quantile = float(stdtrit(batches - 1, 0.975))
    truth, repetitions = torch.tensor([-0.01, 0.02], dtype=torch.float64), 1500
    level = 3 * normal(repetitions, batches, 2, seed=0) / lengths.sqrt()[:, None]
    change = truth + 0.1 * normal(repetitions, batches, 2, seed=1) / lengths.sqrt()[:, None]
    covered, sizes = torch.zeros(2), []
    for k in range(repetitions):
        estimate, error = losses(level[k] + change[k], lengths).change_from(losses(level[k], lengths))
        assert error is not None
        covered += (estimate - truth).abs() <= quantile * error
        sizes.append(error)
    assert ((covered / repetitions - 0.95).abs() < 0.02).all()
    true_size = 0.1 / math.sqrt(float(lengths.sum()))
    torch.testing.assert_close(
        torch.stack(sizes).square().mean(0).sqrt(), torch.full((2,), true_size).double(), rtol=0.05, atol=0
    )


def test_there_is_no_standard_error_of_few_or_other_batches() -> None:
    for b in (1, 3):
        change, error = losses(torch.ones(b, 2)).change_from(losses(torch.zeros(b, 2)))
        assert error is None
        assert change.tolist() == [1, 1]
    change, error = losses(torch.ones(5, 2)).change_from(losses(torch.zeros(4, 2)))
    assert error is None
    assert change.tolist() == [1, 1]
    uneven = losses(torch.zeros(4, 2), torch.tensor([2, 2, 2, 1]))
    assert losses(torch.ones(4, 2)).change_from(uneven)[1] is None


def responses(b: int, q: int, k: int, seed: int) -> Response:
    fractions = normal(b, seed=seed).abs() + 0.1
    return Response(normal(b, q, k, seed=seed + 1), fractions / fractions.sum())


@settings(max_examples=20, deadline=None)
@given(b=st.integers(4, 9), q=st.integers(1, 4), k=st.integers(1, 3), seed=st.integers(0, 10**6))
def test_responses_have_the_weighted_mean_and_its_standard_error(b: int, q: int, k: int, seed: int) -> None:
    response = responses(b, q, k, seed)
    w, values = response.fractions.numpy(), response.batches.numpy()
    mean = np.average(values, axis=0, weights=w)
    np.testing.assert_allclose(response.mean, mean, atol=1e-14)
    variance = sum(w[i] * (values[i] - mean) ** 2 for i in range(b)) / (b - 1)
    error = response.standard_error()
    assert error is not None
    np.testing.assert_allclose(error, np.sqrt(variance), rtol=1e-12)
    c = normal(k, seed=seed + 2)
    along, error = response.along(c)
    projected = values @ c.numpy()
    np.testing.assert_allclose(along, np.average(projected, axis=0, weights=w), atol=1e-13)
    assert error is not None
    deviations = projected - np.average(projected, axis=0, weights=w)
    np.testing.assert_allclose(error, np.sqrt(w @ deviations**2 / (b - 1)), rtol=1e-12)


def test_the_error_along_a_combination_knows_how_directions_vary_together() -> None:
    noise = normal(6, 1, 1, seed=0)
    opposite = Response(
        torch.cat([1 + noise, 1 - noise], dim=2), torch.full((6,), 1 / 6, dtype=torch.float64)
    )
    change, error = opposite.along(torch.ones(2, dtype=torch.float64))
    assert change.tolist() == pytest.approx([2])
    assert error is not None
    assert float(error) < 1e-14 < float(opposite.standard_error().min())  # type: ignore[union-attr]


def test_few_batches_give_a_response_no_standard_error() -> None:
    response = responses(3, 2, 2, seed=0)
    assert response.standard_error() is None
    assert response.along(torch.ones(2, dtype=torch.float64))[1] is None
    assert standard_error(torch.full((4,), 0.25), torch.zeros(4, 2)) is not None


@pytest.mark.parametrize(
    ("batches", "examples", "known"),
    [(4, 32, True), (3, 1000, False), (4, 31, False), (31, 31, False), (4, None, True), (3, None, False)],
)
def test_one_rule_says_where_errors_are_known(batches: int, examples: int | None, known: bool) -> None:
    fractions = torch.full((batches,), 1 / batches, dtype=torch.float64)
    values = normal(batches, 2, seed=0)
    there = Losses(values, fractions, ("a",), values[:, :1], examples)
    response = Response(values[:, :, None], fractions, examples=examples)
    errors = [
        standard_error(fractions, values, examples),
        there.standard_error(),
        there.metric_standard_error(),
        there.change_from(there)[1],
        there.metric_change_from(there)[1],
        response.standard_error(),
        response.covariance(),
        response.along(torch.ones(1, dtype=torch.float64))[1],
    ]
    assert has_standard_error(batches, examples) == known
    assert [error is not None for error in errors] == [known] * len(errors)


def test_the_errors_of_losses_are_those_of_their_batches() -> None:
    values = normal(5, 3, seed=0)
    there = Losses(values[:, :2], torch.full((5,), 0.2).double(), ("a",), values[:, 2:], 40)
    expected = values.std(dim=0) / math.sqrt(5)
    torch.testing.assert_close(there.standard_error(), expected[:2])
    torch.testing.assert_close(there.metric_standard_error(), expected[2:])
    assert losses(values).metric_standard_error() is None


def test_metrics_have_paired_errors_too() -> None:
    fractions = torch.full((5,), 0.2, dtype=torch.float64)
    before, after = (
        Losses(torch.zeros(5, 2).double(), fractions, ("a",), normal(5, 1, seed=seed)) for seed in (0, 1)
    )
    change, error = after.metric_change_from(before)
    differences = (after.metric_batches - before.metric_batches).numpy()
    np.testing.assert_allclose(change, differences.mean(0), atol=1e-15)
    assert error is not None
    np.testing.assert_allclose(error, differences.std(0, ddof=1) / math.sqrt(5))
    assert after.metrics == {"a": pytest.approx(float(after.metric_batches.mean()))}
    none, error = losses(torch.ones(5, 2)).metric_change_from(losses(torch.zeros(5, 2)))
    assert none.shape == (0,)
    assert error is None
