"""What a controller would publish of a model with validation data and accuracies, without a model."""

from __future__ import annotations

from typing import Any

NAMES = (
    "age",
    "income",
    "a loss with quite a long name",
    "age accuracy",
    "income accuracy",
    "hit rate of the third",
)
_VALUES = (1.416, 1.214, 1.546, 0.4589, 0.5844, 0.4)
_ERRORS = (0.021, 0.027, 0.017, 0.022, 0.018, 0.015)
_CHANGES = (-0.0383, 0.0376, -0.00423, 0.0189, -0.0122, -0.00111)


def since(i: int) -> dict[str, Any]:
    return {"change": _CHANGES[i], "error": 0.002, "noise": i == 5}


def state(**more: Any) -> dict[str, Any]:
    """At point 3, with a last step, options, and a front in three dimensions."""
    quantities = [
        {
            "name": name,
            "kind": "loss" if i < 3 else "metric",
            "better": "lower" if i < 3 else "higher",
            "value": _VALUES[i],
            "error": _ERRORS[i],
            "train": _VALUES[i] - 0.1 if i < 3 else _VALUES[i],
            "start": since(i),
            "last": since(i) | {"change": 0.5 * _CHANGES[i]},
            "weight": 1 / 3 if i < 3 else None,
            "conflict": "",
            "price": "1% better costs about 1.2% on income or 1.3% on age, all others held." if i < 3 else "",
        }
        for i, name in enumerate(NAMES)
    ]
    shown = [-0.05, 0.03, 0.02, 0.01, -0.01, 0.0]
    return {
        "version": 4,
        "title": "Three tasks",
        "live": True,
        "writable": True,
        "why_not": "",
        "current": 3,
        "parent": 2,
        "split": "validation",
        "objectives": 3,
        "quantities": quantities,
        "caution": "",
        "unsure": "",
        "standing": "The model is held where it is, by a pull of 0.1% of the largest curvature.",
        "front": None,
        "step": {
            "from": 2,
            "to": 3,
            "asked": "improve age by 5%",
            "status": "shortened",
            "reason": "the bound on income is reached",
            "seconds": 0.61,
            "gradient_passes": 4.2,
            "hessian_products": 110,
            "words": ["You asked to improve age by 5%."],
            "rows": [row(0, "validation"), row(1, "validation"), row(0, "training"), row(3, "")],
        },
        "way": way(),
        "options": [{"title": "improve age", "train": shown[:3], "shown": shown, "errors": [0.002] * 6}],
        "downloads": "download",
    } | more


def way(count: int = 4) -> dict[str, Any]:
    """The chain of points, of which every step but the second came as predicted."""
    several, columns = range(count), points(count)
    values = [*columns["validation"], *columns["metrics"]]
    return {
        "points": list(several),
        "values": values,
        "errors": [[None, *[0.004] * (count - 1)]] * 6,
        "predicted": [[None, *(x + 0.02 * (i == 1) for i, x in enumerate(v[1:]))] for v in values],
        "predicted_errors": [[None, *[0.002] * (count - 1)]] * 6,
    }


def row(i: int, split: str, **more: Any) -> dict[str, Any]:
    return {
        "name": NAMES[i],
        "kind": "loss" if split else "metric",
        "split": split,
        "better": "lower" if split else "higher",
        "before": _VALUES[i],
        "requested": -0.07 if i == 0 else None,
        "predicted": -0.0708 if i == 0 else 0.02,
        "predicted_error": 0.002,
        "achieved": -0.0354 if i == 0 else 0.021,
        "achieved_error": 0.003,
        "noise": False,
        "verdict": "worse than predicted" if i == 0 else "as predicted",
    } | more


def points(count: int = 4, **more: Any) -> dict[str, Any]:
    """A chain of points, of which the second ended early and the third is outperformed."""
    several = range(count)
    return {
        "version": 4,
        "parent": [None, *range(count - 1)],
        "star": [i == 1 for i in several],
        "name": ["the fair one" if i == 1 else "" for i in several],
        "note": ["balanced" if i == 1 else "" for i in several],
        "asked": ["start", *["improve age by 5%"] * (count - 1)],
        "status": ["", *["shortened" if i == 1 else "accepted" for i in several][1:]],
        "reason": [""] * count,
        "made": ["2026-11-23T10:00:00+00:00"] * count,
        "seconds": [0.5] * count,
        "efficient": [i != 2 for i in several],
        "train": [[_VALUES[k] - 0.1 + 0.01 * ((7 * i) % 5) for i in several] for k in range(3)],
        "validation": [[_VALUES[k] + 0.01 * ((7 * i) % 5) for i in several] for k in range(3)],
        "metrics": [[_VALUES[k] + 0.01 * ((3 * i) % 5) for i in several] for k in range(3, 6)],
        "weights": [[1 / 3] * count] * 3,
    } | more


def answer(steer: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An outlook that answers a steer that improves the first quantity."""
    shown = [-0.0142, 0.00705, 0.00579, 0.00918, -0.00341, -0.00118]
    exact = {
        "train": shown[:3],
        "shown": shown,
        "errors": [0.00048, 0.0002, 0.00031, 0.0012, 0.00055, 0.00038],
        "weights": [0.3] * 3,
        "attainable": True,
        "trusted": True,
        "requested": [-0.0142, *[None] * 5],
    }
    return {
        "by": steer["by"],
        "seq": steer["seq"],
        "modes": steer["modes"],
        "point": steer["point"],
        "asked": "improve age by 1%",
        "problem": "",
        "instead": None,
        "inputs": [0],
        "alone": None,
        "reach": [{"end": 38.2, "reason": "The bound on income is reached."}, *[None] * 5],
        "map": None,
        "exact": exact,
    } | more
