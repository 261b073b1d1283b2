"""Batches of a model's data as curvature takes them: functions of theta that can be differentiated twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives import trees
from paretonav.objectives.data import Batch
from paretonav.objectives.outputs import Join, divided, varying
from paretonav.objectives.passes import Passes
from paretonav.objectives.problem import Composite
from paretonav.objectives.untouched import versions


def composite(
    passes: Passes, batch: Batch, length: int, total: int, means: list[Tensor] | None = None
) -> Composite:
    """A batch's share of all losses.

    Args:
        passes: over the data that the batch is from.
        batch: of training data.
        length: its number of examples.
        total: the number of examples that it is a share of.
        means: of the parts of the losses over all the data, around which what is a function of them is taken; None to
            take it around those of the batch alone.
    """
    joins: list[Join] = []  # of the latest outputs
    known: list[int] = []  # which of them vary: in forward mode none has a graph
    untouched = versions(batch)
    all_losses, model, explained = passes.losses, passes.model, passes.whereabouts.explained

    def outputs(theta: Tensor) -> tuple[Tensor, ...]:
        with explained(f"the model failed on a curvature batch of {length} examples"):
            curved = model.outputs_for_curvature(theta, trees.fresh(batch))
        steered = model.flat.unflatten(theta) if all_losses.reads_parameters else {}
        known[:] = varying((curved, steered)) or known
        variable, join = divided((curved, steered), known)
        joins[:] = [join]
        return variable

    def taken(values: Callable[[list[Tensor]], Tensor], variable: tuple[Tensor, ...]) -> Tensor:
        curved, steered = joins[0](variable)
        with explained(f"the model or a loss failed on a curvature batch of {length} examples"):
            found = values(all_losses.parts(curved, steered, batch))
        if versions(batch) != untouched:
            raise ProblemError(
                f"the model or a loss writes into a curvature batch of {length} examples, which changes all that "
                "is computed of them next; let it work on a copy (labels = labels.clone()), or use torch.where"
            )
        # Nothing, but with a graph: losses that are constant on this batch have derivatives, too.
        found = found + sum(tensor[..., None][..., :0].sum() for tensor in variable)
        return found.to(model.flat.dtype)  # data in float64, as NumPy has them, do not change it

    def apart(variable: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
        curved, steered = joins[0](variable)
        return {name: all_losses.of_batch(name, curved, steered, batch) for name in all_losses.names}

    again = partial(model.again, for_curvature=True) if model.recomputes else None
    forward_mode = bool(model.recomputes) and model.forward_mode
    losses = partial(taken, partial(all_losses.values, means=means))
    if means is None:
        return Composite(length / total, outputs, losses, apart=apart, again=again, forward_mode=forward_mode)
    linear, shown = (
        partial(taken, partial(all_losses.linear, slopes=all_losses.slopes(means, shown=shown)))
        for shown in (False, True)
    )
    return Composite(
        length / total,
        outputs,
        losses,
        linear=linear,
        shown=None if all_losses.honest else shown,
        apart=apart,
        again=again,
        forward_mode=forward_mode,
    )
