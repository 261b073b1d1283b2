"""The corrector of the published method: multiple-gradient descent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.geometry import Geometry, minimum_norm_weights, pareto_weights
from paretonav.objectives import Losses, Problem
from paretonav.objectives.finite import finite_jacobian
from paretonav.steering.stepping.correctors.base import Correction, Guide
from paretonav.steering.stepping.correctors.minibatch import batch_jacobian, moved

_FARTHEST = 1e9  # times the size of the start: descent that comes so far has no minimum to come to
_MEASURED = 0.5  # what is measured before the first epoch and after the last, in epochs


@dataclass(frozen=True, kw_only=True)
class MGDA:
    """Descend all objectives together along the minimum-norm element of their gradients' hull.

    (Désidéri, C. R. Acad. Sci. Paris 350, 2012; Fliege & Svaiter, Math. Meth. Oper. Res. 51, 2000.) A function is
    descended with Armijo's line search on every objective; a model on data by epochs of minibatches with fixed
    step length, of which the point with the least mean objective is kept: no visited point dominates it. Where
    the correction belongs to a step, only points that keep every improved objective below its value before the
    step are candidates.

    Attributes:
        max_iterations: line-search steps on a function.
        normalized: on a function, divide each gradient by its length first, so that a long one does not leave the
            progress to the short ones (which may end at a point that is only weakly optimal).
        tolerance: a function is critical when ``|J^T alpha|`` is below this fraction of the longest gradient (in
            single precision, below 4e-6 at least).
        epochs: of minibatches, on data.
        learning_rate: on data.
        momentum: on data.
        batch_size: on data, for problems that were given a Dataset.
        seed: of the batches' order.

    ``correct`` raises a ProblemError where the objectives of a function fall without an end.
    """

    max_iterations: int = 500
    normalized: bool = False
    tolerance: float = 1e-6
    epochs: int = 15
    learning_rate: float = 1e-3
    momentum: float = 0.0
    batch_size: int = 256
    seed: int = 0

    def correct(
        self,
        problem: Problem,
        theta: Tensor,
        weights: Tensor,  # noqa: ARG002 - the minimum norm has weights of its own
        geometry: Geometry,  # noqa: ARG002 - nor does it use curvature
        guide: Guide | None = None,
    ) -> Correction:
        if problem.stochastic:
            return self._minibatches(problem, theta, guide)
        return self._line_search(problem, theta)

    def _line_search(self, problem: Problem, theta: Tensor) -> Correction:
        length = torch.inf
        worst = 0.0  # gradient, as a multiple of the one that is small enough
        tolerance = max(self.tolerance, 32 * torch.finfo(theta.dtype).eps)
        farthest = _FARTHEST * (1 + float(theta.norm()))
        losses, jacobian = finite_jacobian(problem, theta, "on the way to the front")
        for iteration in range(self.max_iterations + 1):
            lengths = jacobian.norm(dim=1).double().cpu().clamp_min(torch.finfo(torch.float64).tiny)
            scales = lengths if self.normalized else torch.ones_like(lengths)
            weights, gradient = pareto_weights(problem, theta, jacobian / scales[:, None].to(jacobian))
            norm = float(gradient.norm())
            small = tolerance * float((lengths / scales).max())
            converged = norm <= small
            if converged or iteration == self.max_iterations:
                break
            excess = norm / max(small, 1e-300)
            worst = max(worst, excess)
            problem.watch.at(max(iteration / self.max_iterations, 1 - math.log(excess) / math.log(worst)))
            # A step may double, but stays short against the point itself: a long first one would leave its basin.
            first = 1e-2 if iteration == 0 else 1e-1
            length = min(2 * length, first * (1 + float(theta.norm())) / norm)
            length = _armijo(problem, theta, losses, gradient, length, scales)
            if length == 0:
                break
            theta = moved(problem, theta, gradient, length)
            if float(theta.norm()) > farthest:
                raise ProblemError(
                    f"the objectives fall without an end: after {iteration + 1} steps of descent the parameters have "
                    f"a norm of {float(theta.norm()):.2g}, and {problem.names[0]} is {float(losses.mean[0]):.2g}; "
                    "give bounds=, or objectives that are bounded below"
                )
            losses, jacobian = finite_jacobian(problem, theta, "on the way to the front")
        weights = weights / scales
        return Correction(theta, losses, weights / weights.sum(), None, iteration, converged)

    def _minibatches(self, problem: Problem, theta: Tensor, guide: Guide | None) -> Correction:
        generator = torch.Generator().manual_seed(self.seed)
        velocity = torch.zeros_like(theta)
        # Losses and parameters are kept as one value: they always belong together.
        first, total = _MEASURED, 2 * _MEASURED + self.epochs
        with problem.watch.part(first / total):
            kept = (theta, problem.evaluate(theta))
        problem.require_finite(kept[1], "before the first epoch")
        allowed = _ceiling(guide)
        for epoch in range(self.epochs):
            done = float(epoch)
            for batch in problem.minibatches(self.batch_size, generator):
                problem.watch.at((first + done) / total)
                done += batch.fraction
                jacobian = batch_jacobian(problem, batch, theta, "on a batch, on the way to the front")
                gradient = minimum_norm_weights(jacobian).to(jacobian) @ jacobian
                velocity = self.momentum * velocity + gradient
                theta = moved(problem, theta, velocity, self.learning_rate)
            with problem.watch.part((first + epoch + 1) / total):
                losses = problem.evaluate(theta)
                problem.watch.saw(problem.names, losses.mean)
            within = allowed is None or bool((losses.mean < allowed).all())
            best = problem.objectives(kept[1].steered, kept[0]).mean()
            if within and bool(problem.objectives(losses.steered, theta).mean() < best):
                kept = (theta, losses)
        _, jacobian = finite_jacobian(problem, kept[0], "back at the front")
        weights, _ = pareto_weights(problem, kept[0], jacobian)
        return Correction(kept[0], kept[1], weights, None, self.epochs, converged=False)


def _armijo(
    problem: Problem, theta: Tensor, losses: Losses, gradient: Tensor, length: float, scales: Tensor
) -> float:
    """The step length at which every objective falls as the test asks; 0 if only rounding is left to gain."""
    values = problem.objectives(losses.steered, theta)
    rounding = torch.finfo(theta.dtype).eps * values.abs()
    for _ in range(40):
        trial = moved(problem, theta, gradient, length)
        # |gradient|^2 * length, less what the box takes
        gain = float((theta - trial) @ gradient) * scales
        if (gain <= rounding).all():
            break
        after = problem.objectives(problem.evaluate(trial).steered, trial)
        if (after <= values - 1e-4 * gain).all():
            return length
        length /= 2
    return 0.0


def _ceiling(guide: Guide | None) -> Tensor | None:
    """[m]: the improved objectives' losses before the step, infinite for the others."""
    if guide is None:
        return None
    ceiling = torch.full((guide.front.m,), torch.inf, dtype=torch.float64)
    for i in guide.plan.wish.improved:
        if i < guide.front.m:
            ceiling[i] = guide.front.losses[i]
    return ceiling
