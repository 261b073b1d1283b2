"""Aims, classes and comparisons as numbers."""

import math
from collections.abc import Callable
from dataclasses import fields
from inspect import signature
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import paretonav as pn
from paretonav.steering import Estimates
from paretonav.steering.outcome import Outcome
from paretonav.steering.preferences import KINDS, Fit, Preference, Situation, Units

VALUES = {"age": 2.0, "education": 0.5, "accuracy": 0.8, "plain": 3.0}
AT = Situation(
    tuple(VALUES),
    np.array(list(VALUES.values())),
    np.array([1.0, 1.0, -1.0, 0.0]),
    lambda: np.array([4.0, 1.0, 0.1, 2.0]),
)


def asked(preference: Preference, amount: float) -> dict[str, float]:
    wish = preference.wish(AT)
    return {wish.names[i]: pytest.approx(v) for i, v in zip(wish.named, wish.changes(amount), strict=True)}


def test_an_aim_asks_for_the_way_to_its_target_and_no_more() -> None:
    aim = pn.Aim({"age": 1.5, "accuracy": 0.9, "plain": 3.0}, hold=["education"])
    wish = aim.wish(AT)
    assert wish.fit is Fit.NEAREST
    assert wish.full == 1
    assert asked(aim, 1.0) == {"age": -0.5, "accuracy": 0.1, "plain": 0.0, "education": 0.0}
    assert asked(aim, 3.0) == asked(aim, 1.0)
    assert asked(aim, 0.5)["age"] == -0.25
    assert [wish.names[i] for i in wish.held] == ["education"]  # what is where it shall be is no hold
    assert [wish.names[i] for i in wish.improved] == ["age", "accuracy"]


@pytest.mark.parametrize(("units", "sizes"), [("absolute", 1.0), ("relative", 4.0), ("range", 4.0)])
def test_the_target_of_an_aim_is_a_value_and_what_is_nearest_is_measured_in_units(
    units: Units, sizes: float
) -> None:
    """ "age" is four times as large as "education", in values and in ranges; in its own units both count alike."""
    aim = pn.Aim({"age": 0.1, "education": 0.4}, units=units)
    assert asked(aim, 1.0) == {"age": -1.9, "education": -0.1}
    scale = aim.wish(AT).scale
    assert scale[0] / scale[1] == pytest.approx(sizes)


def test_classes_improve_equally_and_stop_at_their_values() -> None:
    wish = pn.Classify(improve=["age"], improve_to={"accuracy": 0.84}, hold=["education"], free=["plain"])
    assert asked(wish, 0.02) == {"age": -0.04, "education": 0.0, "accuracy": 0.016}
    assert asked(wish, 0.1) == {"age": -0.2, "education": 0.0, "accuracy": 0.04}
    assert wish.wish(AT).full == math.inf
    only = pn.Classify(improve_to={"accuracy": 0.84})
    assert only.wish(AT).full == pytest.approx(0.05)
    assert asked(only, 1.0) == {"accuracy": 0.04}


def test_what_has_come_as_far_as_it_shall_may_pay_up_to_there() -> None:
    wish = pn.Classify(improve=["age"], improve_to={"education": 0.6, "accuracy": 0.75}).wish(AT)
    assert [wish.names[i] for i in wish.named] == ["age"]
    assert wish.room == pytest.approx([math.inf, 0.1, 0.05, math.inf])


@given(st.floats(0.001, 0.5), st.sampled_from(["absolute", "relative", "range"]))
def test_ranges_are_units_like_others(amount: float, units: str) -> None:
    """An amount is a part of the lead's range or value; the others follow in the units."""
    wish = pn.Improve({"age": 1.0, "accuracy": 0.5}, units=units).wish(AT)  # type: ignore[arg-type]
    of_age, of_accuracy = wish.changes(amount)
    assert of_age == pytest.approx(-amount * {"range": 4.0}.get(units, 2.0))
    per_unit = {"absolute": 1.0, "relative": 0.8 / 2.0, "range": 0.1 / 4.0}[units]
    assert of_accuracy / -of_age == pytest.approx(0.5 * per_unit)


