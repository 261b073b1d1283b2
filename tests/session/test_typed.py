"""Types of fields and of what stands in them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from typing_extensions import TypeAliasType

from paretonav.session.typed import fits

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
