"""How outcomes are said to compare with their predictions."""

import math

from hypothesis import given
from hypothesis import strategies as st

from paretonav.steering import Changes
from paretonav.steering.reporting.verdict import Verdict, verdicts

NAMES = ("a", "b", "c")
changes = st.fixed_dictionaries(dict.fromkeys(NAMES, st.floats(-1, 1)))
sides = st.fixed_dictionaries(dict.fromkeys(NAMES, st.sampled_from([1.0, -1.0, 0.0])))
errors = st.none() | st.fixed_dictionaries(dict.fromkeys(NAMES, st.floats(0, 0.5)))
some = st.sets(st.sampled_from(NAMES))


@given(changes, changes, errors, sides, some)
def test_only_the_test_of_steps_says_that_something_is_worse(
    predicted: dict[str, float],
    achieved: dict[str, float],
    error: dict[str, float] | None,
    senses: dict[str, float],
    missed: set[str],
) -> None:
    before = dict.fromkeys(NAMES, 2.0)
    found = verdicts(before, Changes(predicted), Changes(achieved, error, 20), senses, missed)
    for name, verdict in found.items():
        worse = senses[name] * (achieved[name] - predicted[name]) > 0
        assert (verdict is Verdict.WORSE) == (name in missed and worse)
        if verdict is Verdict.BETTER:
            assert senses[name] * (achieved[name] - predicted[name]) < 0
        if verdict is Verdict.NEARLY:
            assert worse


@given(changes, sides, st.floats(1e-6, 1e6))
def test_what_came_as_predicted_is_called_so_in_any_unit(
    predicted: dict[str, float], senses: dict[str, float], unit: float
) -> None:
    before = {name: size * unit for name, size in zip(NAMES, (1.0, 1e-3, 7.0), strict=True)}
    shares = {name: change * before[name] for name, change in predicted.items()}
    largest = max(map(abs, predicted.values()))
    nearly = {name: change + 0.09 * largest * before[name] for name, change in shares.items()}
    found = verdicts(before, Changes(shares), Changes(nearly), senses, ())
    assert set(found.values()) == {Verdict.AS_PREDICTED}


def test_noise_is_called_so_unless_the_test_has_found_it() -> None:
    predicted, achieved = Changes({"a": -0.1}), Changes({"a": 0.01}, {"a": 0.1}, 20)
    assert verdicts({"a": 1.0}, predicted, achieved, {"a": 1.0}, ())["a"] is Verdict.NOISE
    assert verdicts({"a": 1.0}, predicted, achieved, {"a": 1.0}, {"a"})["a"] is Verdict.WORSE


def test_a_metric_without_a_side_and_an_overshot_wish_are_other_than_predicted() -> None:
    predicted, achieved = Changes({"a": -0.1}), Changes({"a": -0.3})
    assert verdicts({"a": 1.0}, predicted, achieved, {"a": 0.0}, ())["a"] is Verdict.OTHER
    assert verdicts({"a": 1.0}, predicted, achieved, {"a": 1.0}, {"a"})["a"] is Verdict.OTHER


def test_a_number_that_is_none_is_never_as_predicted() -> None:
    found = verdicts({"a": 1.0}, Changes({"a": -0.1}), Changes({"a": math.nan}), {"a": 1.0}, {"a"})
    assert found["a"] is Verdict.OTHER
