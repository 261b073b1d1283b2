"""Wishes beyond what is known of the losses around a model that is held where it is."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from tests.two_regressions import two_regressions

import paretonav as pn
from paretonav.geometry import Geometry, measure_front, tangent_at
from paretonav.geometry.front import FrontModel
from paretonav.steering.planning.plan import Plan, plan, reach
from paretonav.steering.planning.reasons import why_limited
from paretonav.steering.preferences import Preference, Wish
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.correctors import Newton
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.predictors import ObjectiveSpace
from paretonav.steering.stepping.to_target import ToTarget
from paretonav.steering.stepping.trust import Trust
from paretonav.steering.stepping.walk import walk
from paretonav.terminal.views import preview_view

FAR = [  # training weights, noise, what is to improve, by how much
    ((1.0, 1.0), 0.1, "first", 0.4),
    ((1.0, 1.0), 1.0, "first", 0.2),
    ((1.0, 0.2), 1.0, "second", 0.4),
]


def started(weights: tuple[float, float] = (1.0, 1.0), noise: float = 0.1) -> pn.Navigator:
    nav = pn.Navigator(two_regressions(weights, noise))
    nav.start()
    return nav


def wish_of(front: FrontModel, preference: Preference) -> Wish:
    return preference.wish(situation(front))


@pytest.fixture(scope="module")
def front() -> FrontModel:
    return started().here.front


@pytest.mark.parametrize(("weights", "noise", "name", "amount"), FAR)
def test_what_is_beyond_the_first_model_is_reached_in_several_legs(
    weights: tuple[float, float], noise: float, name: str, amount: float
) -> None:
    nav = started(weights, noise)
    before = nav.here.validation
    assert before is not None
    wish = pn.Improve({name: 1.0})
    preview = nav.preview(wish, amount)
    assert 0.1 < preview.modelled < 1
    assert not preview.trusted
    assert preview.reach == pytest.approx(preview.modelled * amount / 0.9, rel=1e-3)
    step = nav.step(wish, amount)
    assert step.status is pn.StepStatus.ACCEPTED
    assert step.legs > 1
    known = 100 * preview.modelled * amount
    assert f"it took {step.legs} legs, and beyond {known:.2g} % the prediction was a guess" in step.reason
    after = nav.problem.evaluate(nav.problem.parameters(), "validation").mean
    place = nav.problem.names.index(name)
    assert float(after[place]) == pytest.approx((1 - amount) * before[name], abs=0.02 * amount * before[name])


def test_within_the_model_nothing_is_a_guess() -> None:
    nav = started()
    wish = pn.Improve({"first": 1.0})
    amount = 0.8 * nav.preview(wish, 0.01).reach
    preview = nav.preview(wish, amount)
    assert preview.modelled == 1
    assert "guess" not in nav.step(wish, amount).reason


def test_a_walk_that_ends_early_says_what_ends_it() -> None:
    nav = started((1.0, 0.05), 1.0)
    wish, asked = pn.Improve({"first": 1.0}), 0.2
    start = nav.here.validation
    step = nav.step(wish, asked)
    assert step.status is pn.StepStatus.SHORTENED
    assert "on validation data, no way from here is known to take first further" in step.reason
    assert start is not None
    gained = 1 - nav.here.validation["first"] / start["first"]
    assert 0.1 * asked < gained < asked
    # Which is so: from there, too, hardly anything is left.
    assert nav.preview(wish, 1e-4).reach < 0.4 * asked


@pytest.mark.parametrize("amount", [0.4, 0.7])
def test_what_a_walk_pays_beyond_the_model_is_not_much_more_than_was_guessed(amount: float) -> None:
    """The rest is taken back: nobody has seen that price."""
    nav = started((1.0, 1.0), 0.5)
    before = nav.here.validation
    step = nav.step(pn.Improve({"first": 1.0}), amount)
    assert step.status is not pn.StepStatus.REJECTED
    assert ("a guess" in step.reason) == (step.legs > 1)
    guessed, came = step.predicted.validation, step.achieved.validation
    assert guessed is not None
    assert came is not None
    assert before is not None
    largest = max(abs(guessed[name]) / before[name] for name in before)
    assert (came["second"] - guessed["second"]) / before["second"] <= 0.5 * largest + 1e-9


@settings(max_examples=25)
@given(st.sampled_from(["first", "second"]), st.floats(1.05, 7.0), st.floats(0.01, 1.0))
def test_beyond_the_model_prices_grow_with_the_square(
    front: FrontModel, name: str, times: float, share: float
) -> None:
    wish = wish_of(front, pn.Improve({name: 1.0}))
    amount = times * reach(front, wish)
    if amount >= 1:
        return
    made = plan(front, wish, amount)
    assert made.modelled == pytest.approx(0.9 / times, rel=1e-3)
    assert made.end
    known = made.share(front, made.modelled)
    assert known.modelled == 1
    assert made.changes == pytest.approx(guessed(known.changes, 1 / made.modelled, wish.named[0]))
    assert made.predicted.train == pytest.approx(
        guessed(known.predicted.train, 1 / made.modelled, wish.named[0])
    )
    # What is known is the plan for that much, and what is asked for is promised in full.
    direct = plan(front, wish, made.modelled * amount)
    assert direct.changes == pytest.approx(known.changes, rel=1e-6)
    assert made.changes[wish.named] == pytest.approx(wish.changes(amount), rel=1e-6)
    part = made.share(front, share)
    assert part.amount == pytest.approx(share * amount)
    assert part.coordinates == pytest.approx(share * made.coordinates)
    assert part.modelled == pytest.approx(min(1.0, made.modelled / share))
    if part.modelled < 1:
        assert part.changes == pytest.approx(guessed(known.changes, share / made.modelled, wish.named[0]))


def guessed(changes: np.ndarray, times: float, named: int) -> np.ndarray:
    """What is paid grows with the square, what is gained besides does not go on."""
    grown = np.where(changes > 0, times**2 * changes, changes)
    grown[named] = times * changes[named]
    return grown


def test_less_than_a_tenth_is_refused_and_so_is_more_than_there_is(front: FrontModel) -> None:
    wish = wish_of(front, pn.Improve({"second": 1.0}))
    with pytest.raises(pn.InfeasiblePreferenceError) as beyond_zero:
        plan(front, wish, 1.1)
    assert beyond_zero.value.reach == pytest.approx(reach(front, wish), rel=1e-3)
    assert "nothing to trade" not in str(beyond_zero.value)
    bent = replace(front, validation_bend=30 * np.asarray(front.validation_bend))
    with pytest.raises(
        pn.InfeasiblePreferenceError, match=r"on validation data.*nothing to trade"
    ) as refused:
        plan(bent, wish, 0.9)
    assert 0 < refused.value.reach < 0.1


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 1e-6)])
@pytest.mark.parametrize("split", ["validation", "train"])
def test_refusals_of_held_models_name_the_data_and_no_edge(weights: tuple[float, float], split: str) -> None:
    here = started(weights).here.front.on("train" if split == "train" else "validation")
    where = "validation" if split == "validation" else "training"
    for preference in (
        pn.Improve({"first": 1.0}),
        pn.Improve({"second": 1.0}),
        pn.Improve({"first": 1.0}, allow={"second": 1.001 * here.values[1]}),
    ):
        wish = wish_of(here, preference)
        limit = reach(here, wish)
        reason = why_limited(here, wish, limit, np.zeros(here.dimensions))
        assert reason.startswith((f"on {where} data, ", "the bound on"))
        assert "front" not in reason


def test_options_are_no_guesses() -> None:
    nav = started((1.0, 1.0), 1.0)
    far = 0.3
    assert nav.preview(pn.Improve({"first": 1.0}), far).modelled < 1
    for option in nav.here.options(far):
        assert nav.preview(option.preference, option.amount).modelled == 1


class Refusing(ObjectiveSpace):
    """Plans nothing from anywhere on the way."""

    def plan(self, front: FrontModel, tangent: object, wish: Wish, amount: float) -> Plan:
        raise pn.InfeasiblePreferenceError("no", reason="here it ends", reach=0.0)


@pytest.mark.parametrize(("share", "kept"), [(0.05, False), (0.2, True)])
def test_a_walk_that_comes_to_next_to_nothing_is_none(share: float, kept: bool) -> None:
    problem = pn.problems.quadratic(20, 2, seed=3)
    weights = torch.full((2,), 0.5, dtype=torch.float64)
    tangent = tangent_at(problem, problem.pareto_point(weights), weights)
    here = measure_front(problem, tangent, Geometry())
    planned = plan(here, wish_of(here, pn.Improve({"f1": 1.0})), 0.05)
    everywhere = Trust(np.inf, Geometry(), adapts=False)
    radius = share * everywhere.length(here, planned.changes)
    place = Place(here, tangent, replace(everywhere, radius=radius))
    gone = walk(ToTarget(problem, Method(Refusing(), Newton()), place, planned))
    assert gone.legs == 1
    assert gone.amount == pytest.approx(share * planned.amount)
    assert (gone.correction is not None) == kept
    assert gone.reason == (
        "on the way, here it ends"
        if kept
        else "only 0.05 of it was possible, which is not worth a step: on the way, here it ends"
    )


def test_the_terminal_says_which_part_is_known() -> None:
    nav = started()
    preview = nav.preview(pn.Improve({"first": 1.0}), 0.5)
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as shown:
        console.print(preview_view(preview, nav.here, "improve first by 50%"))
    known = f"The model around this point covers {preview.modelled:.0%} of it; the step will go on from there"
    assert known in shown.get()
