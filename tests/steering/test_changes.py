"""Changes by name."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paretonav.steering.changes import Changes

NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(NUMBERS, st.floats(0, 1e6)), min_size=1, max_size=5), st.booleans())
def test_vectors_come_by_name_in_their_order(pairs: list[tuple[float, float]], tensors: bool) -> None:
    names = [f"n{i}" for i in range(len(pairs))]
    make = torch.tensor if tensors else np.array
    values, errors = (make([pair[k] for pair in pairs]) for k in range(2))
    changes = Changes.of(names, values, errors)
    assert list(changes) == names
    assert changes.standard_errors
    assert list(changes.standard_errors) == names
    for i, name in enumerate(names):
        assert (changes[name], changes.standard_errors[name]) == (float(values[i]), float(errors[i]))
        assert type(changes[name]) is float
        assert changes.is_noise(name) == (abs(float(values[i])) <= 2 * float(errors[i]))


def test_what_is_not_known_is_not_called_noise() -> None:
    changes = Changes.of(["a"], np.array([0.0]), None)
    assert not changes.standard_errors
    assert not changes.is_noise("a")
    assert changes == {"a": 0.0}


def test_there_may_be_none() -> None:
    assert Changes.of([], np.zeros(0), None) == {}


def test_as_many_values_as_names() -> None:
    with pytest.raises(ValueError, match="zip"):
        Changes.of(["a", "b"], np.zeros(1), None)
