"""Tables of the rows: what it must reach, and each case on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from report import table
from zoo.measure import BROUGHT
from zoo.rows import Row, numbers
from zoo.verdicts import Verdict, after_training_on, verdicts

JUDGED = 0.1  # the largest amount that predictions must hold for
SMALL = 0.02  # up to which wishes must be met, or refused with reason
MANY = 5000  # training examples from which on costs are judged

NOTES = """
Each model is trained as usual and brought where it is. Wishes ask for 1, 2, 5, 10 and 20 % less of each loss, and of
the first two together, every time from the model as it came. Outcomes are computed outside of the library; changes are
parts of each loss's size, standard errors are those of a jackknife over 40 blocks of examples, with those that belong
together in one. Beside each step that was taken, fine-tuning has the same CPU time from the same start: the named
weights times 3, times 10, or those that the plan predicts, each at the training's learning rate and at a tenth of it;
what any of the six comes to counts. The control keeps the weights, at a tenth of the rate. An epoch is one pass forward
and backward of the training's weighted loss over its data, timed in the same run. A step's time includes its preview.

- as predicted: no validation loss worse than the preview by more than 10 % of its largest predicted change, or 2
  standard errors, and the named ones not better by more either. Of a shortened step, than what was said of its part.
- far off: a training or validation loss worse than that by more than half of the largest predicted change (and 2
  standard errors, on validation data).
- wrong way: a named loss that rose on TEST data by more than its standard error.
- miss: |requested - achieved| / |requested| of the named losses on TEST data, less one standard error each.
- dominated: a fine-tuning is on TEST data nowhere worse, and somewhere better by more than the standard error of the
  difference. Where the library says that training on pays, and the control's TEST losses agree, both are taken from
  the model after it.
- reached: fine-tuning came to a refused or shortened wish of 1 or 2 % on validation data, at one of ten looks in ten
  times the step's time (at least the usual one of this model), with the named weights times 3 or 10 at either rate.
