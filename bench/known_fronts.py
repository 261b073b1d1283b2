"""Steps on problems whose front is known: default and published method side by side.

Ten steps of 5 % in random directions 0.7 : 0.3 (the published method: its own step length) from the same start.

Run: python bench/known_fronts.py
"""

from __future__ import annotations

import warnings

import numpy as np
import torch

import paretonav as pn
from paretonav.navigation.navigator import Navigator
from report import write


def problems() -> dict[str, pn.FunctionProblem]:
    quadratics = {f"quadratic n=50 m={m}": pn.problems.quadratic(n=50, m=m) for m in range(2, 7)}
    dtlz = {
        f"DTLZ{k} m={m}": pn.problems.dtlz(k, m=m, n=12 if k == 2 else None)
        for k in (1, 2, 3, 4)
        for m in (3, 5)
    }
    zdt = {f"ZDT{k}": pn.problems.zdt(k) for k in (1, 2)}
    return {**quadratics, **dtlz, **zdt, "Fonseca-Fleming": pn.problems.fonseca_fleming()}


def walk(problem: pn.FunctionProblem, nav: Navigator, steps: int = 10) -> dict[str, object]:
    rng = np.random.default_rng(0)
    nav.start()
    ratio, off_front, errors, preview, worse, refused = [0.0], [0.0], [0.0], [0.0], 0, 0
    products, seconds, taken = 0, 0.0, 0
    for _ in range(steps):
        first, second = rng.permutation(list(problem.names))[:2].tolist()
        wish = pn.Improve({first: 1.0} if problem.m == 2 else {first: 0.7, second: 0.3})
        here = nav.here
        try:
            step = nav.step(wish, 0.05)
        except pn.PreferenceError:
            refused += 1
            continue
        if step.status == pn.StepStatus.REJECTED:
            refused += 1
            continue
        taken += 1
        products += step.cost.hessian_products
        seconds += step.cost.seconds
        predicted, achieved = (
            torch.tensor(list(d.values()), dtype=torch.float64) for d in (step.predicted, step.achieved)
        )
        size = float(predicted.norm())
        preview.append(abs(problem.front_distance(here.train.mean + predicted)) / size)  # type: ignore[attr-defined]
        off_front.append(abs(problem.front_distance(step.point.train.mean)))  # type: ignore[attr-defined]
        errors.append(float((predicted - achieved).norm()) / size)
        worse += any(step.achieved[n] >= 0 for n in wish.weights)
        if problem.m > 2:
            ratio.append(abs(step.achieved[first] / step.achieved[second] * 3 / 7 - 1))
    return {
        "taken": taken,
        "refused": refused,
        "requested got worse": worse,
        "ratio error, worst": max(ratio),
        "preview off front / step, worst": max(preview),
        "predicted against achieved, worst": max(errors),
        "off the front after, worst": max(off_front),
        "products / step": products / max(taken, 1),
        "ms / step": 1e3 * seconds / max(taken, 1),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    rows = []
    for name in problems():
        for method, configuration in (("default", {}), ("published", pn.ppe())):
            problem = problems()[name]
            nav = pn.Navigator(problem, **configuration)  # type: ignore[arg-type]
            rows.append({"problem": name, "method": method, **walk(problem, nav)})
    write("known_fronts", "Problems with known fronts", rows, __doc__.split("\n\n")[1] if __doc__ else "")


if __name__ == "__main__":
    main()
