"""Options: distinct, possible, none better than another, and true."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.geometry import Anchor, FrontModel, Geometry, measure_front, tangent_at
from paretonav.steering.planning.options import _more_even, _not_dominated, options
from paretonav.steering.planning.plan import plan
from paretonav.steering.preferences.situation import situation

FEW = settings(max_examples=8, deadline=None, derandomize=True)


def point_of(m: int, seed: int) -> pn.Point:
    return pn.Navigator(pn.problems.quadratic(n=max(8, m), m=m, seed=seed)).start()


@pytest.mark.slow
@FEW
@given(st.integers(2, 8), st.integers(0, 1000))
def test_options_are_few_distinct_and_none_is_better_than_another(m: int, seed: int) -> None:
    here = point_of(m, seed)
    found = here.options(0.04)
    assert 2 <= len(found) <= 6
    sizes = np.array(list(here.losses.values()))
    changes = np.array([list(option.predicted.train.values()) for option in found]) / sizes
    assert (changes.min(axis=1) < 0).all()
    for i, a in enumerate(changes):
        for b in changes[:i]:
            assert np.linalg.norm(a - b) >= 0.1 * max(np.linalg.norm(a), np.linalg.norm(b))
            assert (a < b).any()
            assert (b < a).any()


def test_with_few_objectives_each_is_improved_in_turn() -> None:
    here = point_of(3, 1)
    found = here.options(0.03)
    assert [option.title for option in found][:3] == ["improve f1", "improve f2", "improve f3"]
    for option, name in zip(found, here.losses, strict=False):
        assert option.predicted.train[name] == pytest.approx(-0.03 * here.losses[name])
    titles = " ".join(option.title for option in found)
    assert "most for least" in titles or "more even" in titles


def test_the_exchange_is_the_best_of_all_pairs_of_the_cheapest() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=3, seed=4))
    here = nav.start()
    (exchange,) = [option for option in here.options(0.02) if option.title.startswith("most for least")]

    def ratio(predicted: dict[str, float]) -> float:
        relative = [change / here.losses[name] for name, change in predicted.items()]
        return -min(relative) / max(relative)

    for gains in here.losses:
        for held in here.losses:
            if gains != held:
                other = nav.preview(pn.Improve({gains: 1.0}, hold=[held]), 0.02)
                assert ratio(exchange.predicted.train) >= 0.98 * ratio(other.predicted.train)


def test_at_an_uneven_point_there_is_a_way_to_the_middle() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=3, seed=1))
    nav.start()
    nav.step(pn.Improve({"f1": 1.0}), 0.7 * nav.preview(pn.Improve({"f1": 1.0}), 1e-3).reach)
    (even,) = [option for option in nav.here.options() if option.title.startswith("more even")]
    assert even.predicted.train["f1"] > 0
    assert min(even.predicted.train.values()) < 0


def test_what_is_proposed_can_be_previewed_and_comes_true() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=3, seed=2))
    nav.start()
    before = nav.problem.cost
    found = nav.here.options(0.03)
    assert nav.problem.cost == before
    for option in found:
        nav.go_to(0)
        assert nav.preview(option.preference, option.amount).predicted.train == pytest.approx(
            option.predicted.train
        )
        step = nav.step(option.preference, option.amount)
        assert step.status is pn.StepStatus.ACCEPTED
        largest = max(map(abs, option.predicted.train.values()))
        assert step.achieved.train == pytest.approx(option.predicted.train, abs=0.02 * largest)


def test_what_reaches_less_far_is_proposed_as_far_as_it_goes() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=2, seed=0))
    nav.start()
    reach = nav.preview(pn.Improve({"f1": 1.0}), 1e-3).reach
    found = {option.title: option for option in nav.here.options(min(0.99, 1.5 * reach))}
    assert found["improve f1"].amount == pytest.approx(0.95 * reach, rel=1e-2)
    nav.step(pn.Aim({"f1": -1.0}))  # to the end: there is nothing left of it
    assert [option.title for option in nav.here.options()] == ["improve f2"]


def test_many_objectives_have_a_menu_that_can_be_read() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=24, m=16, seed=0))
    assert 3 <= len(nav.start().options()) <= 6


def test_an_amount_that_means_nothing_is_refused() -> None:
    with pytest.raises(pn.PreferenceError, match="amount"):
        point_of(2, 0).options(-1.0)


def test_of_two_options_the_one_that_is_worse_in_all_is_left_out() -> None:
    def option(*relative: float) -> Any:
        return SimpleNamespace(relative=np.array(relative))

    good, worse, other = option(-0.05, 0.02), option(-0.04, 0.03), option(0.03, -0.05)
    assert _not_dominated([good, worse, other]) == [good, other]
    assert _not_dominated([good, good]) == [good, good]


def around_a_held_model(m: int, seed: int) -> FrontModel:
    """With as many ways as losses, some of which are better in all losses than others."""
    rng = np.random.default_rng(seed)
    return FrontModel(
        names=tuple(f"f{i + 1}" for i in range(m)),
        losses=rng.uniform(0.5, 2, m),
        weights=np.full(m, 1 / m),
        weight_basis=np.eye(m),
        response=rng.normal(size=(m, m)) + 0.5,
        bend=np.zeros((m, m, m)),
        curvature=np.eye(m),
        validation_losses=None,
        validation_response=None,
        box=(np.zeros((0, m)), np.zeros(0), np.zeros(0, dtype=np.int64)),
        joint_gain=0.0,
        residual=0.0,
        anchor=Anchor(0.01, 0.01, ""),
    )


@pytest.mark.parametrize("m", [2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_around_a_held_model_too_none_is_better_than_another_in_all(m: int, seed: int) -> None:
    front = around_a_held_model(m, seed)
    changes = [np.array(list(option.predicted.train.values())) for option in options(front, 0.05)]
    assert changes
    for one in changes:
        for other in changes:
            assert one is other or (one < other).any()


@pytest.mark.parametrize("pays", [2.0, 3.0, 5.0])
def test_no_option_goes_beyond_what_the_model_knows(pays: float) -> None:
    """What is beyond is a guess: there a loss would more than double."""
    front = replace(
        around_a_held_model(2, 0),
        losses=np.ones(2),
        response=np.array([[1.0], [-pays]]),
        bend=np.zeros((2, 1, 1)),
        weight_basis=np.ones((2, 1)),
        curvature=np.eye(1),
        box=(np.zeros((0, 1)), np.zeros(0), np.zeros(0, dtype=np.int64)),
    )
    assert plan(front, pn.Improve({"f1": 1.0}).wish(situation(front)), 0.9).modelled < 1
    (first, _) = options(front, 0.9)
    assert first.title == "improve f1"
    assert 0.8 / pays <= first.amount <= 1 / pays
    assert 0.8 <= first.predicted.train["f2"] <= 1


@pytest.mark.parametrize("m", [3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_who_is_said_to_pay_does(m: int, seed: int) -> None:
    front = around_a_held_model(m, seed)
    for option in options(front, 0.05):
        if option.title.startswith("most for least"):
            payer = option.title.rpartition("paid by ")[2]
            assert option.predicted.train[payer] > 0


def test_of_many_objectives_those_that_do_different_things_are_improved() -> None:
    """Three do the same as the first; there is no need to propose it four times and to leave others out."""
    front = around_a_held_model(8, 0)
    response = np.eye(8) - 0.1
    response[5:] = response[0] + 0.01 * np.arange(3)[:, None]
    front = replace(front, response=response, losses=np.ones(8))
    titles = {option.title for option in options(front, 0.05)}
    assert {f"improve f{i}" for i in range(2, 6)} <= titles


@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_units_make_no_difference_to_what_is_proposed(scale: float) -> None:
    def found(scale: float) -> list[tuple[str, float]]:
        problem = pn.problems.quadratic(n=8, m=3, seed=1)
        units = torch.tensor([scale, 1.0, 1.0], dtype=torch.float64)
        weights = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
        other = pn.FunctionProblem(lambda x: units * problem.fn(x), problem.parameters())
        tangent = tangent_at(other, problem.pareto_point(weights), weights / units / (weights / units).sum())
        front = measure_front(other, tangent, Geometry())
        return [(each.title, each.predicted.train["f1"] / scale) for each in options(front, 0.03)]

    plain, scaled = found(1.0), found(scale)
    assert len(plain) >= 3
    assert [title for title, _ in scaled] == [title for title, _ in plain]
    assert [change for _, change in scaled] == pytest.approx([change for _, change in plain], rel=1e-2)


@FEW
@given(st.integers(2, 5), st.integers(0, 1000))
def test_what_makes_them_more_even_is_in_parts_of_their_ranges(m: int, seed: int) -> None:
    """From the best to the worst of where each is here and at the ends of the others' ways."""
    front = around_a_held_model(m, seed)
    factor = np.random.default_rng(seed).normal(size=(m, m, 2 * m))
    front = replace(front, bend=factor @ factor.transpose(0, 2, 1) / (2 * m))
    outcomes = [front.losses]
    for i, ray in enumerate(front.response):  # the curvature is the identity
        turn = (front.response[i] @ ray) / (ray @ front.bend[i] @ ray)  # where it falls no further
        outcomes.append(front.losses - turn * front.response @ ray + 0.5 * turn**2 * (front.bend @ ray @ ray))
    best, worst = np.min(outcomes, axis=0), np.max(outcomes, axis=0)
    position = (front.losses - best) / (worst - best)
    assume(np.ptp(position) > 0.11)
    relative = -(position - position.mean()) * (worst - best) / front.losses
    (preference,) = [preference for _, preference in _more_even(front, ())]
    assert isinstance(preference, pn.Direction)
    changes = np.array([preference.changes.get(name, np.nan) for name in front.names])
    np.testing.assert_allclose(changes, relative / np.abs(relative).max(), atol=2e-3)
