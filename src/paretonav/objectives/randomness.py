"""Which part of a computation gives two results for one input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import nn

from paretonav.objectives.trees import Fingerprint, fingerprint


class _Event(NamedTuple):
    name: str
    kind: str
    given: Fingerprint
    returned: Fingerprint


def random_module(model: nn.Module, run: Callable[[], Any]) -> str | None:
    """The innermost module that, in two runs, returns different tensors for the same ones; in words.

    None if no module does, so that what is random is around them.
    """
    for first, second in zip(_trace(model, run), _trace(model, run), strict=False):
        if first[:3] == second[:3] and first.returned != second.returned:
            return f"module {first.name!r} ({first.kind})" if first.name else f"the model ({first.kind})"
    return None


def _trace(model: nn.Module, run: Callable[[], Any]) -> list[_Event]:
    """All calls of modules in the order in which they end, so that inner ones come first."""
    events: list[_Event] = []

    def hook(name: str) -> Callable[..., None]:
        def record(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            given, returned = fingerprint((args, kwargs)), fingerprint(output)
            events.append(_Event(name, type(module).__name__, given, returned))

        return record

    handles = [
        module.register_forward_hook(hook(name), with_kwargs=True) for name, module in model.named_modules()
    ]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return events
