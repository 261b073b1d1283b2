"""Points that lie evenly along known fronts, however they are asked for, broken off and gone on with."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.two_regressions import two_regressions
from torch import Tensor

import paretonav as pn
from paretonav.objectives import watch
from paretonav.problems.quadratic import Quadratic

FEW = settings(max_examples=5)


def on_the_front(seed: int, m: int = 2) -> tuple[Quadratic, Tensor]:
    """A convex quadratic, and a point on its front."""
    problem = pn.problems.quadratic(n=6, m=m, seed=seed)
    return problem, problem.pareto_point(torch.full((m,), 1 / m, dtype=torch.float64))


def started(problem: pn.Problem, **options: object) -> pn.Navigator:
    nav = pn.Navigator(problem, **options)  # type: ignore[arg-type]
    nav.start()
    return nav


def outcomes(cover: pn.Cover) -> np.ndarray:
    return np.array([list(losses.values()) for losses in cover.losses])


def ends_of(problem: Quadratic) -> np.ndarray:
    """[m, m], the outcome that is best in each objective."""
    best = [problem.pareto_point(row) for row in torch.eye(problem.m, dtype=torch.float64)]
    return np.stack([problem.evaluate(x).mean.numpy() for x in best])


@pytest.mark.slow
@FEW
@given(st.integers(0, 1000), st.integers(3, 9))
def test_points_lie_evenly_from_one_end_of_the_front_to_the_other(seed: int, count: int) -> None:
    problem, _ = on_the_front(seed)
    nav = started(problem)
    cover = nav.cover(count)
    assert cover.complete
    assert len(cover.points) == count
    assert cover.unevenness < 1.25
    assert cover.steps <= count + 3
    assert not cover.gaps
    assert not cover.unreached
    found, ends = outcomes(cover), ends_of(problem)
    assert (np.diff(found[:, 0]) > 0).all()
    span = np.ptp(ends, axis=0)
    assert np.abs((found[[0, -1]] - ends) / span).max() < 5e-3
    assert max(abs(problem.front_distance(torch.from_numpy(f))) for f in found) < 1e-6
    # Against the front itself, whatever the curve that was made of it.
    weights = np.linspace(0, 1, 400)
    points = [problem.pareto_point(torch.tensor([1 - w, w], dtype=torch.float64)) for w in weights]
    front = np.stack([problem.evaluate(x).mean.numpy() for x in points]) / span
    arc = np.concatenate([[0], np.linalg.norm(np.diff(front, axis=0), axis=1).cumsum()])
    places = [arc[np.linalg.norm(front - f / span, axis=1).argmin()] for f in found]
    gaps = np.abs(np.diff(places))
    assert gaps.max() < 1.3 * gaps.mean()


@pytest.mark.slow
@FEW
@given(st.integers(0, 1000), st.floats(0.001, 1000), st.booleans())
def test_units_and_order_of_the_losses_do_not_matter(seed: int, unit: float, turned: bool) -> None:
    problem, x = on_the_front(seed)
    units = torch.tensor([1.0, unit], dtype=torch.float64)
    order = [1, 0] if turned else [0, 1]
    plain = started(pn.FunctionProblem(problem.fn, x)).cover(5)
    other = started(pn.FunctionProblem(lambda x: (units * problem.fn(x))[order], x)).cover(5)
    found = outcomes(other)[:, order] / units.numpy()
    span = np.ptp(ends_of(problem), axis=0)
    expected = outcomes(plain)
    found = found[::-1] if turned else found
    assert np.abs((found - expected) / span).max() < 0.05  # a tenth of a gap is near enough to be taken


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_nor_do_they_with_three_objectives(seed: int) -> None:
    problem, x = on_the_front(seed, m=3)
    units, order = torch.tensor([0.01, 3.0, 20.0], dtype=torch.float64), [2, 0, 1]
    plain = started(pn.FunctionProblem(problem.fn, x)).cover(7)
    other = started(pn.FunctionProblem(lambda x: units * problem.fn(x)[order], x)).cover(7)
    found = np.zeros((7, 3))
    found[:, order] = outcomes(other) / units.numpy()
    span = np.ptp(ends_of(problem), axis=0)
    apart = np.linalg.norm((outcomes(plain)[:, None] - found) / span, axis=2)
    assert apart.min(axis=0).max() < 0.05
    assert apart.min(axis=1).max() < 0.05


@pytest.mark.slow
@settings(max_examples=4)
@given(st.integers(0, 1000))
def test_more_objectives_are_covered_without_holes(seed: int) -> None:
    problem, _ = on_the_front(seed, m=3)
    nav = started(problem)
    cover = nav.cover(10)
    assert cover.complete
    found, ends = outcomes(cover), ends_of(problem)
    span = np.ptp(ends, axis=0)
    assert max(abs(problem.front_distance(torch.from_numpy(f))) for f in found) < 1e-6
    generator = np.random.default_rng(0)
    weights = torch.from_numpy(generator.dirichlet(np.ones(3), 200))
    front = np.stack([problem.evaluate(problem.pareto_point(w)).mean.numpy() for w in weights])
    holes = np.linalg.norm((front[:, None] - found) / span, axis=2).min(axis=1)
    assert holes.max() < 0.5  # of the ranges; the front is about one and a half across
    assert min(cover.spacing) > 0.1


@pytest.mark.slow
@FEW
@given(st.integers(0, 1000))
def test_a_cover_within_bounds_has_no_point_beyond_them(seed: int) -> None:
    problem, _ = on_the_front(seed)
    nav = started(problem)
    start, ends = nav.here.losses, ends_of(problem)
    bound = 0.5 * (start["f2"] + ends[0, 1])
    cover = nav.cover(5, allow={"f2": bound})
    found = outcomes(cover)
    assert cover.complete
    assert (found[:, 1] <= bound * (1 + 1e-9)).all()
    assert found[0, 1] > 0.98 * bound  # and goes up to it
    assert cover.unevenness < 1.25
    wide = nav.cover(5)
    assert wide.complete
    assert np.abs(outcomes(wide)[0] - ends[0]).max() < 5e-3 * np.ptp(ends, axis=0).max()


def test_what_is_there_is_used() -> None:
    nav = started(on_the_front(1)[0])
    first = nav.cover(5)
    points = len(nav.records)
    again = nav.cover(5)
    assert again.points == first.points
    assert again.steps == 0
    assert len(nav.records) == points
    fewer = nav.cover(3)
    assert fewer.steps == 0
    assert set(fewer.points) < set(first.points)
    more = nav.cover(9)
    assert set(first.points) <= set(more.points)
    assert more.steps <= 5


def test_one_is_where_one_was_and_the_points_are_ordinary_ones() -> None:
    nav = started(on_the_front(2)[0])
    nav.step(pn.Improve({"f1": 1.0}), 0.1)
    before, parameters = nav.here.id, nav.problem.parameters()
    cover = nav.cover(4)
    assert nav.here.id == before == nav.session.current.id  # type: ignore[union-attr]
    assert torch.equal(nav.problem.parameters(), parameters)
    made = [nav.records[i] for i in cover.points if i > before]
    assert made
    assert all(isinstance(record.preference, pn.Aim) and record.parent is not None for record in made)
    nav.go_to(made[0].id)
    assert nav.undo().id == made[0].parent


@pytest.fixture(scope="module")
def whole() -> pn.Cover:
    """Of six points, made at once."""
    return started(on_the_front(3)[0]).cover(6)


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_cover_that_is_cancelled_keeps_its_points_and_goes_on_from_them(
    after: int, whole: pn.Cover
) -> None:
    nav = started(on_the_front(3)[0])
    cancel = threading.Event()

    def stop(_: pn.Event) -> None:
        if len(nav.records) > after:
            cancel.set()

    with pytest.raises(pn.Cancelled):
        nav.cover(6, on_event=stop, cancel=cancel)
    assert after < len(nav.records) <= after + 2
    assert nav.here.id == 0
    assert torch.equal(nav.problem.parameters(), nav.here.parameters)
    there = len(nav.records)
    cover = nav.cover(6)
    assert cover.steps == whole.steps - (there - 1)
    assert np.allclose(outcomes(cover), outcomes(whole), rtol=1e-6, atol=1e-9)


def test_a_resumed_session_goes_on(tmp_path: Path) -> None:
    nav = started(on_the_front(4)[0], session=tmp_path / "s")
    cancel = threading.Event()

    def stop(_: pn.Event) -> None:
        if len(nav.records) > 3:
            cancel.set()

    with pytest.raises(pn.Cancelled):
        nav.cover(6, on_event=stop, cancel=cancel)
    there = len(nav.records)
    nav.session.close()
    resumed = started(on_the_front(4)[0], session=tmp_path / "s")
    cover = resumed.cover(6)
    assert cover.complete
    assert cover.steps <= 6 + 1 - there
    resumed.session.close()
    assert started(on_the_front(4)[0], session=tmp_path / "s").cover(6).steps == 0


def test_events_rise_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_INTERVAL", 0.0)
    nav, told = started(on_the_front(5)[0]), []
    nav.cover(5, on_event=told.append)
    fractions = [event.fraction for event in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert fractions.count(1) == 1
    assert len({round(fraction, 1) for fraction in fractions}) > 5


def test_one_point_is_the_current_one_and_takes_no_step() -> None:
    nav = started(on_the_front(6)[0])
    nav.step(pn.Improve({"f1": 1.0}), 0.1)
    cover = nav.cover(1)
    assert cover.points == (1,)
    assert cover.complete
    assert cover.steps == 0
    assert np.isnan(cover.unevenness)


def test_two_points_are_the_ends() -> None:
    problem = on_the_front(7)[0]
    assert np.abs(outcomes(started(problem).cover(2)) - ends_of(problem)).max() < 1e-2


@pytest.mark.parametrize("count", [0, -1, 2.5, True, "3", None])
def test_an_impossible_number_is_refused(count: object) -> None:
    with pytest.raises(pn.NavigationError, match="give a positive integer"):
        started(on_the_front(0)[0]).cover(count)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"allow": {"f9": 1.0}}, "no objective or metric 'f9'; there are f1 and f2"),
        ({"allow": {"f1": "much"}}, "'much' for 'f1' in allow is not a number"),
        ({"on": "validation"}, "no validation losses to ask for here"),
        ({"on": "test"}, "on='test' names no data"),
        ({"units": "metres"}, "units='metres' is unknown"),
    ],
)
def test_terms_that_make_no_sense_are_refused_before_any_step(
    options: dict[str, object], message: str
) -> None:
    nav = started(on_the_front(0)[0])
    with pytest.raises(pn.PreferenceError, match=message):
        nav.cover(3, **options)  # type: ignore[arg-type]
    assert len(nav.records) == 1


def test_bounds_that_no_point_keeps_give_an_empty_cover_that_says_so() -> None:
    cover = started(on_the_front(0)[0]).cover(3, allow={"f1": -1.0})
    assert cover.points == ()
    assert not cover.complete
    assert cover.unreached[-1].outcome == {"f1": -1.0}
    assert "out of reach" in cover.unreached[-1].reason
    assert "Cover of 0 of 3 points" in repr(cover)


def test_bounds_are_gone_to_where_the_start_is_beyond_them() -> None:
    problem, _ = on_the_front(1)
    nav = started(problem)
    bound = 0.5 * nav.here.losses["f1"]
    cover = nav.cover(4, allow={"f1": bound})
    assert cover.complete
    assert (outcomes(cover)[:, 0] <= bound * (1 + 1e-9)).all()


def test_it_needs_a_start_and_a_predictor_that_promises() -> None:
    with pytest.raises(pn.NavigationError, match="call start"):
        pn.Navigator(on_the_front(0)[0]).cover(3)
    published = started(on_the_front(0)[0], predictor=pn.ppe()["predictor"])
    with pytest.raises(pn.NavigationError, match="a cover needs a predictor that goes to outcomes"):
        published.cover(3)


@pytest.mark.slow
def test_a_front_in_pieces_is_covered_where_one_can_go_and_the_gap_is_told() -> None:
    problem = pn.problems.dtlz(7, m=2)
    nav = started(problem)
    cover = nav.cover(7)
    assert len(cover.points) == 7
    assert cover.gaps
    assert "no walk leads from point" in repr(cover)
    found = outcomes(cover)
    assert cover.unevenness < 1.4
    ids = [chart.point for chart in nav.map().charts]
    assert all(point in ids for gap in cover.gaps for point in gap)
    assert (np.diff(found[:, 0]) > 0).all()


@pytest.mark.slow
def test_a_model_that_is_held_is_covered_within_twice_its_losses() -> None:
    nav = started(two_regressions((0.5, 0.5)))
    start = nav.here.validation
    cover = nav.cover(5)
    assert cover.complete
    assert cover.unevenness < 1.4
    found = outcomes(cover)
    assert (found <= 2 * np.array(list(start.values())) * (1 + 1e-9)).all()
    assert (found.min(axis=0) < 0.75 * np.array(list(start.values()))).all()
    assert np.allclose(found, [list(nav.records[i].validation.values()) for i in cover.points])
    assert cover.allow == {name: 2 * loss for name, loss in start.items()}
    assert nav.cover(5).steps == 0


@pytest.mark.slow
def test_training_losses_can_be_meant() -> None:
    nav = started(two_regressions((0.5, 0.5)))
    cover = nav.cover(3, on="train")
    assert cover.complete
    assert np.allclose(outcomes(cover), [list(nav.records[i].losses.values()) for i in cover.points])
    assert all(nav.records[i].on == "train" for i in cover.points if i)


@pytest.mark.parametrize("units", ["relative", "absolute"])
def test_distances_can_be_counted_otherwise(units: str) -> None:
    problem, x = on_the_front(8)
    scale = torch.tensor([1.0, 10.0], dtype=torch.float64)
    nav = started(pn.FunctionProblem(lambda x: scale * problem.fn(x), x))
    cover = nav.cover(5, units=units)  # type: ignore[arg-type]
    assert cover.complete
    assert cover.unevenness < 1.25
    sizes = np.array(list(nav.records[0].losses.values())) if units == "relative" else np.ones(2)
    chords = np.linalg.norm(np.diff(outcomes(cover) / sizes, axis=0), axis=1)
    assert chords.sum() <= sum(cover.spacing) < 1.2 * chords.sum()


def test_a_step_that_breaks_off_leaves_everything_in_its_place() -> None:
    problem, x = on_the_front(9)
    broken = False

    def values(x: Tensor) -> Tensor:
        if broken:
            raise RuntimeError("no more")
        return problem.fn(x)

    nav = started(pn.FunctionProblem(values, x))

    def break_the_third(_: pn.Event) -> None:
        nonlocal broken
        broken = len(nav.records) == 3

    with pytest.raises(pn.ProblemError, match="no more"):
        nav.cover(5, on_event=break_the_third)
    broken = False
    assert nav.here.id == 0
    assert len(nav.records) == 3
    assert torch.equal(nav.problem.parameters(), nav.here.parameters)
    assert nav.cover(5).complete


def test_a_step_that_is_refused_is_told_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    nav = started(on_the_front(9)[0])
    real, calls = nav._step, []

    def refusing(here: pn.Point, asked: pn.Aim, amount: float | None, *, last: bool) -> pn.Step:
        if len(asked.target) == 2:
            calls.append((here.id, tuple(asked.target.values())))
            raise pn.NonFiniteError("a loss is not finite there")
        return real(here, asked, amount, last=last)

    monkeypatch.setattr(nav, "_step", refusing)
    cover = nav.cover(5)
    assert 2 <= len(cover.points) < 5
    assert cover.unreached[0].reason == "a loss is not finite there"
    assert len(calls) == len(set(calls))
    once = len(calls)
    nav.cover(5)
    assert len(calls) == once
