"""What is gained and paid on held-out data."""

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor

import paretonav as pn
from paretonav.geometry.exchange import Exchange, exchange, read_before
from paretonav.objectives import Losses
from paretonav.objectives.problem import Split

WAYS = torch.eye(2, dtype=torch.float64)
GUESSED = 0.013  # a price may be off by, where the losses do not bend as ways of unit cost should


class Told(pn.FunctionProblem):
    """Losses of two parameters, other ones on training than on validation data; each is 1 at zero."""

    def __init__(self, validation: Any, train: Any = None, noise: float = 0.0) -> None:
        super().__init__(lambda x: torch.stack([x.sum(), -x.sum()]), torch.zeros(2).double(), ["a", "b"])
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


def test_it_is_held_out_data_that_decide() -> None:
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
