"""What a module must be like for its parameters to be replaced, and its losses to be functions of them."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy
from torch.utils.checkpoint import CheckpointFunction

from paretonav.errors import ProblemError
from paretonav.objectives.graph import nodes
from paretonav.objectives.untouched import same


def require_supported(model: nn.Module) -> None:
    """Refuse modules that cannot be run with other parameters than their own.

    Raises:
        ProblemError: names the module and the remedy.
    """
    for name, module in model.named_modules():
        which, kind = f"module {name!r}" if name else "the model", type(module).__name__
        if (
            isinstance(module, nn.DataParallel | DistributedDataParallel)
            or kind == "FullyShardedDataParallel"
        ):
            raise ProblemError(
                f"{which} is wrapped in {kind}, which keeps copies or shards of the parameters; give the "
                "module inside (.module)"
            )
        if isinstance(module, torch.jit.ScriptModule):
            raise ProblemError(
                f"{which} is TorchScript, in which parameters cannot be replaced; give the Python module"
            )
        if isinstance(module, _BatchNorm) and module.running_mean is None:
            raise ProblemError(
                f"{which} ({kind}) takes the statistics of each batch even in eval mode "
                "(track_running_stats=False), so that losses depend on how the data are batched; let it track "
                "running statistics, or take GroupNorm or LayerNorm"
            )
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if is_lazy(tensor):
            raise ProblemError(f"parameter {name!r} is not initialised; call the model on a batch first")
        if type(tensor).__name__ == "DTensor" or hasattr(tensor, "placements"):
            raise ProblemError(
                f"parameter {name!r} is sharded (DTensor); give a model that is whole on one device"
            )


def require_dense(model: nn.Module, steered: Collection[nn.Parameter]) -> None:
    """Refuse layers whose gradient would be a sparse tensor.

    Raises:
        ProblemError: names the module and the remedy.
    """
    for name, module in model.named_modules():
        sparse = isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse
        if sparse and any(p is module.weight for p in steered):
            raise ProblemError(
                f"module {name!r} ({type(module).__name__}) has sparse=True, and all steered parameters are one "
                f"vector, of which no gradient is sparse; set model.{name}.sparse = False, or leave it out of "
                "parameters="
            )


@contextmanager
def unchanged_buffers(model: nn.Module) -> Iterator[None]:
    """Require that what is run changes no buffer, as counters and running estimates do.

    Raises:
        ProblemError: names the buffer, which is as it was again.
    """
    before = {name: (b, b.clone()) for name, b in model.named_buffers()}
    yield
    changed = ""
    for name, buffer in list(model.named_buffers()):
        if name not in before:
            continue
        original, copy = before[name]
        if not same(buffer, copy):
            changed = changed or name
            with torch.no_grad():
                original.copy_(copy)
        owner, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(owner), leaf, original)
    if changed:
        raise ProblemError(
            f"calling the model changes its buffer {changed!r}, so that no two passes are the same; call "
            "model.eval() first, or freeze it"
        )


@contextmanager
def require_gradients(model: nn.Module, paths: Collection[str]) -> Iterator[None]:
    """Require of what is run that the modules that own these parameters are not called without gradients only.

    Raises:
        ProblemError: names the module, and the reentrant checkpoint around it, if that is what does so.
    """
    calls: dict[str, list[tuple[bool, bool]]] = {}  # with gradients, in a reentrant checkpoint
    handles = [
        model.get_submodule(owner).register_forward_pre_hook(
            lambda *_, owner=owner: calls.setdefault(owner, []).append(
                (torch.is_grad_enabled(), _in_reentrant_checkpoint())
            )
        )
        for owner in sorted({path.rpartition(".")[0] for path in paths})
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
    for owner, modes in calls.items():
        if any(enabled for enabled, _ in modes):
            continue
        which = f"module {owner!r}" if owner else "the model"
        if any(reentrant for _, reentrant in modes):
            raise ProblemError(f"{which} has steered parameters in {REENTRANT}")
        raise ProblemError(
            f"{which} has steered parameters but runs without gradients (torch.no_grad); let it run with gradients, or "
            "leave it out of parameters="
        )


REENTRANT = (
    "a reentrant gradient checkpoint, through which torch gives no gradient for chosen parameters; take "
    "checkpoint(..., use_reentrant=False), of a Hugging Face model "
    "gradient_checkpointing_enable({'use_reentrant': False})"
)
"""What is said of one, and the remedy."""


def _in_reentrant_checkpoint() -> bool:
    """Whether what is running now was called by one."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code is CheckpointFunction.forward.__code__:
            return True
    return False


FLEX = (
    "flex_attention, which has no second derivative, and on the CPU no first one; take scaled_dot_product_attention "
    "(of a Hugging Face model attn_implementation='sdpa'), or leave what comes before it out of parameters="
)
"""What is said of that, and the remedy."""

_ON_THE_WAY = {f"{CheckpointFunction.__name__}Backward": REENTRANT, "FlexAttentionAutogradOpBackward": FLEX}


def refused_on_the_way(tensors: Iterable[Tensor], theta: Tensor) -> str | None:
    """What lies between some tensors and ``theta``, a leaf, that torch cannot differentiate as is needed; in words."""
    for node in nodes(t.grad_fn for t in tensors if t.grad_fn is not None):
        said = _ON_THE_WAY.get(node.name())
        if said is not None and any(getattr(each, "variable", None) is theta for each in nodes([node])):
            return said
    return None
