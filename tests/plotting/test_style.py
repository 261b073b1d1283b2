"""Words beside points and lines do not cover each other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from paretonav.plotting.style import colour, folded, marker, numbers, spread

LETTER, LINE = 0.08, 0.17  # inches


@given(places=arrays(float, st.tuples(st.integers(0, 30), st.just(2)), elements=st.floats(0, 6)))
def test_numbers_do_not_cover_each_other_and_none_is_forgotten(places):
    written = numbers(places, [str(i) for i in range(len(places))])
    boxes = [(*places[i], LETTER * len(text)) for i, text in written]
    for a, (x, y, width) in enumerate(boxes):
        for other_x, other_y, other_width in boxes[:a]:
            apart = x + width <= other_x or other_x + other_width <= x or abs(y - other_y) >= LINE
            assert apart
    if not any("…" in text for _, text in written):
        named = [int(number) for _, text in written for number in text.split(", ")]
        assert sorted(named) == list(range(len(places)))


def test_points_too_close_share_a_label():
    places = np.array([[0.0, 0.0], [1.0, 1.0], [0.01, 0.0], [0.5, 0.0]])
    assert numbers(places, "0123") == [(0, "0, 2"), (1, "1"), (3, "3")]


def test_a_crowd_is_not_counted_out():
    assert numbers(np.zeros((9, 2)), "012345678") == [(0, "0, 1, 2, 3, …")]


@given(
    heights=arrays(float, st.integers(0, 12), elements=st.floats(-100, 100)),
    gap=st.floats(0.01, 10),
)
def test_spread_heights_keep_their_order_and_distance_and_mean(heights, gap):
    moved = spread(heights, gap)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(moved[order]) >= gap - 1e-9).all()
    if len(heights):
        assert abs(moved.mean() - heights.mean()) < 1e-6


def test_what_is_far_apart_stays():
    heights = np.array([3.0, 1.0, 2.0, 9.0])
    np.testing.assert_allclose(spread(heights, 0.5), heights)
    np.testing.assert_allclose(spread(np.array([1.0, 1.0, 5.0]), 1.0), [0.5, 1.5, 5.0])


@given(st.text(st.characters(categories=["L", "N", "Zs"])), st.integers(2, 30), st.integers(1, 3))
def test_folded_names_keep_to_their_room_and_their_ends(name, letters, lines):
    rows = folded(name, letters, lines).split("\n")
    assert len(rows) <= lines
    assert all(len(row) <= letters for row in rows)
    if letters > 3 and name.strip() == name != "":
        assert rows[0][0] == name[0]
        assert rows[-1][-1] == name[-1]


def test_long_names_that_differ_at_their_end_do_so_when_folded():
    for name in (
        "expected calibration error of the largest group",
        "a_name_without_any_place_to_break_it_at",
    ):
        for lines in (1, 2, 3):
            assert folded(f"{name} 1", 12, lines) != folded(f"{name} 2", 12, lines)


def test_forty_positions_look_different():
    assert len({(colour(i), marker(i)) for i in range(40)}) == 40
