"""Which quantised layers may lie between steered parameters and the losses.

Their own weights are never steered, but gradients have to come through them. Layers that keep few bits of their weights
only are plain linear maps of dequantised weights, with exact derivatives. Layers that round what comes in, too, are
not: their outputs go by leaps, and what they give for a derivative is not one, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from paretonav.errors import ProblemError
from paretonav.objectives.graph import leads_to


def require_whole_inputs(model: nn.Module) -> None:
    """Refuse the layers of bitsandbytes that round what comes in, or will give no gradient.

    Raises:
        ProblemError: names the layer and the remedy.
    """
    for name, module in model.named_modules():
        kind = type(module).__name__
        if kind == "Linear8bitLt":
            raise ProblemError(
                f"module {name!r} (Linear8bitLt) rounds what comes in to 8 bits, so that losses go by leaps and have "
                "no derivatives; load the model in 4 bits (load_in_4bit), which keeps inputs whole, or dequantise it "
                "(model.dequantize() of a Hugging Face model)"
            )
        if kind in ("Linear4bit", "LinearFP4", "LinearNF4") and _repacks(module):
            raise ProblemError(
                f"module {name!r} ({kind}) repacks its weights when it is called in eval mode on this processor, and "
                "then gives no gradient; put such layers in train mode, which changes nothing else: "
                "for m in model.modules(): if isinstance(m, Linear4bit): m.train(); if the model was called before, "
                "load it anew"
            )


def _repacks(module: nn.Module) -> bool:
    """Whether a layer of 4 bits is, or will be, in the format for inference on the CPU."""
    weight = module.weight
    if getattr(getattr(weight, "quant_state", None), "packing_format_for_cpu", False):
        return True
    on_cpu = isinstance(weight, Tensor) and weight.device.type == "cpu"
    return on_cpu and not module.training and bool(getattr(module, "support_avx512bf16_for_cpu", False))


@contextmanager
def require_passing(model: nn.Module) -> Iterator[None]:
    """Require of what is run that gradients come through the layers whose weights are quantised.

    Raises:
        ProblemError: names the layer and the remedy.
    """
    cut: dict[str, str] = {}

    def look(name: str, module: nn.Module, given: tuple[Any, ...], returned: Any) -> None:
        pairs = [t for t in given if isinstance(t, Tensor) and t.grad_fn is not None]
        if pairs and isinstance(returned, Tensor) and not any(leads_to(returned, t.grad_fn) for t in pairs):
            cut.setdefault(name, type(module).__name__)

    handles = [
        module.register_forward_hook(lambda m, given, returned, name=name: look(name, m, given, returned))
        for name, module in model.named_modules()
        if any(map(_is_quantised, module.parameters(recurse=False)))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
    for name, kind in cut.items():
        raise ProblemError(
            f"module {name!r} ({kind} with quantised weights) gives no gradient to what comes before it, which would "
            "silently be left out: it rounds what comes in, or is meant for inference; quantise weights only "
            "(Int8WeightOnlyConfig of torchao, load_in_4bit of bitsandbytes), or steer only what comes after it by "
            "parameters="
        )


def _is_quantised(parameter: Tensor) -> bool:
    return parameter.dtype in (torch.int8, torch.uint8) or is_traceable_wrapper_subclass(parameter)