def test_a_range_of_zero_is_no_unit() -> None:
    flat = Situation(AT.names, AT.values, AT.orientation, lambda: np.array([0.0, 1.0, 1.0, 1.0]))
    with pytest.raises(pn.PreferenceError, match="'age' has no range"):
        pn.Improve({"age": 1.0}, units="range").wish(flat)


def test_a_comparison_is_the_direction_to_the_better_outcome() -> None:
    liked = pn.Prefer(
        {"age": 1.8, "education": 0.55, "plain": 9.0}, {"age": 2.0, "education": 0.5, "plain": 0}
    )
    wish = liked.wish(AT)
    assert wish.fit is Fit.ALONG
    # Both differ by 10 %, and the first is the lead; of "plain" nobody knows what a comparison means.
    assert asked(liked, 0.05) == {"age": -0.1, "education": 0.025}


def point(train: float, validation: float | None, accuracy: float) -> Any:
    """What a comparison looks at in a point."""
    for_validation = Estimates() if validation is None else Estimates({"age": validation})
    split: Any = "train" if validation is None else "validation"
    return SimpleNamespace(
        values=Outcome(Estimates({"age": train}), for_validation, Estimates({"accuracy": accuracy}), split)
    )


def test_points_can_be_compared_and_are_kept_as_numbers() -> None:
    better, worse = point(1.0, None, 0.9), point(1.5, None, 0.7)
    made = pn.Prefer(better, worse, hold="education")
    assert made.better == {"age": 1.0, "accuracy": 0.9}
    assert made.over == {"age": 1.5, "accuracy": 0.7}
    assert made == pn.Prefer({"age": 1.0, "accuracy": 0.9}, made.over, hold=["education"])
    assert asked(made, 0.1)["education"] == 0


def test_points_are_compared_on_the_data_that_are_asked_for() -> None:
    better, worse = (point(t, v, 0.8) for t, v in ((1.0, 1.2), (1.5, 1.9)))
    for on, values in ((None, (1.2, 1.9)), ("validation", (1.2, 1.9)), ("train", (1.0, 1.5))):
        made = pn.Prefer(better, worse, on=on)
        assert (made.better["age"], made.over["age"]) == values
        assert made.on == on
        again = pn.Prefer(made.better, made.over, on=on)
        assert again == made


