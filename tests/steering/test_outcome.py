"""One shape for all that is requested, predicted, achieved and measured."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paretonav.objectives import Losses
from paretonav.objectives.problem import Split
from paretonav.steering import Changes, Estimates, Outcome
from paretonav.steering.measured import Measured, changes_between, values_of
from paretonav.steering.outcome import nothing

NAMES = ("a", "b", "c")
NUMBERS = st.floats(-1e3, 1e3)
SPLITS = st.sampled_from(["train", "validation"])


def changes(prefix: str = "") -> st.SearchStrategy[Changes]:
    """Of some of the names, with or without standard errors."""
    names = [prefix + name for name in NAMES]
    values = st.dictionaries(st.sampled_from(names), NUMBERS)
    return values.flatmap(lambda x: st.sampled_from([Changes(x), Changes(x, dict.fromkeys(x, 0.1), 20)]))


OUTCOMES = st.builds(Outcome, changes(), changes(), changes("metric "), SPLITS)


@given(OUTCOMES)
def test_what_is_shown_is_the_losses_on_one_split_and_the_metrics(outcome: Outcome[Changes]) -> None:
    losses = outcome.validation if outcome.split == "validation" else outcome.train
    assert outcome.losses == losses
    assert outcome.shown == {**losses, **outcome.metrics}
    for name in outcome.shown:
        part = losses if name in losses else outcome.metrics
        assert outcome.shown.error(name) == part.error(name)
        assert outcome.shown.is_noise(name) == part.is_noise(name)


@given(OUTCOMES, SPLITS)
def test_parts_are_those_that_there_are_in_order(outcome: Outcome[Changes], first: Split) -> None:
    second = "train" if first == "validation" else "validation"
    parts = {first: outcome.on(first), second: outcome.on(second), "metrics": outcome.metrics}
    assert list(outcome.parts(first)) == [(name, part) for name, part in parts.items() if part]
    assert bool(outcome) == any(parts.values())
    assert outcome.asked(first) == {**outcome.on(first), **outcome.metrics}


@given(OUTCOMES)
def test_each_part_is_mapped_for_itself(outcome: Outcome[Changes]) -> None:
    names = outcome.each(list)
    assert [list(part) for part in (outcome.train, outcome.validation, outcome.metrics)] == [
        names.train,
        names.validation,
        names.metrics,
    ]
    assert names.split == outcome.split


def test_arrays_are_shown_one_after_the_other() -> None:
    outcome = Outcome(np.array([1.0, 2.0]), np.zeros(0), np.array([3.0]), "train")
    np.testing.assert_array_equal(outcome.shown, [1, 2, 3])
    assert [name for name, _ in outcome.parts()] == ["train", "metrics"]


def test_nothing_is_empty_and_false() -> None:
    assert not nothing()
    assert nothing().shown == {}
    assert nothing().shown.standard_errors == {}


def losses(seed: int, metrics: bool, batches: int = 6) -> Losses:
    generator = torch.Generator().manual_seed(seed)
    fractions = torch.full((batches,), 1 / batches, dtype=torch.float64)
    of_losses, of_metrics = (torch.rand(batches, k, generator=generator).double() for k in (3, 2))
    if not metrics:
        return Losses(of_losses, fractions)
    return Losses(of_losses, fractions, ("u", "v"), of_metrics)


@pytest.mark.parametrize("for_validation", [True, False])
def test_values_are_measured_where_there_are_data(for_validation: bool) -> None:
    train, validation = losses(0, not for_validation), losses(1, True) if for_validation else None
    values, shown = values_of(NAMES, Measured(train, validation)), validation or train
    assert values.split == ("validation" if for_validation else "train")
    np.testing.assert_allclose(list(values.train.values()), train.mean)
    np.testing.assert_allclose(list(values.losses.values()), shown.mean)
    assert bool(values.validation) == for_validation
    assert values.metrics == pytest.approx(shown.metrics)
    errors = shown.metric_standard_error()
    assert errors is not None
    np.testing.assert_allclose(list(values.metrics.standard_errors.values()), errors)
    assert values.shown.batches == 6


def test_what_was_not_read_is_not_taken_from_the_other_data() -> None:
    """Of a step that training data have settled nothing is shown: what is shown is validation data."""
    before = Measured(losses(0, False), losses(1, True))
    found = changes_between(NAMES, before, Measured(losses(2, False), None))
    assert list(found.train) == list(NAMES)
    assert (found.validation, found.metrics, found.shown) == ({}, {}, {})
    settled = changes_between(NAMES, before, Measured(None, losses(3, True)))
    assert settled.train == {}
    assert list(settled.shown) == [*NAMES, "u", "v"]
    alone = changes_between(NAMES, Measured(losses(0, True), None), Measured(losses(2, True), None))
    assert list(alone.shown) == [*NAMES, "u", "v"]


def test_numbers_beside_others_are_as_sure_as_the_fewer_batches_are() -> None:
    one = Changes({"a": 1.0}, {"a": 0.4}, 4)
    other = Changes({"b": 1.0}, {"b": 0.4}, 100)
    both = one.beside(other)
    assert (both, both.standard_errors, both.batches) == ({"a": 1.0, "b": 1.0}, {"a": 0.4, "b": 0.4}, 4)
    assert one.beside(Changes()) is one
    assert Changes().beside(one) is one
    assert Estimates({"a": 1.0}).error("a") is None
    assert replace(nothing(), train=one).shown.is_noise("a")
