"""Absolute values near zero, against differences."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from paretonav.geometry.corner import Corner

SIZES = st.lists(st.floats(0, 1), min_size=4, max_size=4)
CORNER = Corner(np.array([True, False, True, False]))


@settings(deadline=None, derandomize=True)
@given(SIZES, st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_a_size_changes_as_the_signed_value_and_nothing_else_is_turned(
    values: list[float], smooth: list[float]
) -> None:
    before, by = np.array(values), np.array(smooth)
    after = before + CORNER.changes(before, by)
    np.testing.assert_allclose(after, np.where(CORNER.at_zero, np.abs(before + by), before + by), atol=1e-15)
    np.testing.assert_array_equal(CORNER[1:].changes(before[1:], by[1:]), CORNER.changes(before, by)[1:])


def test_slopes_are_the_derivatives_on_either_side_of_zero() -> None:
    values, along, h = np.full(4, 0.3), np.array([[-1.0, 2.0], [0.5, 1.0], [-2.0, -0.1], [-1.0, 1.0]]), 1e-6
    for c in np.array([[0.0, 0.0], [0.1, 0.0], [0.5, 0.0], [0.0, -0.4], [1.0, 3.0], [0.2, 4.0]]):
        found = CORNER.slopes(values, along @ c, along)
        for k, e in enumerate(h * np.eye(2)):
            ahead, back = (CORNER.changes(values, along @ (c + s * e)) for s in (1, -1))
            np.testing.assert_allclose(found[:, k], (ahead - back) / (2 * h), rtol=1e-6, atol=1e-8)


def test_at_zero_itself_slopes_are_those_on_the_side_of_the_value() -> None:
    values, smooth, slopes = np.zeros(4), np.zeros(4), np.ones((4, 1))
    np.testing.assert_array_equal(CORNER.slopes(values, smooth, slopes), slopes)
    np.testing.assert_array_equal(CORNER.slopes(values, smooth - 1e-9, slopes)[:, 0], [-1, 1, -1, 1])
