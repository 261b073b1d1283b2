"""What a session notes of its problem: its names, and where a state_dict has the steered parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor

from paretonav.declared import fits
from paretonav.errors import SessionError
from paretonav.objectives import Entry, Problem
from paretonav.session.precision import Precision
from paretonav.steering import Point
from paretonav.text import printable

_FACTS = {
    "names": list[str],
    "metrics": list[str],
    "higher_is_better": dict[str, bool],
    "parameters": int,
    "weights": dict[str, float],
    "dtype": str,
    "layout": list[Any],
    "complete": bool,
    "precision": Precision,
    "model": str,
    "current": int,
    "pruned": list[int],
    "title": str,
}
_OPTIONAL = {"model", "pruned", "title"}  # what there is none of is not noted


def to_facts(problem: Problem, theta: Tensor) -> dict[str, Any]:
    """The facts by which a session knows its problem again."""
    layout = problem.layout()
    return {
        "names": list(problem.names),
        "metrics": list(problem.metric_names),
        "higher_is_better": dict(problem.higher_is_better),
        "parameters": len(theta),
        "weights": dict(zip(problem.names, problem.training_weights.tolist(), strict=True)),
        "dtype": _name(theta.dtype),
        "layout": [[list(entry.names), list(entry.shape), _name(entry.dtype)] for entry in layout],
        "complete": _is_all(problem, layout, theta),
    }


def require_sound(facts: Mapping[str, Any], points: int, where: str) -> None:
    """Refuse facts that ``to_facts`` and the archive do not note.

    Args:
        facts: as they were read.
        points: how many there are.
        where: the file that they are from.
    """
    wrong = [key for key in facts if not fits(facts[key], _FACTS.get(key, Any))]
    missing = sorted(_FACTS.keys() - facts.keys() - _OPTIONAL) if points else []
    if not wrong and not missing and points:
        wrong = _contradictions(facts)
    if wrong or missing:
        said = (
            f"its {wrong[0]!r} is not what paretonav writes" if wrong else f"it does not say {missing[0]!r}"
        )
        raise SessionError(f"{where} is damaged: {said}; restore it from a backup")
    if points and not 0 <= facts["current"] < points:
        raise SessionError(
            f"{where} is damaged: it is at point {facts['current']} of {points}; restore it from a backup"
        )


def require_same(facts: Mapping[str, Any], problem: Problem, theta: Tensor, where: str) -> None:
    """Refuse a problem that is not the one that a session was made with."""
    now = to_facts(problem, theta)
    for key, what in (
        ("names", "the objectives"),
        ("metrics", "the metrics"),
        ("parameters", "the number of parameters"),
        ("dtype", "the parameters' dtype"),
        ("layout", "the names and shapes of the parameters"),
    ):
        if now[key] != facts.get(key):
            there = printable(str(facts.get(key)))
            shown = "" if key == "layout" else f", {there} there and {now[key]} here"
            raise SessionError(
                f"the session in {where} is of another problem: {what} differ{shown}; give the problem that it was "
                "made with, or another folder"
            )


def require_same_hold(
    facts: Mapping[str, Any], problem: Problem, point: Point, holds: bool, where: str
) -> None:
    """Refuse a navigator or training weights with which the model would not be held as at a point of a session.

    Args:
        facts: of the session.
        problem: that it is to go on with.
        point: its current one.
        holds: whether the navigator holds models where they are.
        where: the session.
    """
    if point.anchor is None:
        if holds:
            raise SessionError(
                f"the session in {where} was made with a corrector or an approach that leads to the front, and this "
                "navigator holds the model where it is; give corrector= or approach= as then, or another folder"
            )
        return
    if not holds:
        raise SessionError(
            f"the session in {where} was made with the model held where it is, and this navigator leads it to the "
            "front; leave out corrector=, approach= and predictor=, or give another folder"
        )
    there = facts.get("weights", point.weights)
    here = dict(zip(problem.names, problem.training_weights.tolist(), strict=True))
    if any(not math.isclose(there[name], here[name], rel_tol=1e-9, abs_tol=1e-12) for name in here):
        raise SessionError(
            f"the session in {where} was made with other training weights: {_weights(there)} there, {_weights(here)} "
            "here; give weights= as then, or another folder"
        )


def from_facts(facts: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The layout that ``to_facts`` has noted, of facts that are sound."""
    return tuple(
        Entry(tuple(map(str, names)), tuple(map(int, shape)), _dtype(dtype))
        for names, shape, dtype in facts["layout"]
    )


def assembled(layout: tuple[Entry, ...], theta: Tensor, fixed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state_dict with the steered parameters theta [n] among the fixed ones."""
    sizes = [prod(entry.shape) for entry in layout]
    state = dict(fixed)
    for entry, part in zip(layout, torch.split(theta, sizes), strict=True):
        value = part.view(entry.shape).to(entry.dtype)
        state |= dict.fromkeys(entry.names, value)
    return state


def _is_all(problem: Problem, layout: tuple[Entry, ...], theta: Tensor) -> bool:
    """Whether the state_dict is nothing but the steered parameters and what stays as it is, wherever they are.

    It is more where a hook or an extra state makes it so, which nobody could know without the model's code.
    """
    first = problem.state_dict(theta)
    steered = {name for entry in layout for name in entry.names}
    fixed = {name: value for name, value in first.items() if name not in steered}
    if not all(isinstance(value, Tensor) for value in first.values()):
        return False
    for moved in (theta, theta + 1):
        state, built = problem.state_dict(moved), assembled(layout, moved, fixed)
        if state.keys() != built.keys() or not all(_same(state[name], built[name]) for name in state):
            return False
    return True


def _same(one: Tensor, other: Tensor) -> bool:
    equal = one.shape == other.shape and one.dtype == other.dtype
    return equal and bool(((one == other) | ((one != one) & (other != other))).all())


def _contradictions(facts: Mapping[str, Any]) -> list[str]:
    """Facts that are of the right types and mean nothing."""
    try:
        _dtype(facts["dtype"])
    except ValueError:
        return ["dtype"]
    try:
        layout = from_facts(facts)
    except (TypeError, ValueError, OverflowError):
        return ["layout"]
    if sorted(facts["weights"]) != sorted(facts["names"]):
        return ["weights"]
    negative = any(size < 0 for entry in layout for size in entry.shape)
    total = sum(prod(entry.shape) for entry in layout)
    return ["layout"] if negative or total != facts["parameters"] else []


def _weights(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{printable(name)} {weight:.4g}" for name, weight in weights.items())


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _dtype(name: object) -> torch.dtype:
    dtype = getattr(torch, str(name), None)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"{name!r} is no dtype")
    return dtype
