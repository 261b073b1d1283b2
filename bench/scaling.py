"""How a step scales: with the parameters, with the objectives, and with the examples.

Every number of parameters has a process of its own, so that the peak of memory is its own. Exponents are slopes of the
straight lines through the logarithms of sizes and figures.

- parameters: a regression with one output and two tasks, whose targets differ, so that they compete at any width; 512
  examples, two hidden layers of tanh, trained by a few steps of Adam. Measured are `nav.start(polish=False)`, a
  preview, and a step that improves one task by 1 %.
- objectives: DTLZ2, and the same regression with as many tasks, each with its output, of 40 hidden units.
- examples: `pn.problems.digits`, trained on as many images in all.

Run: python bench/scaling.py [--quick]
     python bench/scaling.py --largest [--threads 2]  (1e8 parameters alone, on 64 examples: up to 20 GiB, half an hour)
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import figures
import paretonav as pn
from measures import error
from meters import peak_mib, seconds
from paretonav.geometry import Curvature, measured_front
from report import Row, write

Sizes = dict[str, tuple[int, ...]]

FULL: Sizes = {
    "parameters": (10**4, 10**5, 10**6, 10**7),
    "objectives": (2, 3, 5, 10, 20, 50),
    "tasks": (2, 3, 5, 10, 20),
    "examples": (2_000, 4_000, 8_000, 16_000, 32_000, 64_000),
}
QUICK: Sizes = {
    "parameters": (10**4, 10**5),
    "objectives": (2, 10),
    "tasks": (2, 5),
    "examples": (1_000, 2_000),
}
LARGEST = 10**8

_INPUTS = 64
_EXAMPLES = 512
_FEW_EXAMPLES = 64  # with the largest network, whose vectors, not its examples, are what is measured
_PREVIEWS = 30


def exponent(sizes: Sequence[float], figures: Sequence[float]) -> float:
    """The p of figure = factor * size^p that fits best, by least squares of the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(figures), 1)[0])


@dataclass
class Clock:
    """Adds up the time in functions that it wraps; one called by another counts once."""

    seconds: float = 0.0
    _inside: bool = False

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, timed."""

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._inside:
                return function(*args, **kwargs)
            self._inside, began = True, time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._inside = False
                self.seconds += time.perf_counter() - began

        return timed


@contextmanager
def derivatives(problem: pn.Problem) -> Iterator[Clock]:
    """A clock of what evaluates ``problem`` or differentiates it, curvature included; the rest is our own algebra."""
    clock = Clock()
    with ExitStack() as stack:
        for owner, names in (
            (problem, ("evaluate", "jacobian", "response")),
            (Curvature, ("__init__", "__call__")),
            (measured_front, ("path_curvature",)),
        ):
            for name in names:
                stack.enter_context(patch.object(owner, name, clock.wrap(getattr(owner, name))))
        yield clock


def width(parameters: int) -> int:
    """Of the hidden layers, so that the network has about so many parameters."""
    per_unit = _INPUTS + 3  # of the first layer, all biases, and the output: h^2 + per_unit h = parameters
    return int((-per_unit + (per_unit**2 + 4 * parameters) ** 0.5) / 2 + 0.5)


def regression(
    hidden: int, tasks: int, outputs: int, steps: int = 40, examples: int = _EXAMPLES
) -> pn.ModelProblem:
    """Tasks with random teachers and noise that share a network, trained for a while on their mean.

    Args:
        hidden: units in each of two layers.
        tasks: how many.
        outputs: as many as tasks, or one for all.
        steps: of Adam, on all examples; the rate falls with the width, as wide networks need.
        examples: how many.
    """
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    x = torch.randn(examples, _INPUTS, generator=generator)
    y = torch.tanh(x @ torch.randn(_INPUTS, tasks, generator=generator) / _INPUTS**0.5)
    y += 0.5 * torch.randn(examples, tasks, generator=generator)
    layers = (nn.Linear(_INPUTS, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
    model = nn.Sequential(*layers, nn.Linear(hidden, outputs))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.3 / hidden, weight_decay=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        optimizer.step()
    model.zero_grad()
    del optimizer

    def task(i: int) -> Callable[[Tensor, list[Tensor]], Tensor]:
        def loss(found: Tensor, batch: list[Tensor]) -> Tensor:
            return (found[:, i % outputs] - batch[1][:, i]).square().mean()

        return loss

    losses = {f"task {i}": task(i) for i in range(tasks)}
    return pn.ModelProblem(model, losses, TensorDataset(x, y), weight_decay=1e-2)


def measure(problem: pn.Problem, amount: float, *, polish: bool) -> dict[str, Any]:
    """One start, previews and one step that improves the largest objective."""
    nav = pn.Navigator(problem)
    began = time.perf_counter()
    nav.start(polish=polish)
    started = time.perf_counter() - began
    # The largest: with many objectives, DTLZ2's first is a product of many cosines, and next to nothing.
    wish = pn.Improve({max(nav.here.losses, key=nav.here.losses.__getitem__): 1.0})
    amount = min(amount, 0.5 * nav.preview(wish, 1e-6).reach)
    previews = []
    for _ in range(_PREVIEWS):
        began = time.perf_counter()
        nav.preview(wish, amount)
        previews.append(time.perf_counter() - began)
    with derivatives(problem) as clock:
        step = nav.step(wish, amount)
    predicted, achieved = (np.array(list(d.values())) for d in (step.predicted.train, step.achieved.train))
    # A step from a model that is not polished sells training for trade-offs, and no prediction is about that.
    off = error(predicted, achieved) if polish else float("nan")
    return {
        "start s": started,
        "preview ms": 1e3 * float(np.median(previews)),
        "step s": step.cost.seconds,
        "in derivatives": clock.seconds / step.cost.seconds,
        "Hessian products": step.cost.hessian_products,
        "gradient passes": step.cost.gradient_passes,
        "amount": amount,
        "status": str(step.status),
        "error": off,
    }


def of_parameters(parameters: int) -> dict[str, Any]:
    """Time and memory at a number of parameters."""
    imported = peak_mib()
    few = parameters >= LARGEST
    problem = regression(width(parameters), 2, 1, *((100, _FEW_EXAMPLES) if few else ()))
    n = problem.parameters().numel()
    found = measure(problem, 0.01, polish=False)
    del found["error"]
    peak = peak_mib()
    theta = problem.parameters()
    pass_seconds = seconds(lambda: problem.jacobian(theta)) / problem.m
    weights = torch.full((problem.m,), 1 / problem.m)
    sample = problem.curvature_sample()
    operator = Curvature(sample, theta, weights, kind="gauss-newton")
    product = seconds(lambda: operator(theta[None]))
    return {
        "parameters": n,
        **found,
        "seconds / product": product,
        "product / gradient pass": product / pass_seconds,
        "peak MiB": peak - imported,
    }


def of_objectives(m: int) -> dict[str, Any]:
    """Time with m objectives of DTLZ2."""
    return {"problem": "DTLZ2", "objectives": m, **measure(pn.problems.dtlz(2, m), 0.05, polish=True)}


def of_tasks(m: int) -> dict[str, Any]:
    """Time with m tasks that share a small network."""
    problem = regression(40, m, m)
    return {"problem": "regression", "objectives": m, **measure(problem, 0.01, polish=False)}


def of_examples(examples: int) -> dict[str, Any]:
    """Time with a number of training images, after a training on as many images in all."""
    problem = pn.problems.digits(train_size=examples, epochs=max(2, 160_000 // examples))
    return {"examples": examples, **measure(problem, 0.05, polish=True)}


def apart(parameters: int, threads: int) -> dict[str, Any]:
    """``of_parameters`` in a process of its own."""
    command = [sys.executable, __file__, "--alone", str(parameters), "--threads", str(threads)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    row: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return row


NOTES = {
    "parameters": """Two tasks, 512 examples. "preview ms" is a median; "in derivatives" the share of the step's time in
