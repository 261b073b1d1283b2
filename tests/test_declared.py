"""What comes from outside, and what it is declared to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from typing_extensions import TypeAliasType

from paretonav.declared import AtMost, DeclaredError, fields_of, fits, in_words, made, parts_of

T = TypeVar("T")
ARRAY = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]
VALUES = [None, True, 1, 1.5, "a", [1, 2], (1, "a"), ["a"], {"a": 1.0}, {"a": "b"}, np.zeros(2), {1: 1.0}]
HINTS: list[Any] = [
    None,
    bool,
    int,
    float,
    str,
    list[int],
    Sequence[str],
    tuple[int, str],
    tuple[int, ...],
    Mapping[str, float],
    dict[str, str],
    float | None,
    Literal["a", "b"],
    NDArray[np.float64],
    NDArray[np.float64] | None,
    Any,
]


@pytest.mark.parametrize("hint", HINTS, ids=str)
def test_an_alias_is_what_it_stands_for(hint: Any) -> None:
    """NumPy's own types are aliases from Python 3.12 on."""
    alias = TypeAliasType("alias", hint)
    twice = TypeAliasType("twice", alias)
    generic = TypeAliasType("generic", dict[str, T], type_params=(T,))
    for value in VALUES:
        expected = fits(value, hint)
        assert fits(value, alias) == fits(value, twice) == expected
        assert fits([value], list[alias]) == expected  # type: ignore[valid-type]
        assert fits({"a": value}, generic[hint]) == expected
        assert fits(value, alias | None) == (expected or value is None)


def test_arrays_of_numpys_own_type_fit() -> None:
    for hint in (NDArray[np.float64], ARRAY, TypeAliasType("alias", ARRAY)):
        assert fits(np.zeros(2), hint)
        assert not fits([0.0, 0.0], hint)
        assert fits((np.zeros(2), np.ones(1)), tuple[hint, hint])


SMALL = Annotated[int, AtMost(9, "up to 9")]
SHORT = Annotated[str, AtMost(3, "of at most 3 letters")]
FINITE = Annotated[float, AtMost(1e308, "that is finite")]


@pytest.mark.parametrize(
    ("value", "hint", "is_one"),
    [
        (9, SMALL, True),
        (-9, SMALL, True),
        (10, SMALL, False),
        (True, SMALL, False),
        ("abc", SHORT, True),
        ("abcd", SHORT, False),
        (None, SHORT | None, True),
        (1, FINITE, True),
        (float("inf"), FINITE, False),
        (float("nan"), FINITE, False),
        (10**400, FINITE, False),
        ([1, 2], Annotated[list[SMALL], AtMost(2, "of at most 2")], True),
        ([1, 2, 3], Annotated[list[SMALL], AtMost(2, "of at most 2")], False),
        ([1, 20], Annotated[list[SMALL], AtMost(2, "of at most 2")], False),
        ({"a": 10}, dict[str, SMALL], False),
    ],
    ids=str,
)
def test_types_have_limits(value: Any, hint: Any, is_one: bool) -> None:
    assert fits(value, hint) == is_one


def test_parts_are_those_that_are_declared() -> None:
    declared = {"a": SMALL, "b": str | None}
    assert parts_of({"a": 1, "b": None, "c": 3}, declared, "thing") == {"a": 1, "b": None}
    assert parts_of({"a": None}, declared, "thing", all_there=False) == {"a": None, "b": None}


@pytest.mark.parametrize(
    ("given", "all_there", "says"),
    [
        ([], True, "no thing"),
        (None, False, "no thing"),
        ({"b": "x"}, True, "a thing without 'a'"),
        ({"a": 10, "b": "x"}, True, "a thing whose 'a' is 10, not a whole number up to 9"),
        ({"a": None, "b": "x"}, True, "a thing whose 'a' is None, not a whole number up to 9"),
        ({"b": 1}, False, "a thing whose 'b' is 1, not text or nothing"),
    ],
)
def test_what_is_wrong_is_named(given: Any, all_there: bool, says: str) -> None:
    with pytest.raises(DeclaredError) as error:
        parts_of(given, {"a": SMALL, "b": str | None}, "thing", all_there=all_there)
    assert str(error.value) == says


def test_types_in_words() -> None:
    assert in_words(Literal["a", "b"]) == "'a' or 'b'"
    assert in_words(dict[str, Any]) == "an object"
    assert in_words(SHORT) == "text of at most 3 letters"
    assert in_words(NDArray[np.float64]) == "a ndarray"
    assert in_words(bool | float | None) == "true or false, a number or nothing"


@dataclass(frozen=True)
class Thing:
    size: SMALL
    names: tuple[str, ...] = ()


def test_a_dataclass_is_made_of_its_fields_alone() -> None:
    declared = fields_of(Thing)
    assert made(Thing, {"size": 3}, declared) == Thing(3)
    assert made(Thing, {"size": 3, "names": ("a",)}, declared) == Thing(3, ("a",))
    for fields, says in (
        ({}, "a Thing without 'size'"),
        ({"size": 10}, "a Thing whose 'size' is 10, not a whole number up to 9"),
        ({"size": 1, "names": ["a"]}, r"a Thing whose 'names' is \['a'\], not a list"),
        ({"size": 1, "colour": 2}, "a Thing with a field 'colour' that this version does not know"),
    ):
        with pytest.raises(DeclaredError, match=says):
            made(Thing, fields, declared)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_whatever_comes_fits_or_does_not(value: Any) -> None:
    for hint in (*HINTS, SMALL, SHORT, FINITE, list[SMALL]):
        assert fits(value, hint) in (True, False)
        assert in_words(hint)
