"""Writing a model as a program that runs without its code, by ``torch.export``."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from paretonav.errors import SessionError, reason_of
from paretonav.session.files import replacing
from paretonav.session.places import place
from paretonav.session.premises import require_no_part_of_a_session

Example = Sequence[Any] | Mapping[str, Any]


def write_program(
    path: str | PathLike[str],
    module: nn.Module,
    example: Example | None,
    dynamic_shapes: Any = None,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Write what a module computes, and its parameters, to a ``.pt2`` file, whole or not at all.

    It runs without the module's code: ``torch.export.load(path).module()(*example)``.

    Args:
        path: of the file; an existing one is replaced.
        module: in the mode in which it is to run.
        example: what it is called with, a tuple or a dict (of keyword arguments), with two examples or more.
        dynamic_shapes: as ``torch.export.export`` takes it; None: the first dimension of every tensor may vary, where
            the module allows that.
        facts: what goes into the file beside the program, each as JSON.

    Raises:
        SessionError: there is no example, torch cannot follow the module, or the file cannot be written or is a part of
            a session. A file that was there before is as it was.
    """
    target = place(path)
    require_no_part_of_a_session(target)
    if not isinstance(example, Sequence | Mapping) or isinstance(example, str):
        raise SessionError(
            f"cannot export to {str(path)!r} without knowing how the model is called; give example=(inputs,), or "
            "example={'input_ids': ...}"
        )
    args, kwargs = ((), dict(example)) if isinstance(example, Mapping) else (tuple(example), {})
    try:
        program = _followed(module, args, kwargs, dynamic_shapes)
    except Exception as error:  # torch's own, Python's, the module's: whatever stands in the way
        raise SessionError(
            f"cannot export to {str(path)!r}: torch.export cannot follow the model ({type(error).__name__}: "
            f"{str(error).strip().partition(chr(10))[0]}); export a .safetensors file, which needs the model's code"
        ) from error
    kept = {name: json.dumps(value) for name, value in (facts or {}).items()}
    try:
        with replacing(target) as complete:
            torch.export.save(program, complete, extra_files=kept)
    except OSError as error:
        raise SessionError(
            f"cannot write {str(path)!r}: {reason_of(error)}; what was there is as it was"
        ) from error


def _followed(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], shapes: Any
) -> torch.export.ExportedProgram:
    """What torch makes of the module: with ``shapes``, or, if there are none, as many examples as it allows."""
    if shapes is None:
        with suppress(Exception):  # what stands in the way of the module itself comes again
            return torch.export.export(
                module, args, kwargs, dynamic_shapes=_first_may_vary(module, args, kwargs)
            )
    return torch.export.export(module, args, kwargs, dynamic_shapes=shapes)


def _first_may_vary(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Argument -> what of it may vary; arguments that only ``**kwargs`` takes are one, as torch counts them."""
    given = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    found: dict[str, Any] = pytree.tree_map(
        lambda value: {0: torch.export.Dim.AUTO} if isinstance(value, Tensor) and value.ndim else None,
        dict(given),
    )
    return found