@pytest.mark.parametrize("kind", KINDS)
def test_all_preferences_have_one_tail_with_the_same_defaults(kind: type) -> None:
    """The last three are told apart by name only."""
    tail = {p.name: p for p in signature(kind).parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert set(tail) - {"free"} == {"hold", "allow", "on", "units"}
    assert tail["units"].default == "relative"
    assert tail["on"].default is None
    assert tail["hold"].default == ()
    assert kind.__name__ != "Classify" or tail["free"].default == ()


@pytest.mark.parametrize(
    ("preference", "shown"),
    [
        (pn.Improve({"age": 1}), "Improve({'age': 1.0})"),
        (
            pn.Direction({"age": -1}, hold="plain", allow={"education": 1}, on="train", units="range"),
            "Direction({'age': -1.0}, hold=('plain',), allow={'education': 1.0}, on='train', units='range')",
        ),
        (pn.Classify(["age"], free=["plain"]), "Classify(('age',), {}, free=('plain',))"),
        (pn.Prefer({"age": 1}, over={"age": 2}), "Prefer({'age': 1.0}, {'age': 2.0})"),
    ],
)
def test_a_preference_shows_itself_as_it_is_typed(preference: Preference, shown: str) -> None:
    assert repr(preference) == shown
    assert eval(shown, {kind.__name__: kind for kind in KINDS}) == preference


def test_a_direction_can_hold_by_name_or_by_zero() -> None:
    by_name = asked(pn.Direction({"age": -1.0}, hold=["education"]), 0.1)
    assert by_name == asked(pn.Direction({"age": -1.0, "education": 0.0}, hold="education"), 0.1)
    assert by_name == {"age": -0.2, "education": 0.0}
    with pytest.raises(pn.PreferenceError, match="'age' is both moved and held"):
        pn.Direction({"age": -1.0}, hold="age").wish(AT)


@pytest.mark.parametrize("make", [pn.Improve, pn.Direction, pn.Aim])
@pytest.mark.parametrize("on", ["test", "training", 1, True])
def test_there_are_two_kinds_of_data_to_ask_for(make: Callable[..., Preference], on: object) -> None:
    with pytest.raises(pn.PreferenceError, match=r"on=.*'validation'.*'train'"):
        make({"age": 1.0}, on=on)


@pytest.mark.parametrize(
    "preference",
    [
        pn.Aim({"age": 1.5}, hold="education", allow={"accuracy": 0.7}),
        pn.Classify(["age"], {"education": 0.4}, allow={"accuracy": 0.7}, free="plain"),
        pn.Prefer({"age": 1.0}, {"age": 2.0}, allow={"accuracy": 0.7}, units="range"),
    ],
)
def test_a_preference_is_plain_data_and_made_of_it_again(preference: Preference) -> None:
    given = {f.name: getattr(preference, f.name) for f in fields(preference)}  # type: ignore[arg-type]
    for value in given.values():
        assert isinstance(value, dict | tuple | str | None)
    assert type(preference)(**given) == preference


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: pn.Aim({}), "there is no target"),
        (lambda: pn.Aim({"age": math.nan}), "nan for 'age' in target is not possible"),
        (lambda: pn.Aim({"aeg": 1.0}), "no objective or metric 'aeg'; there are age, education"),
        (lambda: pn.Aim({"age": 2.0}), "age already is where it shall go"),
        (
            lambda: pn.Aim({"age": 1.0}, hold=["age"]),
            "'age' has a target and is held besides",
        ),
        (lambda: pn.Aim({"age": 1.0}, allow={"accuracy": 0.9}), "'accuracy' is 0.8 here, already beyond"),
        (lambda: pn.Aim({"age": 1.0}, units="percent"), "units='percent' is unknown"),
        (lambda: pn.Classify(), "nothing is to improve"),
        (lambda: pn.Classify(hold=["age"]), "nothing is to improve"),
        (lambda: pn.Classify(improve_to={"age": 2.5}), "age already is where it is to improve to"),
        (lambda: pn.Classify(improve=["age"], free=["age"]), "'age' is both improved and free"),
        (
            lambda: pn.Classify(improve=["age"], allow={"age": 3.0}),
            "'age' has a bound and is improved besides",
        ),
        (lambda: pn.Classify(improve=["plain"]), "which way 'plain' is better"),
        (lambda: pn.Classify(improve=["aeg"]), "no objective or metric 'aeg'"),
        (lambda: pn.Classify(improve=[1]), "1 in improve is not a name"),
        (lambda: pn.Prefer({"age": 1.0}, {"age": 1.0}), "do not differ"),
        (lambda: pn.Prefer({"age": 1.0}, {"education": 1.0}), "do not differ"),
        (lambda: pn.Prefer("3", {"age": 1.0}), "better='3' is not a mapping"),
        (lambda: pn.Prefer({"aeg": 1.0}, {"aeg": 2.0}), "no objective or metric 'aeg'"),
    ],
)
def test_nonsense_is_refused_in_words(make: Callable[[], Preference], says: str) -> None:
    with pytest.raises(pn.PreferenceError, match=says):
        make().wish(AT)


def test_ranges_that_are_not_known_are_asked_for_in_words() -> None:
    with pytest.raises(pn.PreferenceError, match="ranges are not known"):
        pn.Improve({"age": 1.0}, units="range").wish(Situation.of(VALUES))


def test_a_name_of_joined_letters_is_told_as_it_is_read() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    with pytest.raises(pn.PreferenceError, match=family):
        pn.Improve({family: 1.0}).wish(AT)
