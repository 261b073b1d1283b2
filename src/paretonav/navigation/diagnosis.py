"""What is to be known of a problem before it is navigated: a check-up, which leaves model and problem as they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from paretonav.display import Display, Shown
from paretonav.errors import NonFiniteError, OutOfMemoryError, ProblemError
from paretonav.geometry import Curvature, Geometry
from paretonav.navigation.expectations import Expectations
from paretonav.objectives import Losses, Problem, Split
from paretonav.remarks import remarks_told
from paretonav.session import Session
from paretonav.statistics import FEWEST_BATCHES, FEWEST_EXAMPLES
from paretonav.text import listed, printable

Verdict = Literal["fine", "mind", "stop"]

_REFUSALS = (ProblemError, NonFiniteError, OutOfMemoryError)
_PARALLEL = 0.999  # cosine of two gradients above which there is nothing to trade between their losses
_ALIKE = 1e-5  # relative differences that rounding may make between two passes over the same data
_SYMMETRIC = 1e-2  # of a curvature product, by which it may fail to be
_VECTORS = {"start": 13, "step": 19}  # of all steered numbers, for each loss at most; see docs/scale.md
_SAMPLE = 64  # examples that one curvature product is tried on
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        about: what that is: "model", "data", "gradients".
        words: what was found, and the remedy if there is something amiss.
        verdict: "fine"; "mind" for what can be navigated but promises less; "stop" for what cannot.
    """

    about: str
    words: str
    verdict: Verdict = "fine"


