"""The way from one point to the next: one leg after the other, each as long as the model of the front holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from paretonav.geometry.krylov import Status
from paretonav.objectives import Problem
from paretonav.steering.measured import Measured
from paretonav.steering.planning.plan import Plan
from paretonav.steering.stepping.acceptance import Broken, broken
from paretonav.steering.stepping.course import Course, Walk
from paretonav.steering.stepping.leg import Arrival, take_leg
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.onward import place_on_the_way, tangent_after, with_train_losses
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.target import Limits
from paretonav.steering.stepping.trust import Leg


def walk(course: Course) -> Walk:
    """Go where a course leads: predict, correct, and where that is too far for one leg, plan the rest from there.

    A leg that the course does not keep is taken back and tried again, shorter or otherwise. After each that is kept
    the trust follows what its prediction was worth, and the front is measured anew.
    """
    problem, method, place = course.problem, course.method, course.start
    gone = Walk(None, place.losses, place)
    while (leg := course.next_leg(place, gone.legs)) is not None:
        plan, until = leg
        with problem.watch.part(until):
            arrival, lost = attempt(problem, method, place, plan, course.limits)
        correction = arrival.correction
        if not course.keeps(place, arrival, lost, gone.legs) or correction is None:
            if gone.correction is None:
                gone = replace(gone, losses=arrival.losses)
            place = course.again(place)
            continue
        report = leg_report(place, course.taken(place, arrival), arrival)
        place = replace(place, trust=place.trust.after(report))
        gone = replace(
            gone, correction=correction, losses=arrival.losses, legs=gone.legs + 1, error=report.error
        )
        if course.over:
            break
        tangent = tangent_after(problem, correction, place.tangent, place.trust.geometry)
        place = place_on_the_way(problem, place, tangent, course.plan.wish, gone.losses)
        course.plan_from(place, gone.legs)
    return course.ended(replace(gone, place=place))


def attempt(
    problem: Problem, method: Method, place: Place, leg: Plan, limits: Limits
) -> tuple[Arrival, tuple[Broken, ...]]:
    """Take a leg, and say what of it did not come true.

    Validation losses are looked at first: where they are not as promised, the training data need not be read.
    """
    arrival = take_leg(problem, method, place, leg, limits)
    if arrival.correction is None or not method.predictor.promises:
        return arrival, ()
    lost = broken(place.front, arrival.plan, Measured(None, arrival.validation(place.front)))
    if lost:
        return arrival, lost
    correction = with_train_losses(problem, arrival.correction)
    return replace(arrival, correction=correction), broken(
        place.front, arrival.plan, Measured(correction.losses)
    )


def leg_report(place: Place, plan: Plan, arrival: Arrival) -> Leg:
    """How a leg went, for the trust in the next one.

    Args:
        place: where it began.
        plan: the part that it has gone.
        arrival: where it has led.
    """
    front, correction, predicted = place.front, arrival.correction, plan.changes[: place.front.m]
    if correction is None:
        raise AssertionError("a leg that was taken back has no report")
    achieved = arrival.losses.mean.numpy() - front.asked_losses
    size = float(np.linalg.norm(predicted))
    waste = None
    if correction.gain_on_arrival is not None:
        waste = max(0.0, correction.gain_on_arrival - front.joint_gain) / float(np.abs(predicted).max())
    solved = correction.tangent or place.tangent
    return Leg(
        length=place.trust.length(front, predicted),
        error=float(np.linalg.norm(predicted - achieved)) / size if size else 0.0,
        waste=waste,
        struggled=Status.ITERATION_LIMIT in solved.solution.status,
        damping=solved.damping,
    )
