"""Conflict is found where there is one, and not where there is none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import stdtrit
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Anchor, FrontModel, absolute, conflicts, weight_basis
from paretonav.objectives import Losses, Response


def front(
    validation: np.ndarray | None,
    noise: float = 0.0,
    *,
    b: int = 8,
    seed: int = 0,
    m: int = 3,
    scale: float = 0.2,
) -> FrontModel:
    """A front that bends little, with this response on validation data, known from noisy batches."""
    rng = np.random.default_rng(seed)
    B, alpha = weight_basis(m).numpy(), np.full(m, 1 / m)
    S = scale * np.eye(m - 1)
    R = B @ S
    known = None
    if validation is not None:
        spread = rng.normal(size=(b, m, m - 1)) * noise * np.sqrt(b)
        batches = validation[None] + spread
        known = Response(torch.from_numpy(batches), torch.full((b,), 1 / b, dtype=torch.float64))
    return FrontModel(
        names=tuple(f"f{i + 1}" for i in range(m)),
        losses=np.ones(m),
        weights=alpha,
        weight_basis=B,
        response=R,
        bend=S[None],
        curvature=absolute(S),
        validation_losses=None
        if known is None
        else Losses(torch.ones(b, m, dtype=torch.float64), known.fractions),
        validation_response=None if known is None else known.mean.numpy(),
        box=(np.zeros((0, m - 1)), np.zeros(0), np.zeros(0, dtype=np.int64)),
        joint_gain=0.0,
        residual=0.0,
        response_by_batch=Response(
            torch.from_numpy(R[None].repeat(8, 0)), torch.full((8,), 1 / 8, dtype=torch.float64), 0.5
        ),
        validation_response_by_batch=known,
    )


TRUE = front(None).response


def test_a_trade_off_that_validation_confirms_is_real() -> None:
    found = conflicts(front(TRUE))["f1"]
    assert found.real is True
    assert found.reason == "f2 and f3 would pay for it"
    assert found.amount == pytest.approx(0.05)
    assert found.gain == pytest.approx(-0.05)
    assert found.gain_error == pytest.approx(0, abs=1e-12)
    assert found.others.keys() == {"f2", "f3"}
    assert sum(cost for cost, _ in found.others.values()) == pytest.approx(0.05)


def test_what_validation_does_not_show_is_none() -> None:
    for response, words in (
        (0 * TRUE, "does not show on validation data"),
        (-TRUE, "does not show on validation data"),
        (1e-3 * TRUE, "of it shows on validation data"),
    ):
        found = conflicts(front(response, 1e-6))["f1"]
        assert found.real is False
        assert words in found.reason


def test_aligned_tasks_have_no_payer() -> None:
    together = np.repeat(TRUE[:1], 3, axis=0)
    found = conflicts(front(together, 1e-4))["f1"]
    assert found.real is False
    assert found.reason == "no conflict: on validation data nobody measurably pays for it"
    assert all(cost < 0 for cost, _ in found.others.values())


def test_a_price_that_is_next_to_nothing_is_none_however_sure() -> None:
    cheap = TRUE.copy()
    cheap[1:] *= 1e-3
    found = conflicts(front(cheap, 1e-8))["f1"]
    assert all(cost > 10 * (error or 0) for cost, error in found.others.values())
    assert found.real is False
    assert found.reason == "no conflict: on validation data who pays for it pays next to nothing"


def test_a_front_that_ends_at_once_is_none() -> None:
    found = conflicts(front(TRUE, scale=1e-4))["f1"]
    assert found.real is False
    assert "to the edge of the front there is only" in found.reason


def test_too_few_batches_cannot_tell() -> None:
    found = conflicts(front(TRUE, b=3))["f1"]
    assert found.real is None
    assert "four batches of validation data" in found.reason
    assert found.gain_error is None
    assert {error for _, error in found.others.values()} == {None}


def test_without_validation_all_training_data_count_and_their_error() -> None:
    rng = np.random.default_rng(0)
    without = front(None)
    R = without.response
    batches = torch.from_numpy(1.5 * R + 0.01 * rng.normal(size=(8, *R.shape)))
    # On the few batches that were seen the response is half as large again as over all the data.
    without = replace(
        without, response_by_batch=Response(batches, torch.full((8,), 1 / 8, dtype=torch.float64), 0.25)
    )
    found = conflicts(without)["f1"]
    assert found.gain == pytest.approx(-0.05)
    c = 0.05 * R[0] / (R[0] @ R[0])
    expected = (batches.numpy()[:, 0] @ c).std(ddof=1) / np.sqrt(8) * np.sqrt(0.25)
    assert found.gain_error == pytest.approx(expected)
    assert found.real is True


def test_a_function_is_known_without_error() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=3))
    found = nav.start().conflict
    assert [conflict.real for conflict in found.values()] == [True, True, True]
    assert {conflict.gain_error for conflict in found.values()} == {None}


@pytest.mark.parametrize("b", [4, 8, 20])
def test_noise_is_rarely_taken_for_conflict_and_conflict_rarely_for_noise(b: int) -> None:
    repetitions = 200
    size = float(np.abs(TRUE).max())
    wrong = np.mean(
        [conflicts(front(0 * TRUE, size, b=b, seed=s))["f1"].real is not False for s in range(repetitions)]
    )
    assert wrong <= 0.025 + 2 * np.sqrt(0.025 / repetitions)
    power = np.mean(
        [conflicts(front(TRUE, 0.05 * size, b=b, seed=s))["f1"].real is True for s in range(repetitions)]
    )
    assert power > 0.99
    # Both the gain and some price are to be seen: half as often as not where both are a quantile large.
    quantile = stdtrit(b - 1, 0.975)
    some = np.mean(
        [conflicts(front(TRUE, size / quantile, b=b, seed=s))["f1"].real is True for s in range(repetitions)]
    )
    assert 0.05 < some < 0.7


def test_among_many_objectives_some_payer_is_not_found_more_often() -> None:
    """Each of eight others may seem to pay by chance, so each has to be the surer of."""
    nobody_pays = front(None, m=9).response
    nobody_pays[1:] = 0
    size = float(np.abs(nobody_pays).max())
    repetitions = 60
    wrong = np.mean(
        [
            conflicts(front(nobody_pays, 0.1 * size, m=9, seed=s))["f1"].real is not False
            for s in range(repetitions)
        ]
    )
    assert wrong <= 0.025 + 2 * np.sqrt(0.025 / repetitions)


def trained(targets: Tensor, x: Tensor, width: int, outputs: int, count: int) -> pn.ModelProblem:
    model = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, outputs))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03, weight_decay=1e-3)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x[:count]).expand(-1, 2), targets[:count]).backward()
        optimizer.step()

    def loss(k: int) -> Any:
        return lambda o, b: (o.expand(-1, 2)[:, k] - b[1][:, k]).square().mean()

    return pn.ModelProblem(
        model,
        {"first": loss(0), "second": loss(1)},
        TensorDataset(x[:count], targets[:count]),
        TensorDataset(x[count:], targets[count:]),
        weight_decay=1e-3,
        batch_size=100,
    )


def network(case: str, seed: int) -> dict[str, bool | None]:
    torch.manual_seed(seed)
    x = torch.randn(1000, 4)
    first = torch.tanh(x[:, 0] + x[:, 1])
    if case == "multiples":
        y, sizes = torch.stack([first, 0.9 * first], 1) + 0.1 * torch.randn(1000, 2), (8, 2, 400)
    elif case == "noise":
        y, sizes = torch.randn(1000, 2), (32, 2, 100)
    else:
        y, sizes = torch.stack([first, torch.tanh(x[:, 0] - x[:, 1])], 1), (8, 1, 400)
    start = pn.Navigator(trained(y, x, *sizes)).start()
    return {name: conflict.real for name, conflict in start.conflict.items()}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("case", ["multiples", "noise"])
def test_networks_whose_tasks_do_not_compete(case: str, seed: int) -> None:
    assert network(case, seed) == {"first": False, "second": False}


@pytest.mark.parametrize("seed", range(2))
def test_networks_whose_tasks_compete(seed: int) -> None:
    assert network("different", seed) == {"first": True, "second": True}


@pytest.mark.slow
def test_digits_compete() -> None:
    start = pn.Navigator(pn.problems.digits(epochs=20)).start()
    assert {name: conflict.real for name, conflict in start.conflict.items()} == dict.fromkeys(
        start.losses, True
    )


def bent(seed: int) -> FrontModel:
    """Three objectives of different sizes and bends, with little noise on validation data."""
    rng = np.random.default_rng(seed)
    made = front(TRUE * rng.uniform(0.8, 1.2, TRUE.shape), 1e-3, seed=seed)
    losses = np.array([1.0, 0.5, 3.0])
    validation = losses * rng.uniform(0.9, 1.1, 3)
    return replace(
        made,
        losses=losses,
        bend=made.bend * np.array([1.0, 4.0, 16.0])[:, None, None],
        validation_losses=Losses(
            torch.from_numpy(validation).expand(8, 3), torch.full((8,), 1 / 8, dtype=torch.float64)
        ),
    )


def turned(model: FrontModel, units: np.ndarray, order: np.ndarray, M: np.ndarray) -> FrontModel:
    """The same front, with objectives in other units and in another order, and in other coordinates."""
    assert model.validation_response_by_batch is not None
    assert model.validation_losses is not None
    scale = units[order]

    def response(R: np.ndarray) -> np.ndarray:
        return np.asarray(scale[:, None] * R[..., order, :] @ M)

    batches = torch.from_numpy(response(model.validation_response_by_batch.batches.numpy()))
    losses = model.validation_losses
    return replace(
        model,
        names=tuple(model.names[i] for i in order),
        losses=scale * model.losses[order],
        weights=model.weights[order],
        weight_basis=model.weight_basis[order] @ M,
        response=response(model.response),
        bend=scale[:, None, None] * (M.T @ model.bend[order] @ M),
        curvature=M.T @ model.curvature @ M,
        validation_losses=replace(losses, batches=losses.batches[:, order] * torch.from_numpy(scale)),
        validation_response=batches.mean(0).numpy(),
        validation_response_by_batch=replace(model.validation_response_by_batch, batches=batches),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
@pytest.mark.parametrize("exponent", [-6, 0, 6])
def test_units_order_and_coordinates_make_no_difference(
    seed: int, order: tuple[int, ...], exponent: int
) -> None:
    model, M = bent(seed), np.array([[2.0, 1.0], [0.1, -0.3]])
    units = np.array([1.0, 1.0, 10.0**exponent])
    plain, other = conflicts(model), conflicts(turned(model, units, np.array(order), M))
    sizes = dict(zip(model.names, units, strict=True))
    for name, found in plain.items():
        again = other[name]
        assert again.real == found.real
        assert sorted(again.reason.split()) == sorted(found.reason.split())  # who pays, in any order
        assert again.amount == pytest.approx(found.amount)
        assert again.gain == pytest.approx(sizes[name] * found.gain)
        for who, (cost, error) in found.others.items():
            assert again.others[who] == (pytest.approx(sizes[who] * cost), pytest.approx(sizes[who] * error))


def test_around_a_held_model_it_is_validation_data_that_say_what_there_is_to_gain() -> None:
    """As wishes are about them there; what the training data say makes no difference."""
    model = replace(bent(0), anchor=Anchor(0.01, 0.01, ""), asked="validation")
    model = replace(model, validation_bend=model.bend)
    other = replace(model, response=model.response[::-1].copy(), losses=2 * model.losses, bend=3 * model.bend)
    assert conflicts(other) == conflicts(model)