"""


def summarise(rows: pd.DataFrame) -> str:
    """All tables, in Markdown."""
    made = verdicts(rows)
    parts = ["# The zoo: trained models where they are", NOTES.strip(), "## What it must reach"]
    parts += [table(targets(rows))]
    parts += ["## The models", table(_cases(rows))]
    if made:
        parts += ["## The steps", table([_steps(name, made) for name in dict.fromkeys(v.case for v in made)])]
        parts += ["## By amount", table([_amount(a, made) for a in sorted({v.amount for v in made})])]
    published = rows[rows["method"] == "ppe"]
    if len(published):
        parts += [
            "## The published method, 5 % of the first loss",
            table([_ppe(r) for _, r in published.iterrows()]),
        ]
    refusals = [_refusal(row) for _, row in rows[rows["method"] == "step"].iterrows() if row["reason"]]
    if refusals:
        parts += ["## What was refused, shortened or remarked", table(refusals)]
    errors = rows[rows["method"] == "error"]
    if len(errors):
        parts += ["## Errors", table([_error(row) for _, row in errors.iterrows()])]
    return "\n\n".join(parts) + "\n"


def targets(rows: pd.DataFrame) -> list[Row]:
    """What was aimed for, what came, and whether it is met."""
    made = verdicts(rows)
    judged = [v for v in made if v.taken and v.amount <= JUDGED + 1e-9]
    taken = [v for v in made if v.taken]
    small = [v for v in made if v.amount <= SMALL + 1e-9]
    beside = after_training_on(made, rows)
    tuned = [v for v in beside if v.dominated is not None]
    controlled = [v for v in beside if v.outdone is not None]
    starts = rows[(rows["method"] == "start") & (rows["origin"] == BROUGHT)]
    large = starts[starts["examples"] >= MANY]
    first, steps = (
        large["epochs"].tolist(),
        [v.epochs for v in made if v.examples >= MANY and v.status != "refused"],
    )
    many = f"at {MANY:,} examples or more"
    changed = int((starts["status"] == "changed").sum())
    return [
        _target("trained models changed by start()", "0", changed, len(starts), changed == 0),
        _share(
            "taken steps of 1 to 10 %: as predicted", judged, lambda v: bool(v.as_predicted), at_least=0.9
        ),
        _count("taken steps that are far off", taken, lambda v: bool(v.far_off)),
        _share(
            "wishes of 1 and 2 % accepted, or refused where fine-tuning does not reach them either",
            small,
            lambda v: v.true,
            at_least=0.95,
        ),
        _share("wishes of 1 and 2 % accepted", small, lambda v: v.accepted, at_least=0.75),
        _count("taken wishes that moved the wrong way on TEST data", taken, lambda v: bool(v.wrong_way)),
        _below("miss of the request on TEST data, median", [v.miss for v in taken], np.median, 0.1),
        _share("dominated by fine-tuning on TEST data", tuned, lambda v: bool(v.dominated), at_most=0.1),
        _share("dominated by the control on TEST data", controlled, lambda v: bool(v.outdone), at_most=0.1),
        _below(f"epochs of the first point {many}, median", first, np.median, 5),
        _below(f"epochs of the first point {many}, worst", first, np.max, 10),
        _below(f"epochs of a step {many}, median", steps, np.median, 3),
        _below(f"epochs of a step {many}, worst", steps, np.max, 6),
    ]


def _target(name: str, asked: str, came: object, of: int, met: bool) -> Row:
    return {
        "target": name,
        "asked": asked,
        "came": came if of else "",
        "of": of,
        "verdict": "not measured" if not of else "met" if met else "not met",
    }


def _share(
    name: str,
    of: Sequence[Verdict],
    holds: Callable[[Verdict], bool],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Row:
    share = sum(map(holds, of)) / len(of) if of else float("nan")
    met = share >= at_least if at_least is not None else at_most is not None and share <= at_most
    asked = f"at least {at_least:.0%}" if at_least is not None else f"at most {at_most:.0%}"
    return _target(name, asked, f"{share:.1%}", len(of), met)


def _count(name: str, of: Sequence[Verdict], holds: Callable[[Verdict], bool]) -> Row:
    count = sum(map(holds, of))
    return _target(name, "0", count, len(of), count == 0)


def _below(
    name: str, values: Sequence[float], number: Callable[[Sequence[float]], float], most: float
) -> Row:
    found = float(number(values)) if len(values) else float("nan")
    return _target(name, f"at most {most:g}", f"{found:.2g}", len(values), found <= most)


def _cases(rows: pd.DataFrame) -> list[Row]:
    """One row per case and origin."""
    shown: list[Row] = []
    starts = rows[rows["method"] == "start"]
    for (case, origin), group in starts.groupby(["case", "origin"], sort=False):
        first = group.iloc[0]
        gains = rows[(rows["case"] == case) & (rows["method"] == "training on")]["status"]
        shown.append(
            {
                "case": case,
                "origin": origin,
                "seeds": len(group),
                "examples": int(first["examples"]),
                "parameters": int(first["parameters"]),
                "losses, test (first seed)": ", ".join(
                    f"{name} {value:.3g}"
                    for name, value in zip(
                        first["objectives"].split("; "), numbers(first["losses test"]), strict=True
                    )
                ),
                "training s": float(group["training seconds"].median()),
                "training epochs": float(group["training epochs"].median()),
                "start, epochs": float(group["epochs"].median()),
                "changed": int((group["status"] == "changed").sum()),
                "training on": ", ".join(f"{n} {word}" for word, n in gains.value_counts().items()),
            }
        )
    return shown or [{"case": "none has been brought yet"}]


def _steps(case: str, made: Sequence[Verdict]) -> Row:
    return {"case": case} | _summary([v for v in made if v.case == case])


def _amount(amount: float, made: Sequence[Verdict]) -> Row:
    return {"amount": f"{amount:.0%}"} | _summary([v for v in made if v.amount == amount])


def _summary(made: Sequence[Verdict]) -> dict[str, object]:
    taken = [v for v in made if v.taken]
    compared = [v for v in taken if v.dominated is not None]
    return {
        "wishes": len(made),
        "accepted": sum(v.accepted for v in made),
        "shortened": sum(v.status == "shortened" for v in made),
        "reached all the same": sum(bool(v.reached) for v in made),
        "as predicted": f"{sum(bool(v.as_predicted) for v in taken)} of {len(taken)}",
        "far off": sum(bool(v.far_off) for v in taken),
        "wrong way": sum(bool(v.wrong_way) for v in taken),
        "miss, test": f"{np.median([v.miss for v in taken]):.2g}" if taken else "",
        "dominated": f"{sum(bool(v.dominated) for v in compared)} of {len(compared)}",
        "by the control": sum(bool(v.outdone) for v in compared),
        "epochs": f"{np.median([v.epochs for v in made]):.2g}",
        "worst": f"{np.max([v.epochs for v in made]):.2g}",
    }


def _ppe(row: pd.Series) -> Row:
    return {
        "case": row["case"],
        "status": row["status"],
        "test": _percent(row["test"]),
        "epochs": float(row["epochs"]),
        "reason": _plain(row["reason"]),
    }


def _refusal(row: pd.Series) -> Row:
    return {
        "case": row["case"],
        "seed": int(row["seed"]),
        "origin": row["origin"],
        "wish": row["wish"],
        "amount": f"{row['amount']:.0%}",
        "status": row["status"],
        "reason": _plain(row["reason"]),
    }


def _error(row: pd.Series) -> Row:
    return {"case": row["case"], "seed": int(row["seed"]), "error": _plain(row["reason"])}


def _percent(vector: str) -> str:
    return " ".join(f"{100 * x:+.2f} %" for x in numbers(vector))


def _plain(words: object) -> str:
    return " ".join(str(words).replace("|", "/").split())
