"""The corrector for minibatches that keeps what a step has gained."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from paretonav.errors import ProblemError
from paretonav.geometry import Geometry
from paretonav.objectives import Losses, Problem
from paretonav.objectives.optimizers import OptimizerFactory, adam, optimizer_for, require_factory
from paretonav.steering.stepping.align import align
from paretonav.steering.stepping.correctors.base import Correction, Guide
from paretonav.steering.stepping.correctors.minibatch import batch_gradient
from paretonav.steering.stepping.settings import require_integers

_DESCENT = 0.7  # of an epoch's time, for its events; aligning takes the rest


@dataclass(frozen=True, kw_only=True)
class AlignedDescent:
    """Epochs of minibatches on the predicted weights, each brought back to the step's target.

    The front at weights ``w = alpha + B c`` is where ``sum_i w_i f_i`` is least, so descending that one sum leads
    back to it, for a single backward pass per batch. (Weights taken from each batch's own gradients, as in
    minibatch MGDA, are biased and never settle: Zhou et al., NeurIPS 2022; Fernando et al., ICLR 2023.) What the
    predicted weights get wrong shows as a drift along the front. After each epoch it is undone by aligning with
    the target along the tangent space that the step began with (forward passes), so only the unnamed objectives
    are left to fall.

    An epoch's noise is averaged out: its result is the mean of the points that it went through (Polyak & Juditsky,
    SIAM J. Control Optim. 30, 1992). Kept is the point that is best first in how far a named quantity is above its
    target, then in the weighted sum. An epoch that does not pay is taken back and the learning rate halved.

    Where there is weight decay, a guided correction keeps the parameters' size, as Newton's does: descent that
    may change the size trades losses for decay, which nobody asked for. Without a guide the weights
    given are descended, decay included.

    Args:
        optimizer: makes one from a list of parameters, such as ``lambda p: torch.optim.SGD(p, 0.02, 0.9)``.
            Weight decay belongs to the problem, not here.
        epochs: at most.
        batch_size: for problems that were given a Dataset.
        tolerance: an epoch pays if it lowers the weighted sum by this fraction of the mean absolute loss.
        patience: stop after as many epochs in a row that do not pay.
        alignments: rounds after each epoch, at most.
        seed: of the batches' order.

    Raises:
        ProblemError: an argument is out of range, or the optimizer does not fit.

    Measured in bench/results/correctors.md. Newton is the better one on functions without data, on linear models, and
    mostly in what a step keeps on validation data; this one leaves less joint gain after long steps on a network, and
    needs no second derivatives on its way.
    """

    optimizer: OptimizerFactory = adam
    epochs: int = 15
    batch_size: int = 256
    tolerance: float = 5e-4
    patience: int = 2
    alignments: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        require_factory(self.optimizer)
        require_integers(self, epochs=1, batch_size=1, patience=1, alignments=0)
        if not 0 <= self.tolerance < math.inf:
            raise ProblemError(
                f"tolerance={self.tolerance!r} is not possible; give zero or a positive number"
            )

    def correct(
        self,
        problem: Problem,
        theta: Tensor,
        weights: Tensor,
        geometry: Geometry,  # noqa: ARG002 - the guide brings the tangent that is needed
        guide: Guide | None = None,
    ) -> Correction:
        keep_size = guide is not None and problem.weight_decay > 0
        generator = torch.Generator().manual_seed(self.seed)
        first = 1 - _DESCENT  # what aligning takes before the first epoch, in epochs
        with problem.watch.part(first / (first + self.epochs)):
            kept = self._aligned(problem, theta, weights, guide, "before the first epoch")
        moving = kept.theta.detach().clone().requires_grad_()
        optimizer = optimizer_for(self.optimizer, moving)
        epoch = idle = 0
        while epoch < self.epochs and idle < self.patience:
            epoch += 1
            with problem.watch.part((first + epoch) / (first + self.epochs)):
                mean = self._epoch(problem, moving, weights, optimizer, generator, keep_size, epoch)
                found = self._aligned(problem, mean, weights, guide, f"after epoch {epoch}")
                problem.watch.saw(problem.names, found.losses.mean)
            idle = 0 if found.pays_after(kept, self.tolerance) else idle + 1
            if found.rank < kept.rank:
                kept = found
            if idle:
                for group in optimizer.param_groups:
                    group["lr"] /= 2
            with torch.no_grad():
                moving.copy_(kept.theta)
        return Correction(kept.theta, kept.losses, weights, None, epoch, idle >= self.patience)

    def _epoch(
        self,
        problem: Problem,
        theta: Tensor,
        weights: Tensor,
        optimizer: Optimizer,
        generator: torch.Generator,
        keep_size: bool,
        epoch: int,
    ) -> Tensor:
        """Move ``theta``, the optimizer's own tensor, once through the data; the mean of where it was, [n]."""
        size = theta.detach().norm()
        mean = torch.zeros_like(theta.detach())
        done = 0.0
        for number, batch in enumerate(problem.minibatches(self.batch_size, generator), 1):
            here = theta.detach()
            where = f"on batch {number} of epoch {epoch}, on the way to the front"
            gradient = batch_gradient(problem, batch, here, weights, where)
            if keep_size:
                gradient = gradient - (gradient @ here) / (here @ here).clamp_min(1e-30) * here
            else:
                gradient = gradient + problem.weight_decay * here
            theta.grad = gradient
            optimizer.step()
            with torch.no_grad():
                if problem.bounds is not None:
                    theta.copy_(problem.bounds.clamp(theta))
                mean.add_(theta, alpha=batch.fraction)
            done += batch.fraction
            problem.watch.at(_DESCENT * done)
        if keep_size:
            mean *= size / mean.norm().clamp_min(1e-30)
        return mean if problem.bounds is None else problem.bounds.clamp(mean)

    def _aligned(
        self, problem: Problem, theta: Tensor, weights: Tensor, guide: Guide | None, where: str
    ) -> _Candidate:
        losses = problem.evaluate(theta)
        problem.require_finite(losses, where)
        excess = 0.0
        if guide is not None:
            target = guide.target
            known = losses if target.split == "train" else None
            theta, found = align(problem, guide.tangent, theta, target, self.alignments, known)
            losses = found if target.split == "train" else problem.evaluate(theta)
            over = (target.excess(problem, theta, found) - target.tolerance) / target.scale
            excess = float(over.max(initial=0.0))
        return _Candidate(
            theta, losses, max(excess, 0.0), float(weights @ problem.objectives(losses.steered, theta))
        )


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A point with its own losses.

    Attributes:
        theta: [n].
        losses: there.
        excess: how far a named quantity is above its target beyond the tolerance, in parts of the change asked for.
        value: the weighted sum of the objectives.
    """

    theta: Tensor
    losses: Losses
    excess: float
    value: float

    @property
    def rank(self) -> tuple[float, float]:
        """The lower the better: what was asked for comes first."""
        return self.excess, self.value

    def pays_after(self, before: _Candidate, tolerance: float) -> bool:
        """Whether this is enough progress to go on."""
        if self.excess != before.excess:
            return self.excess < before.excess
        return self.value < before.value - tolerance * float(before.losses.mean.abs().mean())
