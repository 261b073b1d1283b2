"""The methods: each goes from a start as near to what a task asks for as it can.

All but ``default``, ``ppe`` and ``from-scratch`` train on from the start for the seconds that the default's step took,
with the better of two learning rates, chosen in hindsight by the miss on training data: a favour that steps do not
get, and half of what it would cost. Those that are led by the plan's weights or outcome get these from the default
method: another favour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

import paretonav as pn
from compare import values
from measures import miss
from paretonav.objectives import Cost
from paretonav.steering.stepping.predictors import PublishedProjection
from peers.descent import Fixed, Rule, Run, descend
from peers.epo import EPO
from peers.mgda import MGDA
from peers.pmgda import PMGDA
from peers.upgrad import UPGrad
from side_by_side.wishes import Task

Array = NDArray[np.float64]

LEARNING_RATES = (1e-3, 3e-3)
RETRIES = 2
TIMES = 5
TRAINED = "trained"


@dataclass(frozen=True, eq=False)
class Outcome:
    """Where a method has ended.

    Attributes:
        theta: the parameters, [n]; those of the start where a step was taken back.
        status: of a step, or that it was no step.
        cost: seconds and passes over the training data.
        predicted: [m], the change of the training losses, by those methods that predict one.
        predicted_validation: [m], the same on validation data.
        retries: how often the step was taken back, and had to be asked for anew.
    """

    theta: Tensor
    status: str
    cost: Cost
    predicted: Array | None = None
    predicted_validation: Array | None = None
    retries: int = 0


def timed(task: Task) -> tuple[Outcome, float]:
    """The library's step as it is, and the seconds of an epoch of training.

    Both times are medians of ``TIMES``, in turn: a moment's load weighs on a short step, and a machine that is slower
    than it was during the training would make the step look dear.
    """
    start = task.start
    steps, epochs = [], []
    for _ in range(TIMES):
        start.nav.go_to(start.point.id)
        steps.append(start.nav.step(task.wish.preference, task.wish.amount))
        epochs.append(start.epoch())
    start.nav.go_to(start.point.id)
    cost = replace(steps[0].cost, seconds=float(np.median([step.cost.seconds for step in steps])))
    outcome = _stepped(task, steps[0], cost, retries=int(steps[0].status is pn.StepStatus.REJECTED))
    return outcome, float(np.median(epochs))


def ppe(task: Task) -> Outcome:
    """The published method, whose step has a length of its own.

    A step that was taken back is asked for anew with half the length, at most ``RETRIES`` times; all tries are paid.
    """
    navigator, cost = task.start.published, Cost()
    published = navigator.method.predictor
    assert isinstance(published, PublishedProjection)
    try:
        for retries in range(RETRIES + 1):
            navigator.go_to(0)
            shorter = replace(published, step=published.step / 2**retries)
            navigator.method = replace(navigator.method, predictor=shorter)
            step = navigator.step(task.wish.preference, task.wish.amount)
            cost += step.cost
            if step.status is not pn.StepStatus.REJECTED:
                return _stepped(task, step, cost, retries)
        return _stepped(task, step, cost, RETRIES + 1)
    except pn.InfeasiblePreferenceError:
        return Outcome(task.start.point.parameters, "refused", cost)
    finally:
        navigator.method = replace(navigator.method, predictor=published)
        navigator.go_to(0)


def corrector(task: Task) -> Outcome:
    """The published corrector alone: what ``ppe`` gains of it is not a step's."""
    correction, cost = task.start.corrected
    return Outcome(correction.theta, TRAINED, cost)


def short(task: Task, published: Outcome) -> Outcome | None:
    """The library's step over the length of the published one, as an exchange depends on how far one goes.

    None where the published step has not improved what it was to.
    """
    start, wanted = task.start, task.requested[task.plan.wish.improved]
    change = start.problem.evaluate(published.theta).change_from(start.before["train"])[0].numpy()
    gain = float(change[task.plan.wish.improved] @ wanted / (wanted @ wanted))
    if gain <= 1e-4:
        return None
    return timed(replace(task, wish=replace(task.wish, amount=min(1.0, gain) * task.wish.amount)))[0]


def scratch(task: Task) -> Outcome:
    """The weighted sum with the plan's weights, from fresh parameters by the start's recipe."""
    start, recipe = task.start, task.start.recipe
    run = descend(
        start.problem,
        start.initial,
        Fixed(task.plan.weights),
        rate=recipe.rate,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        anneal=True,
    )
    return _trained(run)


def doubled(task: Task) -> Array:
    """[m], the start's weights with those of what is to improve doubled, as one would without a plan."""
    weights = task.start.point.front.weights.copy()
    weights[task.plan.wish.improved] *= 2
    return np.asarray(weights / weights.sum())


TUNED: dict[str, Callable[[Task], Rule]] = {
    "guessed-weights": lambda task: Fixed(doubled(task)),
    "predicted-weights": lambda task: Fixed(task.plan.weights),
    "MGDA": lambda _: MGDA(),
    "UPGrad": lambda task: UPGrad(preference=task.plan.weights),
    "EPO": lambda task: EPO(task.outcome),
    "PMGDA": lambda task: PMGDA(task.outcome),
    "control": lambda task: Fixed(task.start.point.front.weights),
}
STEPS = ("default", "ppe")
CORRECTOR = "ppe-corrector"  # goes with ppe
SHORT = "default-short"  # goes with ppe
FIRST_ONLY = "from-scratch"  # too long for every wish
METHODS = (*STEPS, CORRECTOR, SHORT, FIRST_ONLY, *TUNED)


def tuned(task: Task, rule: Callable[[Task], Rule], seconds: float) -> Outcome:
    """Training on by a rule for a time."""
    start = task.start
    runs = [
        descend(
            start.problem,
            start.point.parameters,
            rule(task),
            rate=rate,
            seconds=seconds,
            batch_size=start.recipe.batch_size,
        )
        for rate in LEARNING_RATES
    ]
    return _trained(min(runs, key=lambda run: _miss(task, run.theta)))


def _miss(task: Task, theta: Tensor) -> float:
    change = task.start.problem.evaluate(theta).change_from(task.start.before["train"])[0].numpy()
    found = miss(task.requested[task.named], change[task.named])
    return found if np.isfinite(found) else np.inf


def _trained(run: Run) -> Outcome:
    cost = Cost(forward_passes=run.epochs, gradient_passes=run.gradient_passes, seconds=run.seconds)
    return Outcome(run.theta, TRAINED, cost)


def _stepped(task: Task, step: pn.Step, cost: Cost, retries: int) -> Outcome:
    rejected = step.status is pn.StepStatus.REJECTED
    return Outcome(
        theta=task.start.point.parameters if rejected else step.point.parameters,
        status=str(step.status),
        cost=cost,
        predicted=values(step.predicted.train),
        predicted_validation=values(step.predicted.validation),
        retries=retries,
    )