@dataclass(frozen=True, repr=False)
class Checkup(Shown):
    """All that was looked at, in that order.

    Attributes:
        findings: of what can be navigated, one for each thing at least.
    """

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the problem can be navigated."""
        return all(finding.verdict != "stop" for finding in self.findings)

    def _display(self) -> Display:
        amiss = [f for f in self.findings if f.verdict != "fine"]
        title = f"Checkup: {'can' if self.ok else 'cannot'} be navigated, {len(amiss)} things to mind"
        return Display(title, ("about", "", "found"), [(f.about, f.verdict, f.words) for f in self.findings])


def checkup(make: Problem | Callable[[], Problem]) -> Checkup:
    """Look at a problem as a person would before navigating it: data, losses, gradients, curvature, time and memory.

    It takes two or three passes over the data and a curvature product, and writes nothing.

    Args:
        make: the problem, or what makes it: then what is refused or remarked on while it is made is found, too.

    Returns:
        What was found. What the library refuses is a finding; other errors, of the code that makes the problem, are
        raised.
    """
    found: list[Finding] = []
    with remarks_told(lambda remark: found.append(Finding("remark", remark, "mind"))):
        try:
            problem = make if isinstance(make, Problem) else make()
        except _REFUSALS as error:
            return Checkup((*found, Finding("problem", str(error), "stop")))
        for look in (_model, _data, _losses, _gradients, _curvature, _costs):
            try:
                found += list(look(problem))
            except _REFUSALS as error:
                found.append(Finding(look.__name__.strip("_"), str(error), "stop"))
                break
    return Checkup(tuple(found))


def _model(problem: Problem) -> Iterator[Finding]:
    theta = problem.parameters()
    where = f"{theta.numel():,} numbers are steered, in {str(theta.dtype).removeprefix('torch.')} on {theta.device}"
    module = getattr(problem, "model", None)
    if not isinstance(module, nn.Module):
        yield Finding("problem", f"a {type(problem).__name__}; {where}")
        return
    total = sum(p.numel() for p in module.parameters())
    yield Finding("model", f"a {type(module).__name__} of {total:,} parameters; {where}")
    if not theta.isfinite().all():
        yield Finding(
            "model", "some of the steered parameters are not finite; load the trained weights", "stop"
        )


def _data(problem: Problem) -> Iterator[Finding]:
    if not problem.stochastic:
        yield Finding("data", "none: a function, of which all numbers are exact")
        return
    yield Finding(
        "data", f"{problem.examples:,} training examples, in batches of up to {problem.batch_size:,}"
    )
    if not problem.has_validation:
        yield Finding(
            "data",
            "no validation data: what is promised and judged is about the training data, and says nothing of others; "
            "give validation=",
            "mind",
        )
    if not problem.has_test:
        yield Finding("data", "no test data, which would only be shown; test= takes them")


def _losses(problem: Problem) -> Iterator[Finding]:
    theta = problem.parameters()
    there = {
        "train": True,
        "validation": problem.has_validation,
        "test": problem.has_test and problem.stochastic,
    }
    for split in (split for split in _SPLITS if there[split]):
        losses = problem.evaluate(theta, split)
        problem.require_finite(losses, f"on the {split} data")
        yield Finding(f"losses, {split}", _told(problem, losses, split))
        if split == "validation" and losses.standard_error() is None:
            yield Finding(
                "standard errors",
                f"unknown: that takes {FEWEST_EXAMPLES} validation examples in {FEWEST_BATCHES} batches or groups, and "
                f"there are {losses.examples} in {len(losses.fractions)}; until then no verdict is certain",
                "mind",
            )
        if split != "test":
            again = problem.evaluate(theta, split)
            off = ((again.mean - losses.mean).abs() / losses.mean.abs().clamp_min(1e-300)).max()
            if float(off) > _ALIKE:
                yield Finding(
                    "repeatable",
                    f"two passes over the {split} data differ by up to {_short(100 * float(off))} % of a loss; take "
                    "what is random out of the data (augmentation) and the model",
                    "stop",
                )


def _told(problem: Problem, losses: Losses, split: Split) -> str:
    errors = losses.standard_error()
    parts = []
    for i, name in enumerate(problem.names):
        error = "" if errors is None else f" ± {_short(float(errors[i]))}"
        parts.append(f"{printable(name)} {_short(float(losses.mean[i]))}{error}")
    batches = f", {losses.examples:,} examples" if losses.examples is not None else ""
    return listed(parts) + (batches if split != "train" else "")


def _gradients(problem: Problem) -> Iterator[Finding]:
    theta = problem.parameters()
    _, jacobian = problem.jacobian(theta)
    names = [printable(name) for name in problem.names]
    norms = jacobian.norm(dim=1).double()
    if not norms.isfinite().all():
        bad = listed(name for name, norm in zip(names, norms, strict=True) if not math.isfinite(norm))
        yield Finding(
            "gradients", f"not finite: of {bad}; look for a square root or a logarithm at zero", "stop"
        )
        return
    if flat := [name for name, norm in zip(names, norms, strict=True) if norm == 0]:
        yield Finding("gradients", f"zero: of {listed(flat)}, so that it cannot be traded here", "mind")
    weights = problem.training_weights.to(jacobian)
    pull = float((weights @ jacobian).norm()) / max(float((weights.abs() * norms.to(jacobian)).max()), 1e-300)
    yield Finding(
        "trained",
        f"the gradient of the weighted sum is {_short(pull)} of the largest of its parts (0 on a front)",
    )
    yield from _angles(names, jacobian, norms)


def _angles(names: list[str], jacobian: Tensor, norms: Tensor) -> Iterator[Finding]:
    unit = jacobian.double() / norms.to(jacobian.device).clamp_min(1e-300)[:, None]
    cosines = unit @ unit.T
    pairs = [(i, j) for i in range(len(names)) for j in range(i)]
    least = min(pairs, key=lambda pair: float(cosines[pair]))
    yield Finding(
        "conflict",
        f"on the training data {names[least[1]]} and {names[least[0]]} pull apart most, with a cosine of "
        f"{_short(float(cosines[least]))} between their gradients (-1 is against each other)",
    )
    alike = [(i, j) for i, j in pairs if float(cosines[i, j]) > _PARALLEL]
    for i, j in alike:
        yield Finding(
            "conflict",
            f"{names[j]} and {names[i]} have the same gradient but for its length: there is nothing to trade between "
            "them; leave one out",
            "mind",
        )


def _curvature(problem: Problem) -> Iterator[Finding]:
    theta = problem.parameters()
    weights = problem.training_weights
    samples = min(_SAMPLE, problem.examples) if problem.examples is not None else None
    kind = problem.default_curvature
    operator = Curvature(problem.curvature_sample(samples, around=theta), theta, weights, kind=kind)
    ways = torch.randn(2, theta.numel(), generator=torch.Generator().manual_seed(0)).to(theta)
    products = operator(ways)
    if not products.isfinite().all():
        yield Finding(
            "curvature", "a product with it is not finite; look for what has no second derivative", "stop"
        )
        return
    one, other = float(ways[0] @ products[1]), float(ways[1] @ products[0])
    size = float((ways[0].norm() * products[1].norm()).clamp_min(1e-300))
    if abs(one - other) > _SYMMETRIC * size:
        yield Finding("curvature", "products with it are not symmetric, so ways will be worse", "mind")
    yield Finding("curvature", f"{kind}, by products on up to {samples or 'all'} examples: they work")


def _costs(problem: Problem) -> Iterator[Finding]:
    theta = problem.parameters()
    vector = theta.numel() * theta.element_size()
    for what, many in _VECTORS.items():
        yield Finding(
            f"memory, {what}",
            f"up to {_bytes(many * problem.m * vector)} for vectors of what is steered, beside the model and its "
            "activations",
        )
    if not problem.stochastic:
        return
    with Session() as session:
        expected = Expectations(problem, session, holds=problem.comes_trained)
        for what in ("start", "step"):
            estimate = expected.estimate(what, Geometry(), lambda work: work())  # type: ignore[arg-type]
            yield Finding(f"time, {what}", estimate.words)


def _short(x: float) -> str:
    return f"{x:.3g}"


def _bytes(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{_short(count)} {unit}"
        count /= 1024
    raise AssertionError
