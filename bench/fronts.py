"""How much of a known front each method covers with the same number of gradients.

One gradient of one objective counts 1, one Hessian-vector product 3 (a gradient, and a backward pass through it that
computes about twice as much). The library takes ten steps from one start, in two ways: along branches, one towards
each objective's end, which take turns; and by aims, at targets spread evenly, each from the point whose target is
nearest. What the dearer of the two costs is everybody's budget. The published method is asked for branches from the
same start; its steps have a length of their own, 0.01 (or, in a second row, 0.1), and go on until the budget is spent.
All others descend to eleven points, as many as the walks have, a share of the budget each: to weighted sums or rays,
those targets, each from the end of the run whose target is nearest; or, as MGDA and UPGrad aim at nothing, from eleven
random points.

Run: python bench/fronts.py [--quick] [--problems quadratic DTLZ2] [--seeds 5]
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import figures
import paretonav as pn
from measures import angle, efficiency, error, igd_plus, median, non_dominated_share
from paretonav.geometry import Curvature
from paretonav.problems.dtlz import DTLZ
from paretonav.problems.quadratic import Quadratic
from peers.descent import Fixed, Rule, descend
from peers.epo import EPO
from peers.mgda import MGDA
from peers.pmgda import PMGDA
from peers.upgrad import UPGrad
from report import Row, write
from truth import Truth, distances, together, truth

Array = NDArray[np.float64]
Known = Quadratic | DTLZ

STEPS = 10
OURS = "paretonav"
AIMS = "paretonav, aims"
HESSIAN_PRODUCT = 3
"""Gradients that one costs."""
SAMPLE = 1000
"""Points of a front."""

_END = 0.9  # of its reach: how far a branch is to go
_MOST = 100  # steps where a budget ends the walk
_WITHOUT_OURS = 500  # gradients per objective and point, where the library gets nowhere and sets no budget
_STEPPING: dict[str, Callable[[], Mapping[str, object]]] = {
    OURS: dict,
    "published": pn.ppe,
    "published, 0.1": lambda: pn.ppe(step=0.1),
}
_FAILURES = (pn.ParetonavError, ArithmeticError, ValueError, RuntimeError)
_QUICK = ("DTLZ1 m=3", "DTLZ2 m=3")


@dataclass
class Visit:
    """Where a method came.

    Attributes:
        points: the outcomes [m], of which all are finite.
        gradients: evaluations of one objective's gradient, Hessian-vector products included.
        seconds: of the processor, for all runs or steps.
        refused: steps that the method said are not possible, or took back.
        failed: steps or runs that ended in an error or at something that is no number.
    """

    points: list[Array] = field(default_factory=list)
    gradients: float = 0.0
    seconds: float = 0.0
    refused: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Trade:
    """What one step was worth.

    Attributes:
        error: of the predicted changes, relative.
        angle: between the changes that were asked for and those that came, in degrees.
        efficiency: of the exchange.
    """

    error: float
    angle: float
    efficiency: float

    @classmethod
    def of(cls, before: pn.Point, step: pn.Step) -> Trade:
        """The measures of a step from ``before``."""
        predicted, achieved = (
            np.array(list(d.values())) for d in (step.predicted.train, step.achieved.train)
        )
        named = [before.front.names.index(name) for name in step.requested.losses]
        return cls(
            error(predicted, achieved),
            angle(np.array(list(step.requested.losses.values())), achieved[named]),
            efficiency(achieved, before.front.weights, named),
        )


def spent(cost: pn.Cost) -> float:
    """Gradients of one objective that a cost comes to."""
    return cost.gradient_passes + HESSIAN_PRODUCT * cost.hessian_products


def problems() -> dict[str, Callable[[int], Known]]:
    """Name -> the problem by the seed of its starting point."""

    def quadratic(m: int) -> Callable[[int], Known]:
        def make(seed: int) -> Known:
            centres = pn.problems.quadratic(n=50, m=m).centres
            noise = torch.randn(50, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
            return pn.problems.quadratic(n=50, m=m, x0=centres.mean(0) + centres.std() * noise)

        return make

    def dtlz(k: int, m: int) -> Callable[[int], Known]:
        return lambda seed: pn.problems.dtlz(k, m, seed=seed)

    return {f"quadratic m={m}": quadratic(m) for m in (2, 3, 5)} | {
        f"DTLZ{k} m={m}": dtlz(k, m) for k in range(1, 8) for m in (3, 5, 10)
    }


def walk(
    problem: Known, budget: float | None = None, configuration: Mapping[str, object] | None = None
) -> Visit:
    """Ten steps on branches that take turns; with a budget, steps until that many gradients are spent.

    A branch on which a step was not possible, or changed nothing, has ended.
    """

    def go(nav: pn.Navigator, visit: Visit) -> None:
        ends = dict.fromkeys(range(problem.m), 0)
        for number in range(STEPS if budget is None else _MOST):
            branch = number % problem.m
            if not ends or (budget is not None and spent(problem.cost) >= budget):
                break
            if branch not in ends:
                continue
            nav.go_to(ends[branch])
            wish = pn.Improve({problem.names[branch]: 1.0})
            left = max(1, len(range(number, STEPS, problem.m)))
            step = _step(nav, wish, partial(_part, nav, wish, left), visit)
            if step is None:
                del ends[branch]
            else:
                ends[branch] = nav.here.id

    return _navigated(problem, configuration, go)


def aims(problem: Known, targets: Array) -> Visit:
    """Ten steps to ``targets`` [11, m], of which the first belongs to the start; each from the nearest one's point."""

    def go(nav: pn.Navigator, visit: Visit) -> None:
        ends = [0]
        for run in range(1, len(targets)):
            nav.go_to(ends[_nearest(targets, run)])
            wish = pn.Aim(dict(zip(problem.names, targets[run].tolist(), strict=True)))
            _step(nav, wish, lambda: 1.0, visit)
            ends.append(nav.here.id)

    return _navigated(problem, None, go)