torch's autograd and the evaluation of the problem; "peak MiB" of memory is above what the imports take, and what each
parameter adds to that of the smallest network is "bytes / parameter". The network is not trained to the end, and the
start not polished.""",
    "largest": """Two tasks, 64 examples; "peak MiB" of memory is above what the imports take. The network is trained
for 100 steps, and the start not polished.""",
    "objectives": """Previews and one step that improves one objective; those of the regression start unpolished. "in
derivatives" is the share of the step's time in torch's autograd and the evaluation of the problem.""",
    "examples": "A step of 5 % on overlaid digits; curvature is measured on a sample of at most 1024 of them.",
}

_FITTED = {
    "parameters": ("step s", "seconds / product"),
    "objectives": ("preview ms", "step s"),
    "examples": ("step s",),
}


def per_parameter(rows: Sequence[dict[str, Any]]) -> list[Row]:
    """The rows with the bytes that each parameter adds to the peak of the first row."""
    first = rows[0]

    def added(row: dict[str, Any]) -> float:
        more = row["parameters"] - first["parameters"]
        return (row["peak MiB"] - first["peak MiB"]) * 2**20 / more if more else float("nan")

    return [{**row, "bytes / parameter": added(row)} for row in rows]


def exponents(rows: Sequence[Row], size: str, figures: Sequence[str]) -> str:
    """The exponents of some columns in another, in words."""
    sizes = [float(str(row[size])) for row in rows]
    return ", ".join(
        f"{name} {exponent(sizes, [float(str(row[name])) for row in rows]):.2f}" for name in figures
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few sizes, in under a minute")
    parser.add_argument("--largest", action="store_true", help="1e8 parameters, alone")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=("parameters", "objectives", "examples"))
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    if options.alone:
        print(json.dumps(of_parameters(options.alone)))
        return
    if options.largest:
        title = f"A step with {LARGEST:.0e} parameters"
        write("scaling_largest", title, [apart(LARGEST, options.threads)], NOTES["largest"])
        return
    sizes = QUICK if options.quick else FULL
    kinds: dict[str, Callable[[int], dict[str, Any]]] = {
        "parameters": lambda size: apart(size, options.threads),
        "objectives": of_objectives,
        "tasks": of_tasks,
        "examples": of_examples,
    }
    chosen = options.only or ("parameters", "objectives", "examples")
    suffix = "_quick" if options.quick else ""
    curves: dict[str, list[Row]] = {}
    for name in chosen:
        parts = ("objectives", "tasks") if name == "objectives" else (name,)
        measured = {part: [kinds[part](size) for size in sizes[part]] for part in parts}
        found = "; ".join(
            f"{rows[0].get('problem', '')} {exponents(rows, name, _FITTED[name])}".strip()
            for rows in measured.values()
        )
        rows: list[Row] = [row for of_kind in measured.values() for row in of_kind]
        if name == "parameters":
            rows = per_parameter(measured[name])
        notes = f"{NOTES[name]}\n\nExponents in the {name}: {found}."
        write(f"scaling_{name}{suffix}", f"A step's time and memory by its {name}", rows, notes)
        curves[name] = rows
    if len(curves) == 3:
        figures.scaling(curves, f"scaling{suffix}")


if __name__ == "__main__":
    main()
