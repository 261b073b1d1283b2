"""Steps on the overlaid digits: predicted against achieved, and against what a user would do instead.

Every row starts from the same trained model. The alternatives get the wall-clock time that the step took:

- control: the same training, weights unchanged. What it gains, navigation may not claim;
- fine-tuning: training on the weights that the plan predicts for the new point. Adam, with the better of two
  learning rates (chosen in hindsight by the requested objectives' error: a favour that the step does not get).

Run: python bench/digits.py [--seeds 3]
"""

from __future__ import annotations

import argparse
import itertools
import time

import numpy as np
import torch

import paretonav as pn
from compare import LEARNING_RATES, Array, change, cosines, error, fine_tune, show, values
from report import write


def preferences(names: tuple[str, ...]) -> list[pn.Improve]:
    singles = [pn.Improve({name: 1.0}) for name in names]
    pairs = [pn.Improve({a: 0.7, b: 0.3}) for a, b in itertools.permutations(names, 2)]
    held = [pn.Improve({a: 1.0}, hold=[b]) for a, b in itertools.permutations(names, 2)]
    return singles + pairs + held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    rows: list[dict[str, object]] = []
    starts: list[dict[str, object]] = []
    for seed in range(parser.parse_args().seeds):
        problem = pn.problems.digits(seed=seed)
        began = time.perf_counter()
        problem.train()
        training = time.perf_counter() - began
        nav = pn.Navigator(problem)
        start = nav.start()
        scale = float(start.train.mean.mean())
        starts.append(
            {
                "seed": seed,
                "training s": training,
                "start() s": start.cost.seconds,
                "losses": show(start.train.mean.numpy()),
                "validation": show(values(start.validation)),
                "joint gain % of losses": 100 * start.joint_gain / scale,
                "lowest cosine": float(cosines(nav).min()),
            }
        )
        for preference in preferences(problem.names):
            rows.append({"seed": seed, **one_step(nav, start, preference, training)})
        if seed == 0:
            write(
                "digits_published",
                "Digits: the default and the published method from one start",
                [
                    row
                    for w in preferences(problem.names)[:9]
                    for row in side_by_side(nav, start, w, training)
                ],
                PUBLISHED_NOTES,
            )
    write("digits_starts", "Digits: the starting points", starts)
    write("digits_steps", "Digits: steps of 5 % from the trained start", rows, NOTES)
    summary(rows)


NOTES = """
Errors are |predicted - achieved| / |predicted| over the three losses. "gain" columns are the change of the improved
objectives in proportion to the request (1: as asked) on training data; "price" the rise of the others, relative to the
predicted one. Time is the step's, to the new point's tangent included, as a share of the training time in the same run.
"""


PUBLISHED_NOTES = """
The published method's step has a length of its own (0.01 in parameter space) and its corrector 15 epochs: compare
the ratio of the improvements with the one asked for, and the cost, not the amounts. The default is asked for 5 %.
"""


def side_by_side(
    nav: pn.Navigator, start: pn.Point, preference: pn.Improve, training: float
) -> list[dict[str, object]]:
    """One wish, taken by both methods from the same parameters."""
    nav.go_to(start.id)
    published = pn.Navigator(nav.problem, **pn.ppe())
    published.start(polish=False)
    rows: list[dict[str, object]] = []
    for method, navigator in (("default", nav), ("published", published)):
        step = navigator.step(preference, 0.05)
        names = list(preference.weights)
        first, last = step.achieved[names[0]], step.achieved[names[-1]]
        validation = step.achieved_validation
        rows.append(
            {
                "asked": " ".join(f"{n} {w:g}" for n, w in preference.weights.items()),
                "method": method,
                "status": str(step.status),
                "achieved": show(values(step.achieved)),
                "validation": show(values(validation)) if validation else "",
                "ratio (2.33 asked)": first / last if len(names) > 1 and last else "",
                "gradient passes": step.cost.gradient_passes,
                "Hessian products": step.cost.hessian_products,
                "time / training": step.cost.seconds / training,
            }
        )
        nav.go_to(start.id)
    return rows


def one_step(
    nav: pn.Navigator, start: pn.Point, preference: pn.Improve, training: float
) -> dict[str, object]:
    problem = nav.problem
    assert isinstance(problem, pn.problems.Digits)
    nav.go_to(start.id)
    asked = " ".join(f"{n} {w:g}" for n, w in preference.weights.items())
    label = asked + (f", hold {preference.hold[0]}" if preference.hold else "")
    try:
        preview = nav.preview(preference, 0.05)
    except pn.InfeasiblePreferenceError as refused:
        return {
            "asked": label,
            "status": f"infeasible, reach {refused.reach:.3f}",
            **dict.fromkeys(FIGURES, ""),
        }
    step = nav.step(preference, 0.05)
    nav.go_to(start.id)
    wish = preview.plan.wish
    wanted = np.array([step.requested[problem.names[i]] for i in wish.improved])

    def gain(v: Array) -> float:
        return float(v[wish.improved] @ wanted / (wanted @ wanted))

    uniform = torch.full((problem.m,), 1 / problem.m)
    control = change(
        problem,
        start,
        fine_tune(problem, start.parameters, uniform, step.cost.seconds, LEARNING_RATES[0])[0],
        "train",
    )
    weights = torch.from_numpy(preview.plan.weights).float()
    tuned = [
        change(
            problem, start, fine_tune(problem, start.parameters, weights, step.cost.seconds, rate)[0], "train"
        )
        for rate in LEARNING_RATES
    ]
    best = min(tuned, key=lambda v: float(np.linalg.norm(v[wish.improved] - wanted)))
    achieved, validation = values(step.achieved), values(step.achieved_validation)
    held = max((abs(validation[i]) for i in wish.held), default=0.0)
    return {
        "asked": label,
        "status": str(step.status),
        "predicted": show(values(step.predicted)),
        "achieved": show(achieved),
        "error train": error(values(step.predicted), achieved),
        "error validation": error(values(step.predicted_validation), validation),
        "held / gained, validation": held / float(np.abs(validation[wish.improved]).max())
        if wish.held.size
        else "",
        "time / training": step.cost.seconds / training,
        "Hessian products": step.cost.hessian_products,
        "gradient passes": step.cost.gradient_passes,
        "gain": gain(achieved),
        "gain control": gain(control),
        "gain fine-tuning": gain(best),
        "fine-tuning": show(best),
        "control": show(control),
    }


FIGURES = (
    "predicted",
    "achieved",
    "error train",
    "error validation",
    "held / gained, validation",
    "time / training",
    "Hessian products",
    "gradient passes",
    "gain",
    "gain control",
    "gain fine-tuning",
    "fine-tuning",
    "control",
)


def summary(rows: list[dict[str, object]]) -> None:
    taken = [r for r in rows if r["predicted"]]
    table = []
    for column in (c for c in FIGURES if isinstance(taken[0][c], int | float) or c.startswith("held")):
        numbers = np.array([float(str(r[column])) for r in taken if r[column] != ""])
        table.append(
            {"figure": column, "median": float(np.median(numbers)), "worst": float(_worst(column, numbers))}
        )
    accepted = sum(r["status"] == "accepted" for r in rows)
    write(
        "digits_summary",
        "Digits: steps of 5 %, summary",
        table,
        f"{accepted} of {len(rows)} accepted at once.",
    )


def _worst(column: str, numbers: Array) -> float:
    return (
        float(numbers[np.argmax(np.abs(numbers - 1))]) if column.startswith("gain") else float(numbers.max())
    )


if __name__ == "__main__":
    main()
