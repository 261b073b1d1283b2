"""Aggregates against their definition on all the data at once, in plain NumPy or one autograd graph."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from paretonav import (
    Aggregate,
    Cost,
    Metric,
    ModelProblem,
    NonFiniteError,
    ProblemError,
    group_gap,
    worst_group,
)
from paretonav.geometry import Curvature
from paretonav.objectives import gradients, tried_out
from paretonav.objectives.aggregate import group_rates, rates_of
from paretonav.objectives.quantities import Quantities

SMOOTHING, TEMPERATURE = 0.05, 0.1


def examples(n: int, seed: int = 0) -> TensorDataset:
    """Inputs, and a group of -1, 0, 1 or 2; all of them are there."""
    group = torch.randint(-1, 3, (n,), generator=torch.Generator().manual_seed(seed))
    group[:4] = torch.tensor([0, 2, 1, -1])
    return TensorDataset(normal(n, 3, seed=seed), group)


def score(o: Tensor, _: Any) -> Tensor:
    return o.squeeze(1).sigmoid()


def cost(o: Tensor, _: Any) -> Tensor:
    return (o.squeeze(1) - 1).square()


def decision(o: Tensor, _: Any) -> Tensor:
    return o.squeeze(1) > 0


def group(batch: Any) -> Tensor:
    return batch[1]


def two(batch: Any) -> Tensor:
    return torch.where(batch[1] == 2, -1, batch[1])


LOSSES: dict[str, Any] = {
    "plain": lambda o, batch: cost(o, batch).mean(),
    "gap": group_gap(score, two, smoothing=SMOOTHING),
    "worst": worst_group(cost, group, 3, temperature=0),
    "smooth worst": worst_group(cost, group, 3, temperature=TEMPERATURE),
    "spread": Aggregate(
        lambda o, _: torch.stack([o.mean(), o.square().mean()]), lambda s: (s[1] - s[0] ** 2 + 0.1).sqrt()
    ),
}


def definition(theta: Tensor, data: TensorDataset, *, shown: bool = False) -> Tensor:
    """What is steered by, or what is shown, over all the data and group by group."""
    x, labels = data.tensors
    o = x @ theta[:3] + theta[3]
    costs, rates = (o - 1).square(), [o[labels == g].sigmoid().mean() for g in range(2)]
    by_group = torch.stack([costs[labels == g].mean() for g in range(3)])
    gap, worst = rates[0] - rates[1], by_group.max()
    return torch.stack(
        [
            costs.mean(),
            gap.abs() if shown else (gap**2 + SMOOTHING**2).sqrt() - SMOOTHING,
            worst,
            worst if shown else TEMPERATURE * ((by_group / TEMPERATURE).logsumexp(0) - math.log(3)),
            (o.var(correction=0) + 0.1).sqrt(),
        ]
    )


def make(data: TensorDataset, batch_size: int = 4, losses: Any = None, **options: Any) -> ModelProblem:
    model = nn.Linear(3, 1).double()
    losses = LOSSES if losses is None else losses
    return ModelProblem(model, losses, data, batch_size=batch_size, **options)


@settings(max_examples=8, deadline=None)
@given(n=st.integers(4, 23), batch_size=st.integers(1, 9), seed=st.integers(0, 10**6))
def test_values_and_jacobian_are_the_defined_ones_whatever_the_batches(
    n: int, batch_size: int, seed: int
) -> None:
    data, theta = examples(n, seed), 0.5 * normal(4, seed=seed + 1)
    problem = make(data, batch_size)
    shown, steered = definition(theta, data, shown=True), definition(theta, data)
    losses, jacobian = problem.jacobian(theta)
    for found in (losses, problem.evaluate(theta)):
        torch.testing.assert_close(found.mean, shown, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(found.steered, steered, rtol=1e-10, atol=1e-12)
    dense = torch.autograd.functional.jacobian(lambda t: definition(t, data), theta)
    torch.testing.assert_close(jacobian, dense, rtol=1e-9, atol=1e-11)


def test_batches_count_by_their_examples() -> None:
    data, theta = examples(7), normal(4, seed=1)
    batches = [[0], [1, 2, 3, 4], [5, 6]]
    problem = make(data, losses=LOSSES)
    uneven = ModelProblem(nn.Linear(3, 1).double(), LOSSES, DataLoader(data, batch_sampler=batches))
    assert len(uneven.evaluate(theta).batches) == 3
    torch.testing.assert_close(uneven.evaluate(theta).mean, problem.evaluate(theta).mean)
    torch.testing.assert_close(uneven.jacobian(theta)[1], problem.jacobian(theta)[1])


def test_the_first_pass_for_the_means_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "MOST", 0)
    problem = make(examples(8))
    problem.jacobian(problem.parameters())
    assert problem.cost == Cost(forward_passes=2, gradient_passes=5)


def test_the_means_of_an_evaluation_just_before_serve_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "MOST", 0)
    problem, fresh = make(examples(8)), make(examples(8))
    theta = problem.parameters()
    problem.evaluate(theta)
    again = problem.jacobian(theta)[1]
    assert problem.cost == Cost(forward_passes=2, gradient_passes=5)
    torch.testing.assert_close(again, fresh.jacobian(theta)[1], rtol=0, atol=0)
    theta += 0.5  # it is another point now
    torch.testing.assert_close(problem.jacobian(theta)[1], fresh.jacobian(theta)[1], rtol=0, atol=0)
    problem.evaluate(theta)
    elsewhere = theta + 1
    torch.testing.assert_close(problem.jacobian(elsewhere)[1], fresh.jacobian(elsewhere)[1], rtol=0, atol=0)


def test_the_standard_error_is_that_of_a_bootstrap_over_batches() -> None:
    b, size = 60, 20
    x, labels = examples(b * size).tensors
    data = TensorDataset(x - labels[:, None], labels)  # so that the groups differ, far from a corner
    theta = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    after = theta * 1.2
    problem = make(data, size)
    change, error = problem.evaluate(after).change_from(problem.evaluate(theta))
    assert error is not None
    rng = np.random.default_rng(0)
    chunks = [tuple(t[i * size : (i + 1) * size] for t in data.tensors) for i in range(b)]
    repeated = []
    for _ in range(400):
        chosen = [chunks[i] for i in rng.integers(0, b, b)]
        again = TensorDataset(*(torch.cat(parts) for parts in zip(*chosen, strict=True)))
        repeated.append((definition(after, again, shown=True) - definition(theta, again, shown=True)).numpy())
    np.testing.assert_allclose(error, np.std(repeated, axis=0), rtol=0.15)
    expected = definition(after, data, shown=True) - definition(theta, data, shown=True)
    torch.testing.assert_close(change, expected)


@settings(max_examples=20, deadline=None)
@given(b=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_responses_are_the_derivatives_of_the_contributions(b: int, seed: int) -> None:
    """Batch by batch: also where the means, at which a ratio is taken, differ from batch to batch."""
    fractions = normal(b, seed=seed).abs() + 0.1
    fractions = fractions / fractions.sum()
    quantities = Quantities(
        {"ratio": Aggregate(lambda o, _: o, lambda s: s[0] / s[1]), "plain": lambda o, _: o}
    )
    parts = [normal(b, 2, seed=seed + 1) + torch.tensor([0.0, 6.0]), normal(b, 1, seed=seed + 2)]
    tangents = [normal(b, 2, 3, seed=seed + 3), normal(b, 1, 3, seed=seed + 4)]
    step = 1e-5
    changes, turns = quantities.changes(fractions, parts, tangents)
    assert turns.shape == (2, 3, 3)
    assert not turns[1].any()
    for k in range(3):
        ahead, behind = (
            quantities.contributions(
                fractions, [p + s * t[..., k] for p, t in zip(parts, tangents, strict=True)]
            )
            for s in (step, -step)
        )
        torch.testing.assert_close(changes[..., k], (ahead - behind) / (2 * step), rtol=1e-7, atol=1e-8)

    mean, along = fractions @ parts[0], torch.tensordot(fractions, tangents[0], 1)
    dense = torch.autograd.functional.hessian(
        lambda c: (mean + along @ c)[0] / (mean + along @ c)[1], torch.zeros_like(along[0])
    )
    torch.testing.assert_close(turns[0], dense)


def test_one_batch_has_the_hessians_of_the_definition() -> None:
    data, theta = examples(15), 0.5 * normal(4, seed=1)
    (part,) = make(data, 15).curvature_sample()
    eye = torch.eye(4, dtype=torch.float64)
    for i in range(5):
        dense = torch.autograd.functional.hessian(lambda t, i=i: definition(t, data)[i], theta)
        weights = eye.new_zeros(5).index_fill(0, torch.tensor(i), 1.0)
        product = Curvature([part], theta, weights, kind="exact")(eye)
        torch.testing.assert_close(product, dense, rtol=1e-9, atol=1e-11)
        linear = Curvature([part], theta, weights, kind="gauss-newton")(eye)  # the model is linear
        torch.testing.assert_close(linear, dense, rtol=1e-9, atol=1e-11)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(batch_size=st.integers(1, 16), apart=st.booleans(), seed=st.integers(0, 10**6))
def test_the_hessian_is_that_of_the_means_and_that_of_the_value(
    batch_size: int, apart: bool, seed: int
) -> None:
    """The first is measured on a sample, here of everything; the second has a response for all the data."""
    data, theta = examples(15, seed), 0.5 * normal(4, seed=seed + 1)
    problem = make(data, batch_size)
    if apart:  # gradients of the parts are there, and no pass is needed
        problem.jacobian(theta)
    eye = torch.eye(4, dtype=torch.float64)
    response, sample = problem.response(theta, eye)[1], problem.curvature_sample(around=theta)
    for shown, turn, parts in (
        (False, response.steered_turn, [part.linearised for part in sample]),
        (True, response.turn, [part.as_shown for part in sample]),
    ):
        assert turn is not None
        for i in range(5):
            dense = torch.autograd.functional.hessian(
                lambda t, i=i, shown=shown: definition(t, data, shown=shown)[i], theta
            )
            weights = eye.new_zeros(5).index_fill(0, torch.tensor(i), 1.0)
            of_means = Curvature(parts, theta, weights, kind="exact")(eye)
            torch.testing.assert_close(of_means + turn[i], dense, rtol=1e-9, atol=1e-11)


def test_a_sample_around_a_point_is_around_the_means_over_all_the_data() -> None:
    data, theta = examples(40), 0.5 * normal(4, seed=1)
    problem = make(data, batch_size=40)
    (part,) = problem.curvature_sample(12, around=theta)
    torch.testing.assert_close(part.losses(part.outputs(theta)), definition(theta, data))
    (alone,) = problem.curvature_sample(12)
    assert not torch.allclose(alone.losses(alone.outputs(theta)), definition(theta, data), rtol=0.01)

    # Its gradient is that of the sample's means, by the slopes at all the data's.
    (everything,) = problem.curvature_sample(around=theta)
    means = torch.autograd.functional.jacobian(lambda t: part.linear(part.outputs(t)), theta)  # type: ignore[misc]
    slope = torch.autograd.functional.jacobian(lambda t: part.losses(part.outputs(t)), theta)
    torch.testing.assert_close(slope, means)
    full = torch.autograd.functional.jacobian(lambda t: everything.losses(everything.outputs(t)), theta)
    torch.testing.assert_close(full, problem.jacobian(theta)[1])


def test_plain_means_need_no_turn() -> None:
    problem = make(examples(8), losses={"a": LOSSES["plain"], "b": LOSSES["plain"]})
    theta = problem.parameters()
    assert problem.response(theta, torch.eye(4, dtype=torch.float64))[1].turn is None
    assert problem.curvature_sample(around=theta)[0].linear is None


@settings(max_examples=8, deadline=None)
@given(n=st.integers(4, 23), batch_size=st.integers(1, 9), k=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_gradients_of_parts_give_the_jacobian_and_the_responses_without_a_pass(
    n: int, batch_size: int, k: int, seed: int
) -> None:
    data, theta = examples(n, seed), 0.5 * normal(4, seed=seed + 1)
    directions = normal(k, 4, seed=seed + 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tried_out, "worth_it", lambda *_: True)
        apart = make(data, batch_size)
        patch.setattr(tried_out, "worth_it", lambda *_: False)
        whole = make(data, batch_size)
    losses, jacobian = apart.jacobian(theta)
    expected, other = whole.jacobian(theta)
    torch.testing.assert_close(losses.batches, expected.batches)
    torch.testing.assert_close(jacobian, other)
    spent = apart.cost
    found, measured = apart.response(theta, directions)[1], whole.response(theta, directions)[1]
    assert apart.cost == spent
    assert whole.cost.forward_passes > 2
    torch.testing.assert_close(found.batches, measured.batches)
    torch.testing.assert_close(found.turn, measured.turn)
    torch.testing.assert_close(found.steered_turn, measured.steered_turn)
    torch.testing.assert_close(found.signs, measured.signs)


@settings(max_examples=10, deadline=None)
@given(threshold=st.floats(-2, 2), split=st.sampled_from(["train", "validation"]), seed=st.integers(0, 1000))
def test_the_sign_of_what_is_shown_without_it_is_known(threshold: float, split: Any, seed: int) -> None:
    """Of losses, then of metrics where there are any."""

    def size(sense: float) -> Aggregate:
        return Aggregate(
            lambda o, _: o.mean()[None],
            lambda s: s[0].square(),
            shown=lambda s: sense * (s[0] - threshold),
            absolute=True,
        )

    data, theta = examples(12, seed), normal(4, seed=seed)
    losses = {"plain": LOSSES["plain"], "up": size(1), "down": size(-1)}
    metrics = {"down again": size(-1), "rate": lambda o, _: (o > 0).double().mean()}
    problem = ModelProblem(nn.Linear(3, 1).double(), losses, data, data, metrics=metrics, batch_size=5)
    side = 1.0 if float(data.tensors[0].mean(0) @ theta[:3] + theta[3]) >= threshold else -1.0
    expected = [1.0, side, -side] + ([-side, 1.0] if split == "validation" else [])
    for found in (problem.evaluate(theta, split), *problem.probe([theta, theta], split)):
        assert found.signs is not None
        assert found.signs.tolist() == expected
    plain = make(data, losses={"a": LOSSES["plain"], "b": LOSSES["plain"]})
    assert plain.evaluate(theta).signs is None


def test_parts_that_no_parameter_moves_cost_nothing() -> None:
    """Of the four means of a gap two are the groups' shares."""
    losses = {"plain": LOSSES["plain"], "gap": LOSSES["gap"]}
    problem = make(examples(8), batch_size=8, losses=losses)
    theta = problem.parameters()
    problem.jacobian(theta)
    problem.curvature_sample(around=theta)  # the means are known, too
    assert problem.cost == Cost(forward_passes=1, gradient_passes=3)


