from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, cycle, repeat
from typing import Any

import numpy as np
import pytest
import torch

import paretonav as pn
from paretonav.geometry import FrontModel, Geometry, Tangent, measure_front, tangent_at
from paretonav.problems.quadratic import Quadratic
from paretonav.steering.planning.plan import plan
from paretonav.steering.preferences import Wish
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.acceptance import Broken
from paretonav.steering.stepping.correctors import Correction, Newton
from paretonav.steering.stepping.course import Walk
from paretonav.steering.stepping.leg import Arrival
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.predictors import ObjectiveSpace
from paretonav.steering.stepping.promises import promises
from paretonav.steering.stepping.to_target import ToTarget
from paretonav.steering.stepping.trust import Trust
from paretonav.steering.stepping.walk import attempt, leg_report, walk

EVERYWHERE = Trust(np.inf, Geometry(), adapts=False)
NEWTON = Method(ObjectiveSpace(), Newton())


def at_the_middle(problem: Quadratic) -> tuple[Tangent, FrontModel]:
    weights = torch.full((problem.m,), 1 / problem.m, dtype=torch.float64)
    tangent = tangent_at(problem, problem.pareto_point(weights), weights)
    return tangent, measure_front(problem, tangent, Geometry())


def wish_of(preference: pn.Improve, front: FrontModel) -> Wish:
    return preference.wish(situation(front))


def walked(
    problem: Quadratic, preference: pn.Improve, amount: float, trust: Trust
) -> tuple[FrontModel, Walk]:
    tangent, front = at_the_middle(problem)
    planned = plan(front, wish_of(preference, front), amount)
    return front, walk(ToTarget(problem, NEWTON, Place(front, tangent, trust), planned))


@pytest.mark.parametrize("radius", [0.02, 0.05, 0.3])
def test_however_many_legs_the_whole_wish_comes_true_on_the_front(radius: float) -> None:
    problem = pn.problems.quadratic(20, 3, seed=1)
    preference = pn.Improve({"f1": 1.0}, hold=["f2"])
    front, gone = walked(problem, preference, 0.1, replace(EVERYWHERE, radius=radius))
    assert gone.correction is not None
    assert gone.reason == ""
    assert gone.amount == pytest.approx(0.1)
    change = gone.losses.mean.numpy() - front.losses
    assert change[0] == pytest.approx(-0.1 * front.losses[0], rel=1e-4)
    assert change[1] == pytest.approx(0, abs=1e-5)
    assert abs(problem.front_distance(gone.losses.mean)) < 1e-8
    assert (gone.legs == 1) == (radius == 0.3)
    assert torch.equal(problem.evaluate(gone.correction.theta).mean, gone.losses.mean)


def test_a_shorter_radius_takes_more_legs() -> None:
    legs = [
        walked(
            pn.problems.quadratic(20, 3, seed=1), pn.Improve({"f1": 1.0}), 0.1, replace(EVERYWHERE, radius=r)
        )[1].legs
        for r in (0.2, 0.06, 0.02)
    ]
    assert legs == sorted(legs)
    assert legs[0] < legs[-1]


def test_the_walk_leaves_the_problem_where_it_is() -> None:
    problem = pn.problems.quadratic(20, 3)
    before = problem.parameters()
    walked(problem, pn.Improve({"f1": 1.0}), 0.05, replace(EVERYWHERE, radius=0.03))
    assert torch.equal(problem.parameters(), before)


def test_what_the_edge_stops_on_the_way_is_kept_and_said() -> None:
    """The plan at the start takes the front for flatter than it is, so the rest of it is refused later."""
    problem = pn.problems.quadratic(20, 2, seed=3)
    tangent, front = at_the_middle(problem)
    wish = wish_of(pn.Improve({"f1": 1.0}), front)
    planned = replace(plan(front, wish, 0.02), amount=3.0)
    trust = replace(EVERYWHERE, radius=0.02)
    # One hundred and fifty times the length of what the coordinates stand for: nothing of the sort is there.
    gone = walk(ToTarget(problem, NEWTON, Place(front, tangent, trust), planned))
    assert gone.amount < 3.0
    assert gone.reason
    assert (gone.correction is None) == (gone.legs == 0)


def test_bounds_count_from_the_start_of_the_walk() -> None:
    problem = pn.problems.quadratic(20, 3, seed=2)
    tangent, front = at_the_middle(problem)
    free = plan(front, wish_of(pn.Improve({"f1": 1.0}), front), 0.1)
    ceiling = float(front.losses[1] + 0.5 * free.predicted.train[1])
    bounded = pn.Improve({"f1": 1.0}, allow={"f2": ceiling})
    planned = plan(front, wish_of(bounded, front), 0.1)
    trust = replace(EVERYWHERE, radius=0.03)
    gone = walk(ToTarget(problem, NEWTON, Place(front, tangent, trust), planned))
    assert gone.legs > 1
    assert gone.reason == ""
    assert float(gone.losses.mean[1]) <= ceiling * (1 + 1e-3)
    assert float(gone.losses.mean[0]) == pytest.approx(0.9 * front.losses[0], rel=1e-4)


