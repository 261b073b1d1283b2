"""The model as a function of the steered vector."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import is_dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import disable_saved_tensors_hooks
from torch.backends import cudnn, mha
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from paretonav.errors import ProblemError
from paretonav.objectives import trees
from paretonav.objectives.data import Batch
from paretonav.objectives.modes import variable
from paretonav.objectives.parameters import FlatParameters, plain_name

Outputs = Any
Forward = Callable[[nn.Module, Batch], Outputs]

_LATE = (
    "the model has begun to save activations through hooks (gradient checkpointing, or save_on_cpu) since the problem "
    "was made; make a new problem of the model as it is now"
)


class StatelessModel:
    """``forward(model, batch)`` at any values of the steered parameters; the module stays as it is.

    Args:
        model: the module.
        flat: its steered parameters.
        forward: ``(model, batch) -> outputs``; by default ``model(batch[0])``, or ``model(batch)`` where the
            batch is a tensor.
        autocast: run ``outputs`` under torch.autocast in this dtype, which must be torch.bfloat16; what it
            returns is in float32 again, so that losses are computed in it.

    Attributes:
        module: the module.
        flat: its steered parameters.
        recomputes: whether the model may run again in backward passes (gradient checkpointing), since it saves
            activations through hooks; None until it has run with a graph. What leads through it backward then has to
            be inside of ``again``.
        forward_mode: whether forward mode gives its derivatives, until somebody finds that it does not.

    Raises:
        ProblemError: another dtype for ``autocast``; from calls, a model that begins to recompute after its first run.
    """

    def __init__(
        self,
        model: nn.Module,
        flat: FlatParameters,
        forward: Forward | None = None,
        autocast: torch.dtype | None = None,
    ) -> None:
        if autocast not in (None, torch.bfloat16):
            raise ProblemError(
                f"autocast={autocast} is not possible; give torch.bfloat16 (gradients in float16 underflow "
                "without a scaled loss), or None"
            )
        self.module = model
        self.flat = flat
        self._forward = forward or first_element
        self._autocast = autocast
        self.recomputes: bool | None = None
        self.forward_mode = True
        self._recurrent = any(isinstance(module, nn.RNNBase) for module in model.modules())

    def outputs(self, theta: Tensor, batch: Batch) -> Outputs:
        """The outputs for ``batch`` at ``theta`` [n]."""
        return self.at(theta)(batch)

    def at(self, theta: Tensor) -> Callable[[Batch], Outputs]:
        """The outputs at ``theta`` [n] as a function of batches: the vector is taken apart once for all of them.

        On small batches that takes as long as a small model itself.
        """
        # Parameters of other dtypes are copies, which would lie beside the vector as long as the function does.
        replaced = self._replaced(theta) if self.flat.as_views else None

        def outputs(batch: Batch) -> Outputs:
            values = self._replaced(theta) if replaced is None else replaced
            with self._plainly():
                if self._autocast is None:
                    return self._run(values, batch)
                with torch.autocast(theta.device.type, self._autocast):
                    found = self._run(values, batch)
            return trees.map_tensors(lambda t: t.float() if t.dtype == self._autocast else t, found)

        return outputs

    def outputs_for_curvature(self, theta: Tensor, batch: Batch) -> Outputs:
        """The same outputs in full precision, with a graph that can be differentiated twice."""
        with self._plainly(), _twice_differentiable():
            return self._run(self._replaced(theta), batch)

    @contextmanager
    def again(self, theta: Tensor, *, for_curvature: bool = False) -> Iterator[None]:
        """Where a backward pass runs parts of the model again, it finds all as it was in the forward pass at ``theta``.

        The module itself has the steered values meanwhile, and the settings of torch are those of that pass. Nothing is
        done for a model that recomputes nothing.
        """
        if not self.recomputes:
            yield
            return
        with ExitStack() as settings:
            settings.enter_context(self._plainly())
            if for_curvature:
                settings.enter_context(_twice_differentiable())
            # They need a gradient, as theirs was needed: torch saves nothing for what needs none.
            replaced = self._replaced(variable(theta))
            settings.enter_context(_in_place(replaced))
            settings.callback(setattr, self.flat, "lent", self.flat.lent)
            self.flat.lent = True
            yield

    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        """The module's own state_dict, taken while the values of ``theta`` [n] are in place.

        So tied weights and state_dict hooks are as ever; names are those of the module before torch.compile.
        It shares memory with ``theta`` and the module.
        """
        with _in_place(self._replaced(theta.detach())):
            return {plain_name(name): value for name, value in self.module.state_dict().items()}

    def _run(self, replaced: Sequence[Replaced], batch: Batch) -> Outputs:
        """The outputs; the first run with a graph tells whether the model saves activations through hooks."""
        if self.recomputes or not torch.is_grad_enabled():
            return self._called(replaced, batch)
        try:
            with disable_saved_tensors_hooks(_LATE):
                given = trees.fresh(batch) if self.recomputes is None else batch
                outputs = self._called(replaced, given)
        except RuntimeError as error:
            if _LATE not in str(error):
                raise
            if self.recomputes is not None:
                raise ProblemError(_LATE) from error
            self.recomputes = True
            return self._called(replaced, batch)
        self.recomputes = False
        return outputs

    def _called(self, replaced: Sequence[Replaced], batch: Batch) -> Outputs:
        with _in_place(replaced):
            return self._forward(self.module, batch)

    def _replaced(self, theta: Tensor) -> list[Replaced]:
        """What the module is to have in the places of its own parameters."""
        places = ((path.rpartition("."), value) for path, value in self.flat.replacements(theta).items())
        return [
            Replaced(self.module.get_submodule(owner)._parameters, name, value)
            for (owner, _, name), value in places
        ]

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        """The settings of torch under which the same values come out with and without a graph."""
        fast = mha.get_fastpath_enabled()
        with ExitStack() as settings:
            # Without a graph, attention would take a path that zeroes padding: other losses than with one.
            settings.callback(mha.set_fastpath_enabled, fast)
            mha.set_fastpath_enabled(False)
            if self._recurrent:  # cuDNN has no derivative of these in eval mode, and no second one at all
                settings.enter_context(cudnn.flags(enabled=False))
            if "torch._dynamo" in sys.modules:  # compiled code has no second derivative
                settings.enter_context(torch.compiler.set_stance("force_eager"))
            yield


class Replaced(NamedTuple):
    """A tensor in the place of a parameter.

    Attributes:
        owner: the parameters of the module that has it.
        name: its name there.
        value: what stands in for it.
    """

    owner: dict[str, Any]
    name: str
    value: Tensor


@contextmanager
def _in_place(replaced: Sequence[Replaced]) -> Iterator[None]:
    """Meanwhile the module has these tensors.

    It is what torch.func.functional_call does, which on small batches takes as long as a small model, and which forgets
    the parameters of a shared module where it looks for ties (torch 2.13).
    """
    own = [owner[name] for owner, name, _ in replaced]
    try:
        for owner, name, value in replaced:
            owner[name] = value
        yield
    finally:
        for (owner, name, _), parameter in zip(reversed(replaced), reversed(own), strict=True):
            owner[name] = parameter


@contextmanager
def _twice_differentiable() -> Iterator[None]:
    """The other kernels for attention have no second derivative, and torch's weight norm a wrong one."""
    with sdpa_kernel(SDPBackend.MATH), _PlainWeightNorm():
        yield


class _PlainWeightNorm(TorchFunctionMode):
    """Weight normalisation by its formula.

    torch's own is silently wrong in its second derivative by v: it takes the saved norms for constants
    (torch.autograd.gradgradcheck fails on it, as of torch 2.13).
    """

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function is torch._weight_norm:
            return _weight_norm(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    return v * (g / torch.norm_except_dim(v, 2, dim))


def first_element(model: nn.Module, batch: Batch) -> Outputs:
    """The model called on a batch that is a tensor, or on its first element; ``ProblemError`` if it is neither."""
    if isinstance(batch, Tensor):
        return model(batch)
    if isinstance(batch, tuple | list) and len(batch) > 0:
        return model(batch[0])
    kind = f"a {type(batch).__name__}"
    example = "model(batch.x)" if is_dataclass(batch) else "model(batch['x'])"
    if keys := list(batch)[:8] if hasattr(batch, "keys") else []:
        kind += f" with {', '.join(map(repr, keys))}"
        example = "model(**batch)" if "input_ids" in keys else f"model(batch[{keys[0]!r}])"
    raise ProblemError(
        f"the model cannot be called on {kind}; say how it reads a batch, for example "
        f"forward=lambda model, batch: {example}"
    )