def test_many_parts_are_not_worth_a_gradient_each() -> None:
    losses = {"plain": LOSSES["plain"], "worst": worst_group(cost, lambda b: b[1] + 1, 6)}
    group = torch.arange(12) % 6 - 1
    problem = make(TensorDataset(normal(12, 3, seed=0), group), batch_size=12, losses=losses)
    problem.jacobian(problem.parameters())
    assert problem.cost == Cost(forward_passes=2, gradient_passes=2)


def test_the_gap_is_the_absolute_one_but_for_its_corner() -> None:
    means = torch.tensor([0.3, 0.1, 0.5, 0.5], dtype=torch.float64, requires_grad=True)
    for smoothing in (0.0, 1e-2, 0.3):
        value = group_gap(score, group, smoothing=smoothing).value
        assert -1e-12 <= 0.4 - float(value(means.detach())) <= smoothing + 1e-12
        assert float(value(means.detach()[[1, 0, 3, 2]])) == pytest.approx(float(value(means.detach())))
        (slope,) = torch.autograd.grad(value(means), means)
        expected = 2 * 0.4 / math.hypot(0.4, smoothing)
        assert slope[:2].tolist() == pytest.approx([expected, -expected])
        equal = torch.full((4,), 0.5, dtype=torch.float64, requires_grad=True)
        assert value(equal).item() == 0
        assert not torch.autograd.grad(value(equal), equal)[0].any()


