"""The model as a function of the steered vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from paretonav.objectives.data import Batch
from paretonav.objectives.parameters import FlatParameters

Outputs = Any
Forward = Callable[[nn.Module, Batch], Outputs]


class StatelessModel:
    """``forward(model, batch)`` at any values of the steered parameters; the module stays as it is.

    Args:
        model: the module.
        flat: its steered parameters.
        forward: ``(model, batch) -> outputs``; by default ``model(batch[0])``, or ``model(batch)`` where the
            batch is a tensor.
    """

    def __init__(self, model: nn.Module, flat: FlatParameters, forward: Forward | None = None) -> None:
        self._model = model
        self._flat = flat
        self._forward = _Call(model, forward or _first_element)

    def outputs(self, theta: Tensor, batch: Batch) -> Outputs:
        """The outputs for ``batch`` at ``theta`` [n]."""
        return self._at(theta, self._forward, batch)

    def outputs_for_curvature(self, theta: Tensor, batch: Batch) -> Outputs:
        """The same outputs, with a graph that can be differentiated twice."""
        # The other kernels for attention have no second derivative.
        with sdpa_kernel(SDPBackend.MATH):
            return self.outputs(theta, batch)

    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        """The module's own state_dict, taken while the values of ``theta`` [n] are in place.

        So tied weights and state_dict hooks are as ever. It shares memory with ``theta`` and the module.
        """
        return dict(self._at(theta.detach(), _Call(self._model, lambda model, _: model.state_dict()), None))

    def _at(self, theta: Tensor, call: _Call, batch: Batch) -> Any:
        replaced = {f"model.{name}": value for name, value in self._flat.unflatten(theta).items()}
        return functional_call(call, replaced, (batch,))


class _Call(nn.Module):
    """Makes ``function(model, batch)`` a module, so that functional_call can replace parameters in it."""

    def __init__(self, model: nn.Module, function: Forward) -> None:
        super().__init__()
        self.model = model
        self._function = function

    def forward(self, batch: Batch) -> Outputs:
        return self._function(self.model, batch)


def _first_element(model: nn.Module, batch: Batch) -> Outputs:
    return model(batch if isinstance(batch, Tensor) else batch[0])
