"""Non-dominated points against all pairs, hypervolumes against another library and against plain counting."""

from dataclasses import replace

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pymoo.indicators.hv import HV

import paretonav as pn
from paretonav.dominance import non_dominated
from paretonav.session import Journal, fronts
from paretonav.session.fronts import default_reference, hypervolume
from paretonav.steering import Estimates

few_values = st.integers(0, 4).map(float)  # so that ties and duplicates are frequent
clouds = st.integers(1, 5).flatmap(
    lambda m: arrays(np.float64, st.tuples(st.integers(0, 12), st.just(m)), elements=few_values)
)


def dominated(row: np.ndarray, others: np.ndarray) -> bool:
    return any((other <= row).all() and (other < row).any() for other in others)


@given(clouds)
def test_non_dominated_is_what_all_pairs_say(losses: np.ndarray) -> None:
    expected = [not dominated(row, losses) for row in losses]
    assert non_dominated(losses).tolist() == expected


def test_what_is_not_finite_is_never_on_the_front() -> None:
    losses = np.array([[np.nan, 0.0], [1.0, 1.0], [-np.inf, 5.0], [2.0, 2.0]])
    assert non_dominated(losses).tolist() == [False, True, False, False]


@given(clouds)
def test_the_hypervolume_is_the_number_of_cells_below_the_reference(losses: np.ndarray) -> None:
    """On whole numbers the dominated region is made of unit cells, which can be counted."""
    m, top = losses.shape[1], 4
    cells = np.stack(np.meshgrid(*[np.arange(top)] * m, indexing="ij"), axis=-1).reshape(-1, m)
    expected = sum(any((row <= cell).all() for row in losses) for cell in cells)
    assert hypervolume(losses, np.full(m, float(top))) == pytest.approx(expected)


@pytest.mark.parametrize("m", [2, 3, 4, 6])
def test_the_hypervolume_is_that_of_another_library(m: int) -> None:
    losses = np.random.default_rng(m).uniform(size=(40, m))
    reference = np.full(m, 0.9)
    assert hypervolume(losses, reference) == pytest.approx(float(HV(ref_point=reference)(losses)), rel=1e-10)


def test_what_would_take_long_is_approximated(monkeypatch: pytest.MonkeyPatch) -> None:
    directions = np.abs(np.random.default_rng(0).normal(size=(20, 6)))
    losses = 1 - directions / np.linalg.norm(directions, axis=1, keepdims=True) / 2
    exact = hypervolume(losses, np.ones(6))
    assert exact == pytest.approx(moocore.hypervolume(losses, ref=np.ones(6)), rel=1e-12)
    monkeypatch.setattr(fronts, "_EXACT", 1.0)
    assert hypervolume(losses, np.ones(6)) != exact
    assert hypervolume(losses, np.ones(6)) == pytest.approx(exact, rel=2e-3)


def test_the_default_reference_is_beyond_the_worst() -> None:
    losses = np.array([[1.0, 5.0, 0.0], [3.0, 5.0, 0.0], [np.nan, 9.0, 9.0]])
    assert default_reference(losses).tolist() == pytest.approx([3.2, 5.5, 0.1])


@pytest.fixture
def session(walked: pn.Session) -> pn.Session:
    """Four points with losses that are easy to look through."""
    values = [((0, 3), (3, 0)), ((1, 1), (1, 2)), ((1, 1), (2, 2)), ((2, 3), (0, 3))]
    session = pn.Session()
    for record, (train, validation) in zip(walked, values, strict=True):
        changed = replace(
            record,
            values=replace(
                record.values,
                train=Estimates(dict(zip("ab", map(float, train), strict=True))),
                validation=Estimates(dict(zip("ab", map(float, validation), strict=True))),
            ),
        )
        Journal(session).add(changed, walked.point(record.id), Journal(walked).tangent(record.id))
    return session


def test_the_front_of_a_session(session: pn.Session) -> None:
    ids = {
        split: [r.id for r in session.non_dominated(split=split)] for split in (None, "train", "validation")
    }
    assert ids == {None: [0, 1, 3], "train": [0, 1, 2], "validation": [0, 1, 3]}
    assert pn.Session().non_dominated() == ()


def test_the_hypervolume_of_a_session(session: pn.Session) -> None:
    assert session.hypervolume({"b": 3, "a": 3}, split="train") == 4
    assert session.hypervolume([3, 3], point_ids=[0], split="train") == 0
    # With a reference of its own every point counts: 3.3 and 3.3.
    assert session.hypervolume(point_ids=[1]) == pytest.approx(2.3 * 1.3)
    assert session.hypervolume() == pytest.approx(2.3 * 1.3 + 0.3 * 2 + 1 * 0.3)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ({"a": 1}, "give a number for each of"),
        ([1, 2, 3], "give a finite number"),
        ([1, float("nan")], "give a finite number"),
        (["x", 1], "give a finite number"),
    ],
)
def test_references_that_do_not_fit(session: pn.Session, reference: object, says: str) -> None:
    with pytest.raises(pn.SessionError, match=says):
        session.hypervolume(reference)  # type: ignore[arg-type]


def test_splits_and_points_that_are_not_there(session: pn.Session) -> None:
    with pytest.raises(pn.SessionError, match="choose 'train' or 'validation'"):
        session.non_dominated(split="test")
    with pytest.raises(pn.SessionError, match="no point 4"):
        session.hypervolume(point_ids=[4])
    with pytest.raises(pn.SessionError, match="no point yet"):
        pn.Session().hypervolume()
    function = pn.Navigator(pn.problems.quadratic(n=5, m=2))
    function.start()
    with pytest.raises(pn.SessionError, match="no validation losses"):
        function.session.non_dominated(split="validation")
