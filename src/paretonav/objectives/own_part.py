"""What one process does of a problem's operations on data; alone, that is all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives.checks import require_deterministic
from paretonav.objectives.collected import Collected, Parts, Read, measured
from paretonav.objectives.composites import composite
from paretonav.objectives.data import Batch
from paretonav.objectives.gradients import BatchGradients
from paretonav.objectives.jacobian import Differentiated, JacobianPass
from paretonav.objectives.modes import recorded
from paretonav.objectives.parameters import plain_name
from paretonav.objectives.passes import Given, Passes
from paretonav.objectives.problem import Composite, Split
from paretonav.objectives.pushforward import Pushforward
from paretonav.objectives.quantities import Quantities
from paretonav.objectives.sample import Key
from paretonav.objectives.together import Together
from paretonav.objectives.tried_out import TryOut
from paretonav.objectives.whereabouts import explained
from paretonav.processes import Done


class Moving(NamedTuple):
    """What was read in a pass, and what comes of it along directions.

    Attributes:
        read: at the point itself.
        slopes: per direction, the derivatives of the parts.
    """

    read: Read
    slopes: list[Read]


class OwnPart:
    """The work that a problem has done ``everywhere`` (``Team``): each process does it on its own batches.

    What it reports are the parts of losses and metrics, batch by batch; gradients it sums up, and they are added over
    the processes. Whoever asks puts that together, counts it, and decides what is next.

    Args:
        passes: over the data.
        try_out: of the model.
        seed: of the curvature sample, in which all processes draw the same examples.

    Attributes:
        passes: the same.
        kept: what others have made of curvature samples, by a number that they have given it.
        first: whether this is the process that decides.
        pushforward: of the model's outputs.
        together: several points in one pass, where that is faster.
        gradients: of every training batch, from the latest pass that took them.
    """

    def __init__(self, passes: Passes, try_out: TryOut, seed: int) -> None:
        self.passes = passes
        self.kept: dict[int, Any] = {}
        self.first = True
        self.pushforward = Pushforward(passes.model.again, half=try_out.half)
        self.together = Together(passes)
        self.gradients: BatchGradients | None = None
        self._apart: JacobianPass | None = None  # waits for its slopes
        self._try_out = try_out
        self._seed = seed
        self._samples: dict[int, tuple[Sequence[tuple[Batch, int]], int]] = {}
        self._curvature_known = False  # whether autograd can follow it
        self._whereabouts = passes.whereabouts

    def take_turns(self, rank: int, processes: int) -> None:
        """From here on read batches ``rank``, ``rank + processes``, ... only."""
        self.first = rank == 0
        self.passes.take_turns(rank, processes)
        self._samples.clear()
        self.forget()

    def forget(self) -> None:
        """Forget the gradients: the same parameters are another model now."""
        self.gradients = self._apart = None

    @explained
    def read(self, theta: Tensor, *, split: Split) -> Done[Read]:
        """A pass without gradients."""
        return Done(self.passes.read(theta, self.passes.empty(split), split).read())

    @explained
    def probe(self, *points: Tensor, split: Split, batches: int | None) -> Done[list[Read]]:
        """A pass without gradients at each of several points [n], or over about ``batches`` batches."""
        with torch.no_grad():
            collected = self.together.read(points, split, batches)
            if collected is None:
                collected = self._one_by_one(points, split, batches)
        return Done([each.read() for each in collected])

    @explained
    def differentiate(
        self, theta: Tensor, *, split: Split, slopes: Sequence[Tensor] | None, wanted: bool
    ) -> Done[Differentiated]:
        """A pass with gradients of the losses, added up to the Jacobian times the number of examples."""
        return Done(*self._begun(theta, split, wanted).by_losses(slopes))

    @explained
    def differentiate_apart(self, theta: Tensor, *, split: Split, wanted: bool) -> Done[Differentiated]:
        """A pass with gradients of each loss's parts, which are kept to be weighted."""
        self._apart = self._begun(theta, split, wanted)
        return Done(self._apart.by_parts())

    def weighted(self, *, slopes: Sequence[Tensor]) -> Done[None]:
        """The Jacobian times the number of examples, of the pass ``differentiate_apart``."""
        assert self._apart is not None
        made, self._apart = self._apart, None
        return Done(None, made.weighted(slopes))

    def along(self, directions: Tensor, *, counts: Sequence[int]) -> Done[list[Tensor]]:
        """The derivatives of the training losses' parts along ``directions`` [k, n], from the gradients kept."""
        assert self.gradients is not None
        return Done(self.gradients.along(directions, counts))

    @explained
    def response(
        self, theta: Tensor, directions: Tensor, *, split: Split, batches: int | None
    ) -> Done[Moving]:
        """A pass in which everything is followed along ``directions`` [k, n]."""
        theta, directions = recorded(theta).detach(), recorded(directions)
        passes, collected = self.passes, self.passes.empty(split, batches)
        moving = [Collected(passes.losses, collected.metrics) for _ in directions]
        for batch, length in passes.batches(split, batches):
            pushed = self.pushforward(
                partial(passes.outputs, batch=batch),
                partial(self._parts, batch=batch, metrics=collected.metrics, split=split),
                theta,
                directions,
                passes.watch.checkpoint,
            )
            collected.add_parts(length, *pushed.parts)
            for each, slopes in zip(moving, pushed.slopes, strict=True):
                each.add_parts(length, *slopes)
        return Done(Moving(collected.read(), [each.read() for each in moving]))

    @explained
    def sample(self, key: Key, around: Tensor) -> list[Composite]:
        """The parts of a curvature sample; what autograd can make of them is tried out ``around`` [n] at first."""
        require_deterministic(self.passes.model.module)
        if key.size not in self._samples:
            generator = torch.Generator().manual_seed(self._seed)
            # Functions of means are curved within each batch, so that smaller ones would be another curvature.
            self._samples[key.size] = self.passes.data["train"].sample(
                key.size, generator, finely=self.passes.losses.plain
            )
        batches, total = self._samples[key.size]
        parts = (composite(self.passes, batch, length, total, key.means) for batch, length in batches)
        if batches and not self._curvature_known:  # what is found out there decides how the others are made
            self._try_out.curvature(next(parts), around)
            self._curvature_known = True
            return self.sample(key, around)
        return [key.seen(part) for part in parts]

    def write(self, theta: Tensor) -> Done[float]:
        """Make ``theta`` [n] the model's own parameters; reports their sum as they are then."""
        flat = self.passes.model.flat
        flat.write(theta)
        return Done(float(flat.read().double().sum()))

    def restore(self, *, fixed: Mapping[str, Tensor]) -> Done[None]:
        """Set what the model holds besides its steered parameters."""
        own = {plain_name(name): value for name, value in self.passes.model.module.state_dict().items()}
        for name, value in fixed.items():
            if not isinstance(own.get(name), Tensor) or own[name].shape != value.shape:
                raise ProblemError(f"the model has no {name!r} of shape {list(value.shape)} to restore")
        self.forget()
        with torch.no_grad():
            for name, value in fixed.items():
                own[name].copy_(value)
        return Done(None)

    def _one_by_one(self, points: Sequence[Tensor], split: Split, batches: int | None) -> list[Collected]:
        """What a pass collects at each point: every batch is read once."""
        collected = [self.passes.empty(split, batches) for _ in points]
        models = [self.passes.at(theta) for theta in points]
        for batch, length in self.passes.batches(split, batches):
            for outputs, each in zip(models, collected, strict=True):
                self.passes.watch.checkpoint()
                each.add(length, outputs(batch), batch)
        return collected

    def _begun(self, theta: Tensor, split: Split, wanted: bool) -> JacobianPass:
        made = JacobianPass(self.passes, theta, split, wanted=wanted)
        if split == "train":
            self.gradients = made.gradients
        return made

    def _parts(self, outputs: Given, batch: Batch, metrics: Quantities | None, split: Split) -> Parts:
        losses = self.passes.losses.parts(*outputs, batch)
        return [losses, [] if metrics is None else measured(metrics, outputs, batch, split)]
