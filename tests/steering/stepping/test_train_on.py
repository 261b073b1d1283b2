"""Training on, and what it would bring: kept only if validation data say so."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.regression import NAMES, best, linear, noisy, problem
from tests.steering.stepping.pace import require_even, told
from torch import Tensor

import paretonav as pn
from paretonav.objectives import Bounds
from paretonav.steering.reporting.training_gain import TrainingGain
from paretonav.steering.stepping.train_on import Trained, TrainOn, train_on

HALF = torch.tensor([0.5, 0.5], dtype=torch.float64)
FAST = TrainOn(
    optimizer=lambda p: torch.optim.Adam(p, lr=1e-2),
    learning_rate_factor=1.0,
    epochs=4,
    rounds=1,
    batch_size=64,
)


def steps(lr: float = 0.05, **options: Any) -> TrainOn:
    """By plain gradient descent."""
    return replace(
        TrainOn(
            optimizer=lambda p: torch.optim.SGD(p, lr=lr),
            learning_rate_factor=1.0,
            batch_size=64,
            epochs=5,
            rounds=1,
        ),
        **options,
    )


def value(of: pn.Problem, theta: Tensor, split: Any) -> float:
    return float(HALF @ of.evaluate(theta, split).mean)


@pytest.mark.parametrize("seed", range(3))
def test_an_undertrained_network_improves_on_validation_and_test_data(seed: int) -> None:
    made = problem(seed)
    before = made.parameters()
    found = train_on(made, HALF, FAST)
    assert found.on == "validation"
    assert found.kept == found.epochs == FAST.epochs
    for split in ("validation", "test"):
        assert value(made, found.theta, split) < 0.9 * value(made, before, split)
    assert found.sum_before == pytest.approx(value(made, before, "validation"))
    assert found.sum == pytest.approx(value(made, found.theta, "validation"))
    assert torch.equal(found.losses.batches, made.evaluate(found.theta, "validation").batches)
    assert torch.equal(made.parameters(), before)


def test_it_is_the_descent_that_one_would_write() -> None:
    made = problem(weight_decay=0.01)
    how = steps(epochs=2)
    weights = torch.tensor([1.0, 0.25], dtype=torch.float64)
    moving = made.parameters().requires_grad_()
    optimizer = torch.optim.SGD([moving], lr=0.05)
    generator = torch.Generator().manual_seed(how.seed)
    updates, batches = 0, -(-512 // 64)
    for _ in range(2):
        for batch in made.minibatches(64, generator):
            optimizer.param_groups[0]["lr"] = 0.05 * (1 - updates / (2 * batches))
            updates += 1
            optimizer.zero_grad()
            objectives = batch.losses(batch.outputs(moving)) + 0.005 * moving.square().sum()
            (weights @ objectives).backward()
            optimizer.step()
    found = train_on(made, weights, how)
    assert found.kept == 2
    torch.testing.assert_close(found.theta, moving.detach())


@pytest.mark.slow
@settings(max_examples=20)
@given(share=st.floats(0.05, 0.95), decay=st.sampled_from([0.0, 0.1]), validated=st.booleans())
def test_what_is_trained_out_is_left_bit_for_bit(share: float, decay: float, validated: bool) -> None:
    """Validation data decide by the losses alone, training data by the objectives, decay included."""
    weights = torch.tensor([share, 1 - share], dtype=torch.float64)
    validation = noisy(128, 20)
    made = linear(weight_decay=decay, validation=validation if validated else None)
    theta = best(validation, weights) if validated else best(noisy(256, 10), weights, decay)
    made.set_parameters(theta)
    found = train_on(made, weights, steps(batch_size=16, epochs=2))
    assert (found.kept, found.epochs) == (0, 2)
    assert found.sum == found.sum_before
    assert found.on == ("validation" if validated else "train")
    assert torch.equal(found.theta, theta)
    assert torch.equal(found.losses.batches, found.before.batches)


def test_what_was_learnt_by_heart_is_taken_back_though_an_epoch_before_was_better() -> None:
    """The least of many validation losses is so by chance, too: that is not what is looked for."""
    validation = noisy(64, 20)
    made, goal, middle = linear(validation=validation), best(noisy(256, 10), HALF), best(validation, HALF)
    made.set_parameters(middle - (goal - middle) / 2)  # on the way to the goal it comes past the middle
    few, many = (train_on(made, HALF, steps(epochs=epochs, batch_size=256)) for epochs in (8, 200))
    assert (few.kept, many.kept) == (8, 0)
    assert few.sum < many.sum == many.sum_before
    assert torch.equal(many.theta, made.parameters())


def test_rounds_go_on_from_the_end_of_the_last_at_the_full_rate_until_a_long_one_does_not_pay() -> None:
    rate = 5e-2
    made, how = (
        problem(),
        replace(FAST, optimizer=lambda p: torch.optim.Adam(p, lr=rate), epochs=3, rounds=20),
    )
    found = train_on(made, HALF, how)
    sums, ends, epochs = [value(made, made.parameters(), "validation")], [made.parameters()], 0
    while epochs < found.epochs:
        rounds = len(ends)
        epochs += how.length(rounds - 1)
        upto = train_on(problem(), HALF, replace(how, rounds=rounds))
        assert upto.epochs == epochs
        ends.append(upto.theta)
        sums.append(upto.sum)
    assert epochs == found.epochs
    assert torch.equal(ends[-1], found.theta)
    falls = -np.diff(sums) / sums[:-1]
    assert 3 < len(falls) < 20
    assert (falls[2:-1] > 0.005).all()
    assert (falls >= 0).all()
    one = problem()
    one.set_parameters(ends[1])
    generator = torch.Generator().manual_seed(how.seed)
    for _ in range(3):
        list(one.minibatches(64, generator))  # which the first round has drawn
    moving = ends[1].clone().requires_grad_()
    optimizer = torch.optim.Adam([moving], lr=rate)
    batches = -(-512 // 64)
    for update in range(6 * batches):
        if update % batches == 0:
            order = iter(one.minibatches(64, generator))
        optimizer.param_groups[0]["lr"] = rate * (1 - update / (6 * batches))
        optimizer.zero_grad()
        batch = next(order)
        (HALF @ batch.losses(batch.outputs(moving))).backward()
        optimizer.step()
    torch.testing.assert_close(ends[2], moving.detach())


def test_epochs_are_counted_through_all_rounds() -> None:
    rates = iter([1e-2, 1e300])
    how = replace(FAST, optimizer=lambda p: torch.optim.Adam(p, lr=next(rates)), epochs=2, rounds=2)
    with pytest.raises(pn.NonFiniteError, match="on batch 2 of epoch 3 of training on"):
        train_on(problem(), HALF, how)


def test_training_data_cannot_say_that_another_round_pays() -> None:
    made = problem(validation=None)
    assert train_on(made, HALF, replace(FAST, rounds=10)).epochs == FAST.epochs


def test_without_validation_data_those_of_the_training_decide() -> None:
    made = problem(validation=None)
    found = train_on(made, HALF, FAST)
    assert found.on == "train"
    assert value(made, found.theta, "train") < 0.9 * value(made, made.parameters(), "train")


def test_the_same_seed_gives_the_same_path_and_torchs_state_is_left_alone() -> None:
    state = torch.get_rng_state()
    first, again, other = (train_on(problem(), HALF, replace(FAST, seed=seed)) for seed in (3, 3, 4))
    assert torch.equal(first.theta, again.theta)
    assert first.sum == again.sum
    assert not torch.equal(first.theta, other.theta)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("factor", [2.0**-20, 2.0**-3, 2.0**10])
def test_the_size_of_the_losses_is_made_up_for_by_the_learning_rate(factor: float) -> None:
    """Powers of two, so that the paths are the same to the last bit."""
    plain = train_on(problem(), HALF, steps(0.05))
    scaled = train_on(problem(scale=factor), HALF, steps(0.05 / factor))
    assert plain.kept > 0
    assert torch.equal(scaled.theta, plain.theta)
    assert scaled.sum == factor * plain.sum


def test_the_optimizer_is_the_problems_at_a_part_of_its_rate() -> None:
    def made(lr: float) -> Any:
        return lambda p: torch.optim.SGD(p, lr=lr, momentum=0.9)

    short = TrainOn(epochs=2, rounds=1, batch_size=64, learning_rate_factor=0.1)
    wanted = train_on(problem(), HALF, replace(short, optimizer=made(0.01), learning_rate_factor=1.0)).theta
    of_problem = train_on(problem(optimizer=made(0.1)), HALF, short).theta
    torch.testing.assert_close(of_problem, wanted)
    overruled = train_on(problem(optimizer=made(7.0)), HALF, replace(short, optimizer=made(0.1))).theta
    torch.testing.assert_close(overruled, wanted)
    by_default = train_on(problem(), HALF, short).theta
    adam = replace(short, optimizer=lambda p: torch.optim.Adam(p, lr=1e-4), learning_rate_factor=1.0)
    torch.testing.assert_close(by_default, train_on(problem(), HALF, adam).theta)


def test_rounds_grow_to_four_times_the_first() -> None:
    assert [TrainOn().length(number) for number in range(5)] == [5, 10, 20, 20, 20]
    assert [TrainOn(epochs=1).length(number) for number in range(4)] == [1, 2, 4, 4]
    assert TrainOn(rounds=10**9).length(10**9) == 20


def test_a_short_round_that_gains_is_kept_where_longer_ones_learn_by_heart() -> None:
    """And one that does not ends nothing: a longer one may."""
    validation = noisy(64, 20)
    made, goal, middle = linear(validation=validation), best(noisy(256, 10), HALF), best(validation, HALF)
    made.set_parameters(middle - (goal - middle) / 2)
    found = train_on(made, HALF, steps(epochs=8, batch_size=256, rounds=10))
    assert found.kept == 8
    assert found.epochs == 8 + 16 + 32
    made.set_parameters(middle - 4 * (goal - middle))
    slow = train_on(made, HALF, steps(1e-9, epochs=1, batch_size=256, rounds=10))
    assert slow.epochs == 1 + 2 + 4


@pytest.mark.parametrize(("examples", "size"), [(1, 16), (512, 16), (1000, 31), (8192, 256), (10**6, 256)])
def test_an_epoch_has_32_minibatches_of_a_usual_size(examples: int, size: int) -> None:
    assert TrainOn().batch_size_for(examples) == size
    assert TrainOn(batch_size=7).batch_size_for(examples) == 7


def test_weight_decay_counts_once() -> None:
    def sgd(decay: float) -> TrainOn:
        return steps(optimizer=lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=decay))

    ours = train_on(problem(weight_decay=0.1), HALF, sgd(0.0)).theta
    assert torch.equal(train_on(problem(weight_decay=0.1), HALF, sgd(0.1)).theta, ours)
    torch.testing.assert_close(train_on(problem(), HALF, sgd(0.1)).theta, ours)


def test_it_stays_in_the_box() -> None:
    made = problem()
    theta = made.parameters()
    made.bounds = Bounds(theta - 0.01, theta + 0.01)
    found = train_on(made, HALF, FAST).theta
    assert torch.equal(made.bounds.clamp(found), found)
    assert (found - theta).abs().max() > 0.005


@pytest.mark.parametrize("rounds", [1, 2])
def test_an_epoch_costs_a_pass_each_way_and_a_round_a_measurement(rounds: int) -> None:
    made = problem()
    before = made.cost
    found = train_on(made, HALF, replace(FAST, rounds=rounds))
    spent = made.cost - before
    assert found.epochs == (2**rounds - 1) * FAST.epochs
    assert spent.gradient_passes == pytest.approx(found.epochs)
    assert spent.forward_passes == pytest.approx(found.epochs + (rounds + 1) * 256 / 512)
    assert spent.hessian_products == 0


def test_it_tells_how_far_it_is_and_stops_anywhere_without_a_trace() -> None:
    made, seen = problem(), []
    before, cancel = made.parameters(), threading.Event()
    with made.watch.over(seen.append), made.watch.part(1.0, "train on"):
        train_on(made, HALF, FAST)
    fractions = [event.fraction for event in seen]
    assert fractions == sorted(fractions)
    assert seen[-1].losses is not None
    assert seen[-1].losses.keys() == set(NAMES)
    for left in (1, 5, 20):
        calls = 0

        def stop(*_: Any, left: int = left) -> None:
            nonlocal calls
            calls += 1
            if calls == left:
                cancel.set()

        cancel.clear()
        handle = made.model.register_forward_hook(stop)
        with pytest.raises(pn.Cancelled), made.watch.over(None, cancel):
            train_on(made, HALF, FAST)
        handle.remove()
        assert torch.equal(made.parameters(), before)
        assert not made.watch.active


def test_its_progress_is_even(monkeypatch: pytest.MonkeyPatch) -> None:
    made, how = problem(), replace(FAST, batch_size=150)
    require_even(*told(made, lambda: train_on(made, HALF, how), monkeypatch))


def test_what_is_not_finite_is_named() -> None:
    made = problem()
    before = made.parameters()
    with pytest.raises(pn.NonFiniteError, match=r"'small' is .* on batch 2 of epoch 1 of training on"):
        train_on(made, HALF, steps(1e200))
    poisoned = noisy(256, 20)
    made = problem(validation=poisoned)
    calls = 0

    def poison(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 12:  # eight batches to begin with, and some to train
            poisoned.tensors[1].data[200, 1] = torch.nan  # which no pass notices

    made.model.register_forward_hook(poison)
    with pytest.raises(pn.NonFiniteError, match="'large' is nan on the validation data, after epoch 4"):
        train_on(made, HALF, FAST)
    assert torch.equal(made.parameters(), before)
    made.set_parameters(before * torch.nan)
    with pytest.raises(pn.NonFiniteError, match="'small' is nan on the validation data, before training on"):
        train_on(made, HALF, FAST)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adam"}, "optimizer='adam' is not a function"),
        ({"learning_rate_factor": 0}, "learning_rate_factor=0 is not possible"),
        ({"learning_rate_factor": float("nan")}, "learning_rate_factor=nan"),
        ({"learning_rate_factor": True}, "learning_rate_factor=True"),
        ({"rounds": 0}, "rounds=0 is not possible"),
        ({"epochs": 0}, "epochs=0 is not possible; give an integer of at least 1"),
        ({"batch_size": 2.5}, r"batch_size=2\.5"),
        ({"seed": -1}, "seed=-1 is not possible; give an integer of at least 0"),
    ],
)
def test_arguments_that_make_no_sense_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(pn.ProblemError, match=message):
        TrainOn(**arguments)


def fails(_: list[Tensor]) -> torch.optim.Optimizer:
    raise ValueError("only matrices")


BAD = [
    (lambda p: None, "optimizer made a NoneType"),
    (lambda p: torch.optim.LBFGS(p), "L-BFGS evaluates the loss by itself"),
    (lambda p: torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), "for other tensors"),
    (fails, "one vector, which holds all steered parameters: only matrices"),
]


@pytest.mark.parametrize(("optimizer", "message"), BAD)
def test_optimizers_that_do_not_fit_are_refused(optimizer: Any, message: str) -> None:
    with pytest.raises(pn.ProblemError, match=message):
        train_on(problem(), HALF, TrainOn(optimizer=optimizer))


@pytest.mark.parametrize(("optimizer", "message"), [*BAD, (3, "optimizer=3 is not a function")])
def test_a_problem_refuses_them_at_once(optimizer: Any, message: str) -> None:
    with pytest.raises(pn.ProblemError, match=message):
        problem(optimizer=optimizer)


class Signs(torch.optim.Optimizer):
    """Has no learning rate."""

    def __init__(self, parameters: list[Tensor]) -> None:
        super().__init__(parameters, {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for tensor in group["params"]:
                tensor.sub_(1e-3 * tensor.grad.sign())


def test_an_optimizer_without_a_learning_rate_has_none_to_scale() -> None:
    with pytest.raises(pn.ProblemError, match=r"a Signs without a learning rate.*learning_rate_factor=1"):
        train_on(problem(), HALF, TrainOn(optimizer=Signs, learning_rate_factor=0.1))
    once = TrainOn(optimizer=Signs, learning_rate_factor=1, epochs=1, rounds=1)
    assert train_on(problem(), HALF, once).kept > 0


def gain(made: pn.Problem, found: Trained, weights: Tensor = HALF) -> TrainingGain:
    return TrainingGain.of(made, weights, found, pn.Cost())


@settings(max_examples=15)
@given(share=st.floats(0.0, 1.0), examples=st.integers(97, 300), seed=st.integers(0, 5))
def test_the_standard_error_of_the_sum_is_from_the_batches(share: float, examples: int, seed: int) -> None:
    """Against numpy, with a last batch that is shorter: separate errors would not do, as the losses vary together."""
    weights = torch.tensor([share, 1 - share], dtype=torch.float64)
    validation = noisy(examples, 20)
    made = problem(validation=validation)
    found = train_on(made, weights, replace(FAST, epochs=1, seed=seed))
    measured = gain(made, found, weights)
    sums = []
    for theta in (made.parameters(), found.theta):
        first, bias, last, shift = np.split(theta.numpy(), [64, 80, 112])
        x, y = (t.numpy() for t in validation.tensors)
        outputs = np.tanh(x @ first.reshape(16, 4).T + bias) @ last.reshape(2, 16).T + shift
        sums.append((outputs - y) ** 2 @ weights.numpy())
    difference = sums[1] - sums[0]
    fractions = made.evaluate(made.parameters(), "validation").fractions.numpy()
    cuts = np.split(difference, np.rint(np.cumsum(fractions)[:-1] * examples).astype(int))
    means = np.array([c.mean() for c in cuts])
    error = np.sqrt(fractions @ (means - difference.mean()) ** 2 / (len(cuts) - 1))
    if found.kept:
        assert measured.total == pytest.approx(difference.mean())
        assert measured.total_error == pytest.approx(error)
        assert measured.pays == (-measured.total > max(2 * error, 0.005 * sums[0].mean()))
    else:
        assert (measured.total, measured.total_error, measured.pays) == (0, 0, False)


def test_what_it_brings_in_words() -> None:
    made = problem()
    measured = gain(made, train_on(made, HALF, FAST))
    assert measured.on == "validation"
    assert measured.pays is True
    assert measured.changes.standard_errors
    for name in NAMES:
        percent = 100 * abs(measured.changes[name]) / measured.before[name]
        error = 100 * measured.changes.standard_errors[name] / measured.before[name]
        assert f"{name} by {percent:.2g} % ± {error:.2g} %" in measured.words
    assert measured.words.startswith(f"training on for {measured.epochs} epochs lowers ")
    assert measured.words.endswith("on validation data; it pays")
    assert str(measured) == measured.words


def test_few_examples_leave_it_unknown_whether_it_pays() -> None:
    made = problem(validation=noisy(31, 20))
    measured = gain(made, train_on(made, HALF, FAST))
    assert measured.total < 0
    assert measured.total_error is None
    assert measured.pays is None
    assert "±" not in measured.words
    assert "whether it pays is unknown: that takes 32 examples" in measured.words


def test_nothing_gained_is_said() -> None:
    made = linear()
    made.set_parameters(best(noisy(256, 10), HALF))
    measured = gain(made, train_on(made, HALF, steps(epochs=1)))
    assert dict(measured.changes) == dict.fromkeys(NAMES, 0.0)
    assert measured.pays is False
    assert measured.words == (
        "training on lowers nothing on training data, without any for validation; 1 epoch tried"
    )


@pytest.mark.parametrize(
    ("total", "error", "pays", "words"),
    [
        (-0.02, 0.009, True, "it pays"),
        (-0.02, 0.011, False, "as a whole that is within its noise"),
        (-0.004, 0.001, False, "as a whole that is less than 0.5 %"),
        (-0.02, None, None, "unknown"),
    ],
)
def test_when_it_pays(total: float, error: float | None, pays: bool | None, words: str) -> None:
    changes = pn.steering.Changes({"a": -0.05, "b": 0.01, "c": 0.3}, {"a": 0.01, "b": 0.002, "c": 0.1})
    before = {"a": 1.0, "b": -0.5, "c": 0.0}
    measured = TrainingGain(changes, before, "validation", 1, 2, total, error, 1.0, pn.Cost())
    assert measured.pays is pays
    assert measured.words.startswith(
        "training on for 1 epoch lowers a by 5 % ± 1 % and raises b by 2 % ± 0.4 % and c by 0.3 ± 0.1 on "
        "validation data; "
    )
    assert words in measured.words