def _navigated(
    problem: Known, configuration: Mapping[str, object] | None, go: Callable[[pn.Navigator, Visit], None]
) -> Visit:
    """Where ``go`` comes from the start, and at what cost."""
    visit = Visit()
    began = time.process_time()
    nav = pn.Navigator(problem, **(configuration or {}))  # type: ignore[arg-type]
    try:
        nav.start()
    except _FAILURES:
        visit.failed += 1
    else:
        go(nav, visit)
        visit.points = [np.array(list(record.losses.values())) for record in nav.records]
    visit.seconds = time.process_time() - began
    visit.gradients = spent(problem.cost)
    return visit


def trades(problem: Known, configuration: Mapping[str, object] | None = None, seed: int = 0) -> list[Trade]:
    """Ten steps of 5 %, one after another, that improve two objectives, drawn anew each time, as 0.7 : 0.3."""
    generator = np.random.default_rng(seed)
    nav = pn.Navigator(problem, **(configuration or {}))  # type: ignore[arg-type]
    visit, found = Visit(), []
    try:
        nav.start()
    except _FAILURES:
        return []
    for _ in range(STEPS):
        first, second = generator.permutation(list(problem.names))[:2].tolist()
        wish = pn.Improve({first: 1.0} if problem.m == 2 else {first: 0.7, second: 0.3})
        before = nav.here
        step = _step(nav, wish, lambda: 0.05, visit)
        if step is not None:
            found.append(Trade.of(before, step))
    return found


def _step(
    nav: pn.Navigator, wish: pn.Improve | pn.Aim, amount: Callable[[], float], visit: Visit
) -> pn.Step | None:
    """One step; None if there was none, which is counted."""
    try:
        step = nav.step(wish, amount())
    except pn.PreferenceError:
        visit.refused += 1
        return None
    except _FAILURES:
        visit.failed += 1
        return None
    if step.status == pn.StepStatus.REJECTED:
        visit.refused += 1
        return None
    return step


def _part(nav: pn.Navigator, wish: pn.Improve, left: int) -> float:
    """The amount that is one of ``left`` equal parts of the way to the end."""
    return _END * _reach(nav, wish) / left


def _reach(nav: pn.Navigator, wish: pn.Improve) -> float:
    try:
        return nav.preview(wish, 1e-6).reach
    except pn.InfeasiblePreferenceError as refused:
        return max(refused.reach, 1e-6)  # nearly nothing: let the step say so