class Overshooting(Newton):
    """A corrector that goes three times as far along the front as often as it is told to, and else is right."""

    def __init__(self, overshoots: Iterable[bool]) -> None:
        super().__init__()
        self.__dict__["overshoots"] = iter(overshoots)

    def correct(
        self, problem: Any, theta: Any, weights: Any, geometry: Any, guide: Any = None, *_: Any
    ) -> Correction:
        if guide is None or not next(self.__dict__["overshoots"], False):
            return super().correct(problem, theta, weights, geometry, guide)
        theta = guide.tangent.point(torch.from_numpy(3 * guide.plan.coordinates))
        return super().correct(problem, theta, weights, geometry)


class Unpromising(ObjectiveSpace):
    """A predictor whose legs nobody takes back, so that bounds alone are kept."""

    promises = False


def up_to_a_bound(overshoots: Iterable[bool]) -> tuple[FrontModel, Walk]:
    """With two objectives there is no room to align to the bound as well, so a leg that passes it is cut."""
    problem = pn.problems.quadratic(n=8, m=2, seed=3)
    tangent, front = at_the_middle(problem)
    free = plan(front, wish_of(pn.Improve({"f1": 1.0}), front), 0.05)
    bound = float(front.losses[1] + 1.05 * free.predicted.train[1])
    planned = plan(front, wish_of(pn.Improve({"f1": 1.0}, allow={"f2": bound}), front), 0.05)
    gone = walk(
        ToTarget(
            problem,
            Method(Unpromising(), Overshooting(overshoots)),
            Place(front, tangent, EVERYWHERE),
            planned,
        )
    )
    assert float(gone.losses.mean[1]) <= bound
    return front, gone


def test_a_leg_that_a_bound_has_cut_is_no_end_where_there_is_another_way() -> None:
    front, gone = up_to_a_bound([True, True])  # for the plan, and once the bound is a target
    assert gone.reason == ""
    assert gone.legs == 2
    assert gone.amount == pytest.approx(0.05)
    assert float(gone.losses.mean[0]) == pytest.approx(0.95 * front.losses[0], rel=1e-4)


def test_a_bound_that_cuts_every_leg_ends_the_walk() -> None:
    _, gone = up_to_a_bound(cycle([True, True, False]))
    assert gone.reason == "the bound on f2 left no more room"
    assert 2 < gone.legs < 10
    assert gone.amount < 0.05


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_what_a_leg_wastes_is_what_it_adds_to_the_joint_gain_in_any_units(scale: float) -> None:
    """A start beside the front is not the leg's fault, and one that comes nearer to it has wasted nothing."""
    tangent, front = at_the_middle(pn.problems.quadratic(n=8, m=3))
    made = plan(front, wish_of(pn.Improve({"f1": 1.0}), front), 0.05)
    largest = float(np.abs(made.predicted.train).max())

    def waste(before: float, after: float) -> float | None:
        correction = Correction(
            tangent.theta, tangent.losses, tangent.weights, tangent, 1, True, gain_on_arrival=scale * after
        )
        arrival = Arrival(scaled, correction, losses, 1.0, "")
        began = replace(front, losses=scale * front.losses, joint_gain=scale * before)
        return leg_report(Place(began, tangent, EVERYWHERE), scaled, arrival).waste

    scaled = replace(made, predicted=made.predicted.each(lambda x: scale * x))
    losses = replace(tangent.losses, batches=scale * tangent.losses.batches)
    for before in (0.0, 0.1, 3.0):
        assert waste(before, before + 0.5 * largest) == pytest.approx(0.5)
        assert waste(before, before) == 0
        assert waste(before + 0.1, before) == 0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("off", [0.0, 0.1, 2.0])
def test_a_leg_is_off_by_a_part_of_what_was_predicted_in_any_units(scale: float, off: float) -> None:
    tangent, front = at_the_middle(pn.problems.quadratic(n=8, m=3))
    made = plan(front, wish_of(pn.Improve({"f1": 1.0}), front), 0.05)
    made, front = (
        replace(made, predicted=made.predicted.each(lambda x: scale * x)),
        replace(front, losses=scale * front.losses),
    )
    came = torch.from_numpy(front.losses + (1 + off) * made.changes)
    losses = replace(tangent.losses, batches=came[None])
    correction = Correction(tangent.theta, losses, tangent.weights, None, 0, True)
    report = leg_report(Place(front, tangent, EVERYWHERE), made, Arrival(made, correction, losses, 1.0, ""))
    assert report.error == pytest.approx(off, abs=1e-9)
    assert report.waste is None


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_of_a_part_of_the_way_that_part_was_promised(share: float) -> None:
    tangent, front = at_the_middle(pn.problems.quadratic(n=8, m=3))
    whole = plan(front, wish_of(pn.Improve({"f1": 1.0}), front), 0.1)
    found = promises(ObjectiveSpace(), Place(front, tangent, EVERYWHERE), whole, share * 0.1)
    assert len(found) == (1 if share == 1 else 2)
    for each in found:
        assert each.amount == pytest.approx(share * 0.1)
        assert each.requested.shown["f1"] == pytest.approx(share * whole.requested.shown["f1"])
        assert each.changes[0] == pytest.approx(share * whole.changes[0], rel=0.1)


