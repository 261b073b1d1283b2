"""What is checked of the functions and the module that a problem is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from paretonav.errors import ProblemError
from paretonav.text import in_quotes


def functions(argument: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the mapping from names to functions that was given as ``argument``.

    Raises:
        ProblemError: it is no mapping, or one of its values cannot be called.
    """
    if not isinstance(given, Mapping):
        raise ProblemError(f"{argument} must map names to functions, not be a {type(given).__name__}")
    for name, function in given.items():
        if not callable(function):
            raise ProblemError(
                f"{argument}[{in_quotes(name)}] is {function!r}; give a function of (outputs, batch)"
            )
    return dict(given)


def scalar(name: str, value: object) -> Tensor:
    """The value of loss ``name``.

    Raises:
        ProblemError: it is not a scalar tensor.
    """
    if not isinstance(value, Tensor) or value.ndim != 0:
        what = f"shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ProblemError(
            f"loss {in_quotes(name)} returned {what}; it must return a scalar tensor, the mean over the batch "
            "(reduction='mean', or end with .mean())"
        )
    if value.is_complex():
        raise ProblemError(
            f"loss {in_quotes(name)} returned a complex number; take its .real or .abs(), losses are real"
        )
    return value


def scalar_metric(name: str, value: Any) -> Tensor:
    """The value of metric ``name`` as a scalar tensor, with its graph if it has one.

    Raises:
        ProblemError: it is not one number.
    """
    try:
        if isinstance(value, str):
            raise TypeError("it is text")
        if isinstance(value, complex) or (isinstance(value, Tensor) and value.is_complex()):
            raise TypeError("it is complex; take its .real or .abs()")
        if isinstance(value, Tensor) and value.numel() == 1:
            return value.reshape(()).to(value.dtype if value.is_floating_point() else torch.float64)
        return torch.tensor(float(value), dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ProblemError(
            f"metric {in_quotes(name)} must return one number, not {value!r}: {error}"
        ) from error


def depends_on(value: Tensor, source: Tensor) -> bool:
    """Whether autograd knows of a way from ``source`` to the scalar ``value``, whose graph is kept."""
    if not (value.requires_grad and source.requires_grad):
        return False
    return torch.autograd.grad(value, source, retain_graph=True, allow_unused=True)[0] is not None


def require_deterministic(model: nn.Module) -> None:
    """Refuse modules whose mode makes the losses random, or changes the module when it is evaluated.

    Raises:
        ProblemError: dropout, batch statistics or the like are in train mode.
    """
    for name, module in model.named_modules():
        if module.training and _needs_eval(module):
            which = f"module {name!r}" if name else "the model"
            raise ProblemError(
                f"{which} ({type(module).__name__}) is in train mode, which makes the losses random or "
                "dependent on the batch; call model.eval() first (gradients do not need train mode)"
            )


def _needs_eval(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    if isinstance(module, nn.MultiheadAttention):
        return bool(module.dropout > 0)
    if isinstance(module, nn.RNNBase):
        return module.dropout > 0 and module.num_layers > 1
    if isinstance(module, nn.modules.instancenorm._InstanceNorm):
        return module.track_running_stats
    return isinstance(module, nn.RReLU | nn.modules.batchnorm._BatchNorm)
