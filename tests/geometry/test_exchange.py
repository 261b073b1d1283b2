"""What is gained and paid on validation data."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import regression
from tests.tensors import normal
from torch import Tensor

import paretonav as pn
from paretonav.geometry.exchange import Exchange, _price, exchange, exchange_passes, read_before
from paretonav.objectives import Losses
from paretonav.objectives.problem import Split

WAYS = torch.eye(2, dtype=torch.float64)
GUESSED = 0.013  # a price may be off by, where the losses do not bend as ways of unit cost should


class Told(pn.FunctionProblem):
    """Losses of two parameters, other ones on training than on validation data; each is 1 at zero."""

    def __init__(self, validation: Any, train: Any = None, noise: float = 0.0) -> None:
        super().__init__(
            lambda x: torch.stack([x.sum(), -x.sum()]), torch.zeros(2).double(), names=["a", "b"]
        )
        self.has_validation = validation is not None
        self._functions: dict[str, Any] = {"train": train or validation, "validation": validation}
        self._noise, self.asked = noise, set[str]()

    def evaluate(self, theta: Tensor, split: Split = "train") -> Losses:
        self.asked.add(split)
        values = torch.stack([torch.as_tensor(v) for v in self._functions[split](*theta)]).double()
        batches = values + self._noise * float(theta.norm()) * normal(
            8, 2, seed=int(1e6 * float(theta.norm()))
        )
        return Losses(batches, torch.full((8,), 1 / 8, dtype=torch.float64), examples=400)

    def jacobian(self, theta: Tensor, split: Split = "train") -> Any:
        raise AssertionError("nothing is differentiated")


def asked(problem: pn.Problem, ways: Tensor = WAYS) -> Exchange:
    theta = problem.parameters()
    losses = problem.evaluate(theta)
    ends = [problem.evaluate(1e-4 * way).mean for way in ways]
    response = torch.stack([(end - losses.mean) / 1e-4 for end in ends], dim=1)
    return exchange(problem, theta, ways, response, losses, read_before(problem, theta))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(pays=st.floats(0, 2))
def test_the_price_is_what_others_pay_for_each_part_gained(pays: float) -> None:
    """Each way lowers one loss, and raises the other by so much: along the cheapest way, which mixes them."""
    found = asked(Told(lambda x, y: (1 + x - pays * y, 1 - pays * x + y)))
    # To lower a the cheapest step is along its slope (1, -pays); what b pays on it is 2 pays, per 1 + pays^2 gained.
    assert found.price == pytest.approx(2 * pays / (1 + pays**2), abs=GUESSED)
    assert found.works
    assert found.reason.startswith("on validation data others pay")


def test_what_comes_of_half_of_the_way_costs_as_far_as_it_is_none_of_a_parabola() -> None:
    """A parabola through both ends would be exact for what only bends; that costs by what it brings alone."""
    bent = asked(Told(lambda x, y: (1 + x + 4 * x * x, 1 + y + 4 * y * y)))
    # At -0.03 there are 0.0264 gained of 0.03.
    assert bent.price == pytest.approx(0.0036 / 0.0264, abs=2 * GUESSED)
    height = 3e-3
    bumpy = asked(Told(lambda x, y: (1 + x + bump(x, height), 1 + y)))
    # The other loss is as it was.
    assert 2 * bumpy.price == pytest.approx(height / 0.03, abs=2 * GUESSED)


def bump(x: Tensor, height: float) -> Tensor:
    """At half of the way only."""
    return height * torch.exp(-((x + 0.015) / 1e-3).square())


def test_where_all_fall_together_nothing_is_paid() -> None:
    found = asked(Told(lambda x, y: (1 + x, 1 + x)))
    assert found.price == pytest.approx(0, abs=GUESSED)
    assert found.works


def test_it_is_validation_data_that_decide() -> None:
    """What is gained in the training sample only is no gain."""
    problem = Told(lambda x, y: (1 + 0 * x, 1 + y), train=lambda x, y: (1 + x, 1 + y))
    found = asked(problem)
    assert found.works
    assert found.price == pytest.approx(5 / 2, rel=0.01)
    assert found.reason.endswith("(nothing to gain but for b)")


def test_where_nothing_is_gained_that_is_said() -> None:
    found = asked(Told(lambda x, y: (1 + 0 * x, 1 + 0 * y), train=lambda x, y: (1 + x, 1 + y)))
    assert (found.price, found.works) == (5, False)
    assert found.reason == "no loss gets better by much on validation data"


def test_a_gain_within_its_noise_is_none() -> None:
    quiet, loud = (Told(lambda x, y: (1 + x, 1 + y), noise=noise) for noise in (1e-3, 10.0))
    assert asked(quiet).price < 0.1
    assert asked(loud).price > 1


def test_a_way_that_bends_early_is_dear() -> None:
    """To first order it gains as much."""
    straight = asked(Told(lambda x, y: (1 + x, 1 + y)))
    bent = asked(Told(lambda x, y: (1 + x + 20 * x * x, 1 + y + 20 * y * y)))
    assert straight.price == pytest.approx(0, abs=GUESSED)
    assert bent.price > 0.3


def test_losses_that_are_not_finite_there_buy_nothing() -> None:
    def cliff(x: Tensor, y: Tensor) -> Iterable[Tensor]:
        return torch.where(x < -0.025, torch.nan, 1 + x), 1 + y

    found = asked(Told(cliff))
    assert found.price >= 2.5
    assert found.reason.endswith("(nothing to gain but for b)")


def test_without_validation_data_the_training_data_have_to_do() -> None:
    problem = Told(None, train=lambda x, y: (1 + x, 1 + y))
    found = asked(problem)
    assert problem.asked == {"train"}
    assert found.price == pytest.approx(0, abs=GUESSED)
    assert found.reason.startswith("on training data others pay")


def test_units_make_no_difference() -> None:
    prices = [
        asked(Told(lambda x, y, s=s: (s * (1 + x - y / 2), 1 - x / 2 + y))).price for s in (1e-6, 1.0, 1e6)
    ]
    # A loss in other units has other slopes, but the same cheapest way.
    assert prices == pytest.approx([prices[1]] * 3, abs=GUESSED)


def told(values: Any, spread: Any = 0.0) -> Losses:
    """Losses in eight batches, each with such a standard error of its change."""
    pattern = torch.tensor([1.0, -1.0] * 4).double()[:, None] * 7**0.5
    batches = torch.as_tensor(values).double() + pattern * torch.as_tensor(spread).double()
    return Losses(batches, torch.full((8,), 1 / 8, dtype=torch.float64), examples=400)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (1, 2, 3, 0)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_all_that_others_pay_counts_in_parts_of_each_and_no_gain_of_theirs_is_set_against_it(
    order: tuple[int, ...], scale: float
) -> None:
    turned = list(order)
    before = np.array([1.0, 2.0, scale, 4.0])
    relative = np.array([-0.03, 0.006, 0.009, -0.5])
    i = turned.index(0)
    after = (before * (1 + relative))[turned]
    assert _price(i, told(after), told(before[turned]), before[turned]) == pytest.approx(0.015 / 0.03)
    # What is missing of the gain is paid, too.
    less = (before * (1 + relative * [0.5, 1, 1, 1]))[turned]
    assert _price(i, told(less), told(before[turned]), before[turned]) == pytest.approx(0.030 / 0.015)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_a_gain_within_two_standard_errors_buys_nothing_in_any_units(size: float) -> None:
    before, after = size * np.array([1.0, 1.0]), size * np.array([0.97, 1.0])
    for errors, works in ((0.4, True), (0.49, True), (0.51, False), (0.9, False)):
        noise = errors * 0.03 * size
        price = _price(0, told(after, [noise, 0.0]), told(before), before)
        assert price == pytest.approx(0 if works else 5)


def test_what_may_come_to_zero_is_not_priced_by_what_is_left_of_it() -> None:
    """A gap that has all but closed opens a little whatever is done; it counts as a twentieth of the largest loss."""
    problem = Told(lambda x, _: (1 + x, 1e-4 - x / 20))
    problem.absolute = ("b",)
    # Each way along x lowers one by 3 % of its size and raises the other by as much of its own.
    assert asked(problem).price == pytest.approx(1, abs=2 * GUESSED)


@pytest.mark.parametrize(
    ("examples", "batch_size", "batches"), [(2000, 50, 12), (2000, 100, 6), (24000, 2000, 4)]
)
def test_it_is_asked_of_six_hundred_examples_and_four_batches_at_least(
    examples: int, batch_size: int, batches: int
) -> None:
    problem = regression.problem(validation=regression.noisy(examples, 20), batch_size=batch_size)
    read = read_before(problem, problem.parameters())
    assert len(read.fractions) == batches
    assert read.examples == batches * batch_size


def test_what_it_reads_at_most_is_known_before() -> None:
    """Half of the way to what is not bought need not be looked at: here the first loss is as low as it gets."""

    def fn(x: Tensor) -> Tensor:
        return torch.stack([1 + x[0].square(), 1 + (x[1] - 1).square()])

    problem = pn.FunctionProblem(fn, torch.zeros(2).double())
    theta, ways = problem.parameters(), torch.eye(2).double()
    losses, jacobian = problem.jacobian(theta)
    known = read_before(problem, theta)
    before = problem.cost.forward_passes
    found = exchange(problem, theta, ways, jacobian @ ways.T, losses, known)
    assert found.works
    assert "f2" in found.reason
    assert problem.cost.forward_passes - before == exchange_passes(problem, 2) - 1
