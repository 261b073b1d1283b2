"""What is tried out on the first batches of a model's data, so that a mistake comes out at once and with its name."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from paretonav.errors import ParetonavError, ProblemError
from paretonav.objectives import trees
from paretonav.objectives.averaged import halves
from paretonav.objectives.checks import depends_on
from paretonav.objectives.collected import Collected, measured
from paretonav.objectives.data import Batch
from paretonav.objectives.differentiated import differentiated
from paretonav.objectives.followed import is_bent, is_transposed, require_derivatives
from paretonav.objectives.gradients import rows_apart, worth_it
from paretonav.objectives.linearised import Linearised
from paretonav.objectives.modes import variable
from paretonav.objectives.observed import Observed
from paretonav.objectives.outputs import detached, divided
from paretonav.objectives.parameters import some_of
from paretonav.objectives.passes import Given, Passes
from paretonav.objectives.problem import Composite, Split, require_all_finite, require_finite
from paretonav.objectives.quantised import require_passing
from paretonav.objectives.randomness import random_module
from paretonav.objectives.splits import unlike
from paretonav.objectives.supported import (
    FLEX,
    refused_on_the_way,
    require_gradients,
    unchanged_buffers,
)
from paretonav.objectives.untouched import WRITES, copied, same, versions, written
from paretonav.objectives.whereabouts import explained
from paretonav.text import in_quotes

logger = logging.getLogger(__name__)

READS = "say how it reads a batch, for example forward=lambda model, batch: model(batch['x'])"


class TryOut:
    """Tries out a model, its losses and its metrics on the first batch of each split; what it costs is not counted.

    Args:
        passes: over the data.
        autocast: whether the model runs in half precision.

    Attributes:
        apart: whether Jacobians are best taken part by part; see ``gradients.worth_it``.
        half: whether something is computed in half precision.
    """

    def __init__(self, passes: Passes, *, autocast: bool) -> None:
        self.apart = False
        self._passes = passes
        self._model, self._flat = passes.model.module, passes.model.flat
        self._losses, self._names = passes.losses, passes.losses.names
        self._whereabouts = passes.whereabouts
        self.half = autocast

    @explained
    def first_batch(self, split: Split) -> None:
        """Run the first batch of a split.

        Raises:
            ProblemError: something is wrong with the model, a loss, a metric or the data; names it and the remedy.
            NonFiniteError: a loss is not finite on it.
        """
        (batch, length), (again, _) = (next(self._passes.batches(split)) for _ in range(2))
        theta = self._flat.read().requires_grad_()
        outputs = self._run_model(theta, batch, split)
        for name in self._names:
            self._run_loss(name, theta, outputs, batch, split)
            if split == "train":
                self._require_dependence(name, theta, outputs, batch)
                self._look_at_mean(name, outputs, batch, length)
        if split == "train" and not self._losses.plain:
            rows = rows_apart(self._losses.parts(*outputs, batch), divided(outputs)[0])
            batches = math.ceil(self._passes.data[split].size / length)
            self.apart = worth_it(len(rows), len(self._names), theta.numel(), batches)
        if self._passes.empty(split).metrics is not None:
            self._run_metrics(theta, outputs, batch, split)
        self._require_determinism(theta, batch, again, split)
        if split == "train" and not self.half:  # differences of rounded numbers say nothing
            self._require_derivatives(theta, batch)

    def _run_model(self, theta: Tensor, batch: Batch, split: Split) -> Given:
        """The outputs at ``theta`` [n], after a look at what else the model does when it is called."""
        # What is written to goes with it, and not the data.
        given = copied(batch)
        read, names = self._observer(), {name for name, _ in self._model.named_parameters()}
        try:
            with (
                unchanged_buffers(self._model),
                self._unchanged("the model", f"the first {split} batch", given, batch, theta),
                require_gradients(self._model, self._flat.paths),
                require_passing(self._model),
                read,
            ):
                outputs = self._passes.outputs(theta, given)
        except ParetonavError:
            raise
        except Exception as error:
            if "FlexAttention" in str(error):
                raise ProblemError(f"the outputs of the model come through {FLEX}") from error
            raise ProblemError(
                f"the model failed on the first {split} batch, a {type(batch).__name__}: {told(error)}; "
                f"{self._other_dtype(batch) or READS}"
                f"{unlike(self._passes.data['train'], batch, split)}"
            ) from error
        if new := [name for name, _ in self._model.named_parameters() if name not in names]:
            raise ProblemError(
                f"the model makes its {some_of(map(repr, new))} on the first call, too late to be steered; call the "
                "model on a batch first"
            )
        if read.read:
            raise ProblemError(
                f"the model reads the steered {some_of(map(repr, read.read))} from elsewhere than its own place in the "
                "module (a parameter that a function has captured, its .data or detach(), a copy in a list), where "
                "steered values do not come; take it from the module each time it is called, for example "
                "forward=lambda model, batch: model(batch[0]) @ model.head.weight"
            )
        if (what := refused_on_the_way(trees.tensors(outputs), theta)) is not None:
            raise ProblemError(f"the outputs of the model come through {what}")
        self.half = self.half or read.half
        return outputs

    def _run_loss(self, name: str, theta: Tensor, outputs: Given, batch: Batch, split: Split) -> None:
        """Compute one loss, and look at what else it does."""
        given, read = copied(batch), self._observer()
        try:
            with (
                self._unchanged(
                    f"loss {in_quotes(name)}", f"the first {split} batch", given, batch, theta, outputs
                ),
                read,
            ):
                part = self._losses.part(name, *outputs, given)
                value = self._losses.value(name, part)
                defined = self._losses.is_defined(name, part)
        except ProblemError:
            raise
        except Exception as error:
            raise ProblemError(
                f"loss {in_quotes(name)} failed on the first {split} batch: {told(error)}; it is called as "
                "loss(outputs, batch), as lambda outputs, batch: mse_loss(outputs, batch[1]) can be"
                f"{unlike(self._passes.data['train'], batch, split)}"
            ) from error
        self._require_unread(f"loss {in_quotes(name)}", read)
        require_finite(name, float(value.detach()), f"on the first {split} batch")
        if not defined:  # on this batch alone
            everything = self._passes.read(theta, Collected(self._losses, None), split)
            require_all_finite(self._names, everything.losses(), f"on the {split} data")

    def _run_metrics(self, theta: Tensor, outputs: Given, batch: Batch, split: Split) -> None:
        """Compute all metrics, and look at what else they do."""
        given, read, plain = copied(batch), self._observer(), detached(outputs)
        with (
            torch.no_grad(),
            self._unchanged("a metric", f"the first {split} batch", given, batch, theta, plain),
            read,
        ):
            measured(self._passes.metrics, plain, given, split)
        self._require_unread("a metric", read)

    def _look_at_mean(self, name: str, outputs: Given, batch: Batch, length: int) -> None:
        """Say so if a plain loss is no mean over examples: its value then depends on the batches."""
        if self._losses.is_plain(name):
            told = halves(
                lambda o, b: self._losses.part(name, o, {}, b)[0], detached(outputs[0]), copied(batch), length
            )
            if told is not None:
                logger.warning(
                    "loss %r is no mean over examples: it is %.3g on a batch and %.3g on average of its halves, so it "
                    "depends on how data are divided; give a gap, a rate or another function of means as an Aggregate "
                    "(group_gap), and keep batches of what compares examples by a batch sampler",
                    name,
                    *told,
                )

    def _other_dtype(self, batch: Batch) -> str:
        """What to do where the model is of one precision and the batch of another; "" where they are not."""
        floats = {tensor.dtype for tensor in trees.tensors(batch) if tensor.is_floating_point()}
        own = {tensor.dtype for tensor in self._flat.tensors}
        if not floats or own & floats:
            return ""
        there, here = (", ".join(sorted(map(str, dtypes))) for dtypes in (own, floats))
        return (
            f"its parameters are {there} and the batch has {here}: convert one of them (model.to(dtype), or "
            "forward=lambda model, batch: model(batch[0].to(dtype)))"
        )

    def _values(self, outputs: Given, batch: Batch) -> Tensor:
        """The losses of one batch alone, [m]."""
        return self._losses.values(self._losses.parts(*outputs, batch))

    def _observer(self) -> Observed:
        return Observed(dict(zip(self._flat.names, self._flat.tensors, strict=True)))

    @contextmanager
    def _unchanged(
        self, what: str, where: str, given: Batch, original: Batch, theta: Tensor, outputs: Any = None
    ) -> Iterator[None]:
        """Require that ``what`` is run does not write into what it is given."""
        before, values, made = versions(given), theta.detach().clone(), versions(outputs)
        cause = None
        try:
            yield
        except Exception as error:  # which may be torch's, of what was written
            cause = error
        if not same(theta, values):
            raise ProblemError(f"{what} {WRITES}") from cause
        if cause is not None:
            raise cause
        if (tensor := written(given, before, original)) is not None:
            raise ProblemError(
                f"{what} writes into {where}, {tensor}, which would change your data and all that is computed of them "
                "next; let it work on a copy (labels = labels.clone()), or use torch.where"
            )
        if versions(outputs) != made:
            raise ProblemError(
                f"{what} writes into the outputs of the model, which the other losses and metrics get, too; let it "
                "work on a copy (outputs = outputs.clone())"
            )

    def _require_unread(self, what: str, seen: Observed) -> None:
        """Refuse a loss or metric that takes parameters from the module."""
        if seen.read:
            raise ProblemError(
                f"{what} reads {some_of(map(repr, seen.read))} from elsewhere than outputs: from the module itself, "
                "which does not have the steered values by then; let forward return it in a tuple, list or dict, for "
                "example forward=lambda model, batch: (model(batch[0]), model.weight), give a Penalty, or, to keep a "
                "value as it was, a copy (.detach().clone())"
            )

    def _require_determinism(self, theta: Tensor, batch: Batch, again: Batch, split: Split) -> None:
        """Refuse losses that have two values at one point."""
        with torch.no_grad():
            first, second, reread = (
                self._values(self._passes.outputs(theta, b), b) for b in (batch, batch, again)
            )
        for values, what in (
            (second, None),
            (reread, "in two passes; give data without random augmentation, in a fixed order"),
        ):
            differs = ~torch.isclose(first, values, rtol=torch.finfo(first.dtype).eps ** 0.5)
            for name, wrong in zip(self._names, differs.tolist(), strict=True):
                if wrong:
                    what = what or f"on one batch; {self._culprit(theta, batch)}"
                    raise ProblemError(
                        f"loss {in_quotes(name)} on the {split} data is random: it has two values {what}"
                    )

    def _require_derivatives(self, theta: Tensor, batch: Batch) -> None:
        """Look whether the gradients of the losses on this batch are their derivatives."""

        def values(point: Tensor) -> Tensor:
            with torch.no_grad():
                return self._values(self._passes.outputs(point, batch), batch).double()

        losses = self._values(self._passes.outputs(theta, batch), batch)
        with self._passes.model.again(theta):
            gradients = torch.stack(
                [
                    torch.autograd.grad(loss, theta, retain_graph=True, materialize_grads=True)[0]
                    if loss.requires_grad
                    else torch.zeros_like(theta)
                    for loss in losses
                ]
            )
        pieces = dict(zip(self._flat.names, self._flat.sizes, strict=True))
        require_derivatives(self._names, values, theta.detach(), losses.detach(), gradients, pieces)

    def curvature(self, part: Composite, theta: Tensor) -> None:
        """Refuse a model or a loss of which autograd does not know the curvature, on a part of the sample."""
        assert part.apart is not None
        here = variable(theta)
        with differentiated(part, here):
            made = Linearised(part, here)
            right = is_transposed(made, here, half=self.half)
            if part.forward_mode and not right:  # it leaves something out, which the graph may have
                self._passes.model.forward_mode = False
                made = Linearised(part._replace(forward_mode=False), here)
                right = is_transposed(made, here, half=self.half)
            if not right:
                raise ProblemError(
                    "the model has a backward pass that torch cannot differentiate again (a kernel, a "
                    "torch.autograd.Function whose backward leaves torch or is marked once_differentiable), so that "
                    "curvature would be wrong without a word; write it with plain torch operations, or leave the "
                    "parameters before it out of parameters="
                )
            apart, leaves = part.apart, tuple(output.detach() for output in made.outputs)
            for name in self._names:
                if not is_bent(lambda variable, name=name: apart(variable)[name], leaves):  # type: ignore[misc]
                    raise ProblemError(
                        f"loss {in_quotes(name)} is curved, but torch cannot differentiate its "
                        "backward pass again (a kernel, a "
                        "torch.autograd.Function of one's own), so that curvature would be wrong without a word; write "
                        "it with plain torch operations, or show it as a metric, which needs no derivatives"
                    )

    def _culprit(self, theta: Tensor, batch: Batch) -> str:
        """What gives two values for one batch, and the remedy."""
        with torch.no_grad():
            if (module := random_module(self._model, lambda: self._passes.outputs(theta, batch))) is not None:
                remedy = (
                    "is there dropout (functional dropout, say)? Call model.eval()"
                    if any(each.training for each in self._model.modules())
                    else "it draws random numbers in eval mode, too, so let it return the mean there, "
                    "or take the noise from the batch"
                )
                return f"{module} gives two outputs for one input; {remedy}"
            first, second = (trees.fingerprint(self._passes.outputs(theta, batch)[0]) for _ in range(2))
        if first != second:
            return "forward itself gives two outputs for one input; take the random part out of it"
        return "the model's outputs are the same, so take the random part out of the loss"

    def _require_dependence(self, name: str, theta: Tensor, outputs: Given, batch: Batch) -> None:
        """Refuse a loss that does not depend on theta, or not by way of the outputs alone."""
        # Fresh, so that what a module has put aside is of this graph, which is still there.
        variable, join = divided(self._passes.outputs(theta, batch))
        apart, steered = join(tuple(leaf.detach() for leaf in variable))
        beside = self._losses.of_batch(name, apart, steered, batch)
        own = self._flat.tensors
        with self._passes.model.again(theta):
            elsewhere = any(depends_on(beside, tensor) for tensor in (theta, *own))
        if elsewhere:
            raise ProblemError(
                f"loss {in_quotes(name)} takes what depends on the parameters from elsewhere than the tensors in "
                f"outputs (a {type(outputs[0]).__name__}); let forward return it in a tuple, list or dict, for "
                "example forward=lambda model, batch: (model(batch[0]), model.weight)"
            )
        linked = self._slope_of(name, theta)
        if linked is None:
            raise ProblemError(
                f"loss {in_quotes(name)} does not depend on the steered parameters; choose others with parameters=, "
                "or check that nothing between model and loss detaches (.item(), .detach(), torch.no_grad)"
            )
        if not linked and not any(self._slope_of(name, there, only=batch) for there in _aside(theta)):
            raise ProblemError(
                f"loss {in_quotes(name)} does not depend on the steered parameters here: its gradient is zero on all "
                "the training data, and a per cent away, too; choose others with parameters=, or, if it is met already "
                "(a hinge that nothing violates) or goes by leaps (a rounded or thresholded output), so that nothing "
                "can be traded for it, show it as a metric, give a smooth stand-in (softplus), or leave it out until "
                "it is violated"
            )

    def _slope_of(self, name: str, theta: Tensor, only: Batch | None = None) -> bool | None:
        """Whether the loss has a gradient anywhere in the training data, or on one batch; None if no graph leads to it.

        Usually the first batch knows.
        """
        linked = None
        for batch in (batch for batch, _ in self._passes.batches("train")) if only is None else [only]:
            part = self._losses.part(name, *self._passes.outputs(theta, batch), batch)
            # Means on which the value of an Aggregate depends only in other batches, or not just here, count, too.
            value = (part * torch.arange(1, len(part) + 1, device=part.device)).sum()
            with self._passes.model.again(theta):
                if depends_on(value, theta):
                    linked = False
                    if torch.autograd.grad(value, theta)[0].any():
                        return True
        return linked


def told(error: Exception) -> str:
    """What an error says, with its kind where that is only a name."""
    return f"there is no {error}" if isinstance(error, KeyError) and " " not in str(error) else str(error)


def _aside(theta: Tensor) -> list[Tensor]:
    """Two points a per cent away: what is constant there is constant elsewhere, as a rule."""
    way = torch.randn(theta.shape, generator=torch.Generator().manual_seed(0)).to(theta)
    return [variable(theta.detach() + sign * 0.01 * (1 + theta.detach().abs()) * way) for sign in (1, -1)]
