import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import paretonav as pn
from paretonav.steering.preferences import Preference, Situation, check_amount

NAMES = ("age", "education", "marital", "race")
LOSSES = np.array([2.0, -0.5, 4.0, 1.0])
AT = Situation.of(dict(zip(NAMES, LOSSES, strict=True)))
WEIGHT = st.floats(1e-3, 1e3)


def changes(preference: Preference, amount: float) -> dict[str, float]:
    wish = preference.wish(AT)
    return dict(zip(np.array(NAMES)[wish.named].tolist(), wish.changes(amount).tolist(), strict=True))


@given(st.dictionaries(st.sampled_from(NAMES), WEIGHT, min_size=1), st.floats(1e-4, 1))
def test_improvements_are_in_the_proportions_of_the_weights(weights: dict[str, float], amount: float) -> None:
    asked = changes(pn.Improve(weights, units="absolute"), amount)
    heaviest = max(weights, key=weights.__getitem__)
    assert set(asked) == set(weights)
    assert asked[heaviest] == pytest.approx(-amount * abs(LOSSES[NAMES.index(heaviest)]))
    for name, weight in weights.items():
        assert asked[name] / asked[heaviest] == pytest.approx(weight / weights[heaviest])


@given(st.dictionaries(st.sampled_from(NAMES), WEIGHT, min_size=1), st.floats(1e-4, 1))
def test_relative_units_weigh_changes_in_parts_of_the_losses(
    weights: dict[str, float], amount: float
) -> None:
    asked = changes(pn.Improve(weights), amount)
    top = max(weights.values())
    for name, weight in weights.items():
        assert asked[name] == pytest.approx(-amount * weight / top * abs(LOSSES[NAMES.index(name)]))


def test_holds_are_prescribed_and_zero_weights_leave_free() -> None:
    asked = changes(pn.Improve({"age": 0.7, "race": 0.0}, hold=["marital", "marital"]), 0.1)
    assert asked == {"age": pytest.approx(-0.2), "marital": 0.0}
    wish = pn.Improve({"age": 0.7, "race": 0.0}, hold=["marital"]).wish(AT)
    assert wish.named.tolist() == [0, 2]
    assert wish.improved.tolist() == [0]
    assert wish.held.tolist() == [2]


def test_a_single_name_can_be_held_without_a_list() -> None:
    assert pn.Improve({"age": 1}, hold="race").hold == ("race",)


def test_an_objective_of_weight_zero_can_be_held() -> None:
    assert changes(pn.Improve({"age": 1, "race": 0}, hold=["race"]), 0.1)["race"] == 0


def test_a_direction_holds_with_zero_and_pays_with_a_positive_entry() -> None:
    asked = changes(pn.Direction({"age": -1.0, "marital": 0.5, "race": 0.0}), 0.1)
    assert asked == {
        "age": pytest.approx(-0.2),
        "marital": pytest.approx(0.2),
        "race": 0.0,
    }


def test_the_amount_of_a_direction_is_that_of_its_largest_entry_even_if_it_is_a_price() -> None:
    asked = changes(pn.Direction({"age": -1.0, "marital": 2.0}, units="absolute"), 0.1)
    assert asked == {"age": pytest.approx(-0.2), "marital": pytest.approx(0.4)}
    asked = changes(pn.Direction({"age": -1.0, "marital": 2.0}), 0.1)
    assert asked == {"age": pytest.approx(-0.1), "marital": pytest.approx(0.4)}


def test_a_preference_does_not_change_with_the_dict_it_was_made_of() -> None:
    weights = {"age": 1.0}
    preference = pn.Improve(weights)
    weights["race"] = 1.0
    assert preference == pn.Improve({"age": 1.0})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: pn.Improve({}), "at least one objective or metric to improve"),
        (lambda: pn.Improve({"age": 0.0, "race": 0}), "no objective has a positive weight"),
        (lambda: pn.Improve({"age": -0.1, "race": 1}), "weight of 'age' is -0.1.*use Direction"),
        (lambda: pn.Improve({"age": math.nan}), "weight of 'age' is nan"),
        (lambda: pn.Improve({"age": math.inf}), "weight of 'age' is inf"),
        (lambda: pn.Improve({"aeg": 1.0}), "no objective or metric 'aeg'; there are age, education"),
        (lambda: pn.Improve({"age": 1.0, "aeg": 0.0}), "no objective or metric 'aeg'"),
        (lambda: pn.Improve({"age": 1.0}, hold=["aeg"]), "no objective or metric 'aeg'"),
        (lambda: pn.Improve({"age": 1.0}, hold=["age"]), "'age' is both improved and held"),
        (lambda: pn.Improve({"age": 1.0}, units="percent"), "units='percent' is unknown"),
        (lambda: pn.Improve({"age": "1"}), "'1' for 'age' in weights is not a number"),
        (lambda: pn.Improve("age"), "weights='age' is not a mapping"),
        (lambda: pn.Direction({}), "improves nothing"),
        (lambda: pn.Direction({"age": 1.0, "race": 0.0}), "improves nothing"),
        (lambda: pn.Direction({"age": -1.0, "race": math.nan}), "nan for 'race' in changes is not possible"),
        (lambda: pn.Direction({"age": -1.0, "rcae": 0.0}), "no objective or metric 'rcae'"),
        (lambda: pn.Direction({"age": None}), "None for 'age' in changes is not a number"),
    ],
)
def test_nonsense_is_refused_in_words(make: Callable[[], Preference], says: str) -> None:
    with pytest.raises(pn.PreferenceError, match=says):
        make().wish(AT)


def test_a_loss_of_zero_has_no_relative_change() -> None:
    at = Situation.of(dict(zip(NAMES, (0.0, 1.0, 1.0, 1.0), strict=True)))
    with pytest.raises(pn.PreferenceError, match="'age' is zero"):
        pn.Improve({"age": 1.0, "race": 0.5}).wish(at)
    with pytest.raises(pn.PreferenceError, match=r"'age' is zero.*absolute"):
        pn.Improve({"age": 0.5, "race": 1.0}).wish(at)
    with pytest.raises(pn.PreferenceError, match="'age' is zero"):
        pn.Direction({"age": 0.5, "race": -1.0}).wish(at)
    wish = pn.Improve({"race": 1.0}, hold=["age"]).wish(at)
    assert wish.changes(0.1).tolist() == [0.0, -0.1]
    wish = pn.Improve({"race": 1.0, "age": 0.5}, units="absolute").wish(at)
    assert wish.changes(0.1).tolist() == [-0.05, -0.1]


@pytest.mark.parametrize("amount", [0, -0.1, math.nan, math.inf, "0.1", None, True, np.array([0.1])])
def test_amounts_that_are_not_positive_numbers_are_refused(amount: object) -> None:
    with pytest.raises(pn.PreferenceError, match="give a positive fraction"):
        check_amount(amount)  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", [1, 0.25, np.float64(0.25), np.float32(0.25)])
def test_amounts_of_any_number_type_become_floats(amount: float) -> None:
    assert check_amount(amount) == float(amount)
    assert type(check_amount(amount)) is float