@settings(max_examples=20, deadline=None)
@given(groups=st.integers(1, 5), t=st.floats(1e-3, 10), seed=st.integers(0, 10**6))
def test_the_smooth_maximum_is_at_most_so_far_below(groups: int, t: float, seed: int) -> None:
    rates, shares = normal(groups, seed=seed), normal(groups, seed=seed + 1).abs() + 0.1
    means = torch.cat([rates * shares, shares])
    torch.testing.assert_close(rates_of(means), rates)
    largest = float(worst_group(cost, group, groups, temperature=0).value(means))
    smooth = float(worst_group(cost, group, groups, temperature=t).value(means))
    assert largest == pytest.approx(float(rates.max()))
    assert -1e-12 <= largest - smooth <= t * math.log(groups) + 1e-12


@settings(max_examples=20, deadline=None)
@given(groups=st.integers(1, 5), unit=st.sampled_from([1e-12, 1e-3, 1.0, 1e6]), seed=st.integers(0, 10**6))
def test_the_power_mean_is_a_smooth_maximum_in_any_unit(groups: int, unit: float, seed: int) -> None:
    rates, shares = normal(groups, seed=seed).abs() * unit, normal(groups, seed=seed + 1).abs() + 0.1
    means = torch.cat([rates * shares, shares]).requires_grad_()
    aggregate = worst_group(cost, group, groups)
    assert aggregate.shown is not None
    largest, smooth = float(rates.max()), aggregate.value(means)
    assert aggregate.shown(means).item() == pytest.approx(largest)
    assert largest * groups ** (-1 / 20) * (1 - 1e-9) <= smooth.item() <= largest * (1 + 1e-9)
    slopes = torch.autograd.grad(smooth, means)[0][:groups] * shares
    assert slopes.min() >= 0
    torch.testing.assert_close(slopes @ rates, smooth.detach())  # it is proportional to the rates