def told_of_legs(
    fails: Iterable[bool], monkeypatch: pytest.MonkeyPatch, radius: float = np.inf
) -> tuple[Walk, list[float]]:
    """A walk for 10 % whose legs fail where they are told to, and the amounts that were tried."""
    tried: list[float] = []
    left = iter(fails)

    def told(*given: Any) -> tuple[Arrival, tuple[Broken, ...]]:
        arrival, lost = attempt(*given)
        tried.append(given[3].amount)
        return arrival, (Broken("f1", "train", -0.1, 0.3, 1.0),) if next(left, False) else lost

    monkeypatch.setattr("paretonav.steering.stepping.walk.attempt", told)
    problem = pn.problems.quadratic(20, 3, seed=1)
    return walked(problem, pn.Improve({"f1": 1.0}), 0.1, replace(EVERYWHERE, radius=radius))[1], tried


def test_a_leg_that_fails_is_halved_and_the_rest_is_tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, tried = told_of_legs([True, True, False, False], monkeypatch)
    assert tried == pytest.approx([0.1, 0.05, 0.025, 0.075])
    assert (gone.legs, gone.reason) == (2, "")
    assert gone.amount == pytest.approx(0.1)


def test_what_fails_four_times_is_given_up_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, tried = told_of_legs(repeat(True), monkeypatch)
    assert tried == pytest.approx([0.1, 0.05, 0.025, 0.0125])
    assert gone.correction is None
    assert gone.amount == gone.legs == 0
    assert gone.reason == "f1 came out +30 % on training data, where -10 % was predicted"


@pytest.mark.parametrize("radius", [0.03, 0.05])
def test_what_has_come_true_before_a_leg_that_fails_is_kept(
    radius: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the next leg fails four times, or is halved until it is not worth its cost."""
    gone, tried = told_of_legs(chain([False], repeat(True)), monkeypatch, radius)
    assert gone.legs == 1
    assert gone.correction is not None
    assert gone.amount == tried[0] < 0.1
    assert torch.equal(
        gone.losses.mean, pn.problems.quadratic(20, 3, seed=1).evaluate(gone.correction.theta).mean
    )


def test_less_than_a_tenth_of_the_way_is_no_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, tried = told_of_legs(chain([False], repeat(True)), monkeypatch, radius=0.005)
    assert 0 < tried[0] < 0.01
    assert gone.correction is None
    assert gone.reason.startswith("only 0.0")
    assert "not worth a step: f1 came out" in gone.reason


class Ending(ObjectiveSpace):
    """Its front ends where the first loss is this; as every reach, that is known to a few digits only."""

    def __init__(self, least: float) -> None:
        super().__init__()
        self.__dict__["least"] = least

    def plan(self, front: Any, tangent: Any, wish: Any, amount: float) -> Any:
        reach = (self.__dict__["least"] - front.losses[0]) / wish.changes(1.0)[0]
        if amount > 0.97 * reach:
            raise pn.InfeasiblePreferenceError("", reason="the sea begins", reach=reach)
        return super().plan(front, tangent, wish, amount)


@pytest.mark.parametrize("end", [0.045, 0.06, 0.075, 0.09])
def test_what_is_refused_on_the_way_is_gone_as_far_as_it_surely_reaches(end: float) -> None:
    """Nearly up to the end, at which no plan is safe; a leg that would be next to nothing is not begun."""
    problem = pn.problems.quadratic(20, 2, seed=1)
    tangent, front = at_the_middle(problem)
    planned = plan(front, wish_of(pn.Improve({"f1": 1.0}), front), 0.1)
    trust = replace(EVERYWHERE, radius=EVERYWHERE.length(front, 0.3 * planned.changes))
    predictor = Ending((1 - end) * front.losses[0])
    place = Place(front, tangent, trust)
    gone = walk(ToTarget(problem, Method(predictor, Newton()), place, planned))
    assert gone.correction is not None
    assert gone.reason == "on the way, the sea begins"
    assert end - 0.006 < gone.amount < end
    assert float(gone.losses.mean[0]) == pytest.approx((1 - gone.amount) * front.losses[0], rel=1e-4)
