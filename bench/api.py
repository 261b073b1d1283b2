"""Writes docs/api.md: every public name with what it is in one line, and how it is called or what it has.

A name of ``paretonav.__all__`` that no heading lists is an error, so that the table stays whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import paretonav as pn

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
MODULES = ("correctors", "predictors", "problems", "plotting", "loggers")
HEADINGS: dict[str, tuple[str, ...]] = {
    "What is steered": (
        "ModelProblem",
        "from_trainer",
        "from_lightning",
        "from_accelerate",
        "FunctionProblem",
        "Problem",
        "checkup",
        "Checkup",
        "Finding",
    ),
    "Objectives and metrics": (
        "Metric",
        "Aggregate",
        "group_gap",
        "worst_group",
        "Penalty",
        "l2",
        "smooth_l1",
    ),
    "Steering": ("Navigator", "Geometry", "TrainOn", "ppe", "Cockpit", "Processes"),
    "Preferences": ("Improve", "Direction", "Aim", "Classify", "Prefer"),
    "What comes back": (
        "Point",
        "Preview",
        "Trial",
        "Step",
        "StepStatus",
        "FrontMap",
        "Route",
        "Cover",
        "Unreached",
        "Option",
        "Estimate",
        "TrainingGain",
        "Event",
        "News",
        "Cost",
    ),
    "What is kept": ("Session", "Record"),
    "Errors": (
        "ParetonavError",
        "ProblemError",
        "ProcessesError",
        "NonFiniteError",
        "OutOfMemoryError",
        "PreferenceError",
        "InfeasiblePreferenceError",
        "ReachedError",
        "NavigationError",
        "Cancelled",
        "SessionError",
        "MissingExtraError",
    ),
}
WITH_METHODS = ("Navigator", "Cockpit", "Session")
RESULTS = ("What comes back",)
"""Headings of what the library makes: they show what it has, not how it is made."""


def page() -> str:
    """The whole of docs/api.md."""
    listed = [name for names in HEADINGS.values() for name in names] + list(MODULES)
    if odd := set(pn.__all__) ^ set(listed):
        raise SystemExit(f"{', '.join(sorted(odd))}: in paretonav.__all__ or in HEADINGS, but not in both")
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The public names"
    yield ""
    yield (
        "All of `import paretonav as pn`, each in one line; `help(pn.Improve)` says the rest.\n"
        "Written from the code by [`bench/api.py`](../bench/api.py)."
    )
    for heading, names in HEADINGS.items():
        rows = [
            (name, getattr(pn, name), _attributes if heading in RESULTS or name == "Record" else _call)
            for name in names
        ]
        yield from _table(heading, rows)
        for name in names:
            if name in WITH_METHODS:
                members = _members(getattr(pn, name))
                yield from _table(f"`{name}`", [(key, value, _call) for key, value in members.items()], 3)
    for name in MODULES:
        module = getattr(pn, name)
        shown = {key: getattr(module, key) for key in module.__all__}
        shown = {key: value for key, value in shown.items() if callable(value) and value.__doc__}
        yield from _table(f"`pn.{name}`", [(key, value, _call) for key, value in shown.items()])


def _table(heading: str, rows: list[tuple[str, Any, Any]], level: int = 2) -> Iterator[str]:
    yield from ("", f"{'#' * level} {heading}", "", "| name | what it is | how |", "| --- | --- | --- |")
    for name, value, how in rows:
        shown = how(name, value).replace("|", "\\|")
        yield f"| `{name}` | {_first_sentence(value)} | {f'`{shown}`' if shown else ''} |"


def _first_sentence(value: Any) -> str:
    text = " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    return text.replace("``", "`").replace("|", "\\|")


def _call(name: str, value: Any) -> str:
    """A signature without types; empty for what is not called: a property, an error, a protocol."""
    if isinstance(value, property | ModuleType) or getattr(value, "_is_protocol", False):
        return ""
    if inspect.isclass(value) and (issubclass(value, BaseException) or inspect.isabstract(value)):
        return ""
    signature = inspect.signature(value)
    said: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if (
            parameter.kind is parameter.KEYWORD_ONLY
            and "*" not in said
            and not any(s[0] == "*" for s in said)
        ):
            said.append("*")
        said.append(_parameter(parameter))
    return f"{name}({', '.join(said)})"


def _parameter(parameter: inspect.Parameter) -> str:
    star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
    star = "**" if parameter.kind is parameter.VAR_KEYWORD else star
    default = parameter.default
    if default is parameter.empty:
        return f"{star}{parameter.name}"
    if inspect.isfunction(default):
        return f"{parameter.name}={default.__name__}"
    return f"{parameter.name}={'{}' if repr(default) == '<factory>' else repr(default)}"


def _attributes(_: str, value: Any) -> str:
    """What one has, in the order in which it is written."""
    if issubclass(value, Enum):
        return ", ".join(member.name for member in value)
    own = (
        [item.name for item in fields(value)] if is_dataclass(value) else list(getattr(value, "_fields", ()))
    )
    return ", ".join(name for name in [*own, *_members(value)] if not name.startswith("_"))


def _members(kind: type) -> dict[str, Any]:
    """Public methods and properties that a class has of itself, then those of the package's own bases."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("paretonav")]
    return {
        name: value if not isinstance(value, classmethod | staticmethod) else value.__func__
        for base in ours
        for name, value in vars(base).items()
        if not name.startswith("_")
        and (
            inspect.isfunction(value) or isinstance(value, property) or hasattr(value, "func")
        )  # ``func``: a cached property
    }


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