def test_losses_that_are_negative_or_zero_have_their_maximum() -> None:
    for rates in ([-1.0, -0.5, 0.2], [0.0, 0.0, 0.0]):
        means = torch.tensor([*rates, 1, 1, 1], dtype=torch.float64, requires_grad=True)
        value = worst_group(cost, group, 3).value(means)
        assert value.item() == max(rates)
        assert torch.autograd.grad(value, means)[0].isfinite().all()


@pytest.mark.parametrize("temperature", [None, 0, 0.1])
def test_groups_without_examples_are_not_the_worst(temperature: float | None) -> None:
    value = worst_group(cost, group, 3, temperature=temperature).value
    means = torch.tensor([-1.0, -2.0, 0.0, 0.5, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    without = worst_group(cost, group, 2, temperature=temperature).value(means[[0, 1, 3, 4]])
    assert value(means).item() == without.item() < 0
    assert torch.autograd.grad(value(means), means)[0].isfinite().all()
    assert value(torch.zeros(6)).isnan()


def test_means_count_decisions_and_half_precision_exactly() -> None:
    means = group_rates(decision, group, 2)
    batch = (None, torch.tensor([0, 0, 0, 1, -1]))
    outputs = torch.tensor([[1.0], [-1.0], [1.0], [1.0], [1.0]])
    assert means(outputs, batch).tolist() == pytest.approx([0.4, 0.2, 0.6, 0.2])
    many = group_rates(lambda o, _: o, group, 1)
    ones, zeros = torch.ones(1001, dtype=torch.bfloat16), torch.zeros(1001).long()
    assert many(ones, (None, zeros)).tolist() == [1, 1]


def test_metrics_over_all_the_data_and_their_responses() -> None:
    data, theta = examples(23), 0.5 * normal(4, seed=1)
    metrics = {
        "smooth": Metric(group_gap(score, two, smoothing=0), higher_is_better=False),
        "hard": group_gap(decision, two, smoothing=0),
    }
    problem = make(data, 3, dict(list(LOSSES.items())[:2]), metrics=metrics)
    x, labels = (t.numpy() for t in data.tensors)

    def gaps(t: Tensor) -> np.ndarray[Any, Any]:
        o = x @ t[:3].numpy() + t[3].item()
        return np.array(
            [abs(s[labels == 0].mean() - s[labels == 1].mean()) for s in (1 / (1 + np.exp(-o)), o > 0)]
        )

    assert list(problem.evaluate(theta).metrics.values()) == pytest.approx(list(gaps(theta)))
    directions = normal(2, 4, seed=3)
    _, response = problem.response(theta, directions)
    for k, direction in enumerate(directions):
        near = (gaps(theta + 1e-5 * direction) - gaps(theta - 1e-5 * direction)) / 2e-5
        assert response.mean[2:, k].tolist() == pytest.approx([near[0], 0.0], rel=1e-6)


def by_ratio(o: Tensor, batch: Any) -> Tensor:
    member = (batch[1] == 1).to(o)
    return torch.stack([(score(o, batch) * member).mean(), member.mean()])


RATIO = Aggregate(by_ratio, lambda means: means[0] / means[1])


@pytest.mark.parametrize("aggregate", [RATIO, group_gap(score, two)], ids=["ratio", "gap"])
def test_batches_without_a_group_pull_nowhere(aggregate: Aggregate) -> None:
    data, theta = (
        TensorDataset(normal(8, 3, seed=0), torch.tensor([0, 0, 0, 0, 1, 0, 1, 1])),
        normal(4, seed=1),
    )
    losses = {"plain": LOSSES["plain"], "odd": aggregate}
    problem, whole = make(data, 4, losses), make(data, 8, losses)
    torch.testing.assert_close(problem.evaluate(theta).mean, whole.evaluate(theta).mean)
    torch.testing.assert_close(problem.jacobian(theta)[1], whole.jacobian(theta)[1])
    first, second = problem.curvature_sample()
    for part, moves in ((first, False), (second, True)):
        hessian = Curvature([part], theta, torch.tensor([0.0, 1.0]), kind="exact")(torch.eye(4).double())
        assert hessian.isfinite().all()
        assert bool(hessian.any()) == moves
        slope = torch.autograd.functional.jacobian(
            lambda t, part=part: part.losses(part.outputs(t))[1], theta
        )
        assert bool(slope.any()) == moves


@pytest.mark.parametrize("aggregate", [RATIO, group_gap(score, two)], ids=["ratio", "gap"])
def test_a_group_that_the_data_do_not_hold_is_an_error(aggregate: Aggregate) -> None:
    data = TensorDataset(normal(8, 3, seed=0), torch.zeros(8).long())
    with pytest.raises(NonFiniteError, match=r"objective 'odd' is nan on the train data; .*group without ex"):
        make(data, losses={"plain": LOSSES["plain"], "odd": aggregate})
    problem = make(examples(8), losses={"plain": LOSSES["plain"], "odd": aggregate})
    with pytest.raises(NonFiniteError, match="'odd' is nan on the validation data"):
        make(examples(8), losses={"plain": LOSSES["plain"], "odd": aggregate}, validation=data)
    broken = problem.parameters() * torch.nan
    with pytest.raises(NonFiniteError, match="'plain' is nan here"):
        problem.require_finite(problem.evaluate(broken), "here")


def growing(o: Tensor, _: Any) -> Tensor:
    return o.squeeze(1).square() / len(o)


BAD: dict[str, tuple[Any, str]] = {
    "means are a scalar": (Aggregate(lambda o, _: o.mean(), lambda s: s), r"means of 'odd'.* \[\].*stack"),
    "means are a list": (Aggregate(lambda o, _: [o.mean()], lambda s: s[0]), r"means of 'odd'.* list"),  # type: ignore
    "value is a vector": (Aggregate(by_ratio, lambda s: s), r"value of aggregate 'odd'.*scalar.*\[2\]"),
    "value is a float": (Aggregate(by_ratio, lambda s: s[0].item()), r"value of aggregate 'odd'.*float"),  # type: ignore
    "scores are a column": (group_gap(lambda o, _: o, group), r"\[4, 1\].*\[4\].*squeeze"),
    "too many groups": (worst_group(cost, group, 2), "a group 2, but groups count from 0 to 1"),
    "value fails": (Aggregate(by_ratio, lambda s: s[7]), "loss 'odd' failed on the first train batch"),
}


@pytest.mark.parametrize(("wrong", "words"), [pytest.param(*case, id=name) for name, case in BAD.items()])
def test_bad_aggregates_are_named(wrong: Aggregate, words: str) -> None:
    with pytest.raises(ProblemError, match=words):
        make(examples(8), losses={"plain": LOSSES["plain"], "odd": wrong})


def test_as_many_means_on_every_batch() -> None:
    problem = make(examples(7), 4, {"plain": LOSSES["plain"], "odd": Aggregate(growing, lambda s: s.sum())})
    for run in (problem.evaluate, problem.jacobian):
        with pytest.raises(ProblemError, match="means of 'odd' are 3 numbers on one batch and 4 on another"):
            run(problem.parameters())


def test_widths_that_make_no_sense() -> None:
    with pytest.raises(ProblemError, match=r"smoothing=-0.1 must not be negative"):
        group_gap(score, group, smoothing=-0.1)
    for temperature in (-0.1, -1.0, math.nan):
        with pytest.raises(ProblemError, match=f"temperature={temperature} must not be negative"):
            worst_group(cost, group, 2, temperature=temperature)