def descents(
    starts: list[Tensor], rules: list[Rule], targets: Array | None, problem: Known, budget: float
) -> Visit:
    """One run for each of the rules, on an equal share of the budget.

    Args:
        starts: where they begin: one for each, or one for the first if there are targets.
        rules: what weights the gradients.
        targets: [runs, k], what they aim at; each run then begins at the end of that with the nearest target.
        problem: what is descended.
        budget: gradients of all runs together.
    """
    visit, ends, rate = Visit(), [starts[0]], longest(problem, starts[0])
    for run, rule in enumerate(rules):
        start = starts[run] if targets is None or run == 0 else ends[1 + _nearest(targets, run)]
        passes = 1 if isinstance(rule, Fixed) else problem.m
        share = (budget - visit.gradients) / (len(rules) - run)
        began = time.process_time()
        ends.append(start)
        try:
            found = descend(problem, start, rule, rate=rate, epochs=max(1, int(share // passes)))
            outcome = problem.evaluate(found.theta).mean.numpy()
        except _FAILURES:
            visit.failed += 1
            visit.gradients += share
            continue
        finally:
            visit.seconds += time.process_time() - began
        visit.gradients += found.gradient_passes
        if np.isfinite(outcome).all():
            visit.points.append(outcome)
            ends[-1] = found.theta
        else:
            visit.failed += 1
    return visit


def longest(problem: Known, theta: Tensor) -> float:
    """A length for the line search to begin at: 2 / L, L being the largest curvature of the mean objective.

    It is given to the descents for nothing. Without it their first step would leave the basin of DTLZ1 and DTLZ3.
    """
    weights = torch.full((problem.m,), 1 / problem.m)
    largest = Curvature(problem.curvature_sample(), theta, weights, kind="exact").largest(theta)
    return 2 / largest if 0 < largest < np.inf else 1.0


def _nearest(targets: Array, run: int) -> int:
    """Which of the targets before it, at least one, is the nearest to that of a run."""
    return int(np.linalg.norm(targets[:run] - targets[run], axis=1).argmin())


def spread(m: int, count: int = STEPS + 1, seed: int = 0) -> Array:
    """Weights [count, m] that lie evenly in the simplex: the middle, then always what is furthest from those there."""
    drawn = np.random.default_rng(seed).dirichlet(np.ones(m), 1000)
    chosen = [np.full(m, 1 / m)]
    while len(chosen) < count:
        distance = np.linalg.norm(drawn[:, None] - np.array(chosen), axis=2).min(axis=1)
        chosen.append(drawn[distance.argmax()])
    return np.array(chosen)


def visits(make: Callable[[int], Known], seed: int, known: Truth | None) -> dict[str, Visit]:
    """Where all methods come from one start."""
    problem = make(seed)
    weights = spread(problem.m, seed=seed)
    # In units of the front's ranges, which the methods would have to guess.
    rays = weights if known is None else weights * known.reference
    ours, aimed = walk(problem), aims(make(seed), rays)
    budget = max(ours.gradients, aimed.gradients)
    if not ours.points:
        budget = float(_WITHOUT_OURS * problem.m * (STEPS + 1))
    start = [make(seed).parameters()]
    anywhere = [make(1000 * (seed + 1) + i).parameters() for i in range(len(weights))]
    found = {OURS: ours, AIMS: aimed} | {
        method: walk(make(seed), budget, configuration())
        for method, configuration in _STEPPING.items()
        if method != OURS
    }
    runs: dict[str, tuple[list[Tensor], list[Rule], Array | None]] = {
        "weighted sums": (start, [Fixed(w) for w in weights], weights),
        "MGDA": (anywhere, [MGDA() for _ in weights], None),
        "UPGrad": (anywhere, [UPGrad() for _ in weights], None),
        "EPO": (start, [EPO(ray) for ray in rays], rays),
        "PMGDA": (start, [PMGDA(ray) for ray in rays], rays),
    }
    return found | {name: descents(*run, make(seed), budget) for name, run in runs.items()}


def rows(name: str, found: list[dict[str, Visit]], problem: Known, known: Truth | None) -> Iterator[Row]:
    """One row for every method, with medians over the seeds.

    Args:
        name: of the problem.
        found: seed by seed.
        problem: to ask for distances.
        known: its front; if that is not known, volumes are relative to that of all methods' points together.
    """
    known = known or together([f for visited in found for visit in visited.values() for f in visit.points])
    for method in found[0]:
        of = [visited[method] for visited in found]
        yield {
            "problem": name,
            "method": method,
            "starts": len(of),
            "hypervolume": median([[known.coverage(v.points) if v.points else 0.0] for v in of]),
            "IGD+": median([[_igd(v, known)] for v in of]),
            "non-dominated": _middle([non_dominated_share(v.points) for v in of if v.points]),
            "off the front": _middle(
                [d for v in of if v.points for d in distances(problem, np.array(v.points))]
            ),
            "points": _middle([float(len(v.points)) for v in of]),
            "refused": sum(v.refused for v in of),
            "failed": sum(v.failed for v in of),
            "gradients": _middle([v.gradients for v in of]),
            "time / ours": median([[_ratio(v, visited[OURS])] for v, visited in zip(of, found, strict=True)]),
        }


def step_rows(name: str, make: Callable[[int], Known], seeds: int) -> Iterator[Row]:
    """One row for every method that takes steps, with medians over seeds and steps."""
    for method, configuration in _STEPPING.items():
        of = [trades(make(seed), configuration(), seed) for seed in range(seeds)]
        yield {
            "problem": name,
            "method": method,
            "steps": sum(map(len, of)),
            "error": median([[t.error for t in found] for found in of]),
            "angle": median([[t.angle for t in found] for found in of]),
            "efficiency": median([[t.efficiency for t in found] for found in of]),
        }


def _middle(numbers: list[float]) -> float:
    return float(np.median(numbers)) if numbers else float("nan")


def _igd(visit: Visit, known: Truth) -> float:
    if known.front is None:
        return float("nan")
    return igd_plus(visit.points, known.front) if visit.points else float("inf")


def _ratio(visit: Visit, ours: Visit) -> float:
    """Of the times; unknown where the library got nowhere."""
    return visit.seconds / ours.seconds if ours.points else float("nan")


NOTES = """
Medians over starts, with bootstrap intervals of 95 %. "hypervolume" is relative to that of all of the front, up
to a reference point at 1.1 times its worst values; of DTLZ5 and DTLZ6 with more than three objectives the front is not
known, and it is relative to all methods' points together. Distances are of the outcomes, to the front; "IGD+" is from
{sample} points spread over it. "refused" are steps that are not possible, or were taken back; "failed" are steps and
runs that ended in an error, both over all starts. "gradients" counts a Hessian-vector product as {product} gradients of
one objective; where `paretonav` cannot start, the others have {without} for each objective and run. Times are of the
processor, on one thread.
"""

STEP_NOTES = """
Ten steps of 5 % from each start, which improve two objectives, drawn anew each time, as 0.7 : 0.3 (of two
objectives, one). "error" is of the predicted changes of all objectives, relative to their length; "angle" (degrees) is
between the changes of the requested objectives that were asked for and those that came (for one, 0 or 180);
"efficiency" is what was gained over what was paid, 1 in the tangent plane and less on a convex front, more on a
concave one. The published method's steps have a length of their own, 0.01 or 0.1. "steps" leaves out those that were
refused or failed: where a front is only a curve (DTLZ5), no two objectives can be asked for as one likes.
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two problems from one start, in about a minute")
    parser.add_argument("--problems", nargs="*", default=[""], help="those whose names begin so")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    seeds = 1 if options.quick else options.seeds
    covered: list[Row] = []
    stepped: list[Row] = []
    for name, make in problems().items():
        chosen = name in _QUICK if options.quick else name.startswith(tuple(options.problems))
        if not chosen:
            continue
        known = truth(make(0), SAMPLE)
        found = [visits(make, seed, known) for seed in range(seeds)]
        covered += rows(name, found, make(0), known)
        stepped += step_rows(name, make, seeds)
        print(
            name, *(f"{row['method']}: {row['hypervolume']}" for row in covered[-len(found[0]) :]), flush=True
        )
        save(covered, stepped, "_quick" if options.quick else "")


def save(covered: list[Row], stepped: list[Row], suffix: str) -> None:
    """Write what there is so far."""
    notes = NOTES.format(sample=SAMPLE, product=HESSIAN_PRODUCT, without=_WITHOUT_OURS)
    write(f"fronts{suffix}", "Coverage of known fronts for the same number of gradients", covered, notes)
    write(f"fronts_steps{suffix}", "Steps along known fronts", stepped, STEP_NOTES)
    figures.coverage(covered, f"fronts{suffix}")


if __name__ == "__main__":
    main()
