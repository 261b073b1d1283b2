"""The current model, taken away in the format that its file name says."""

from __future__ import annotations

import os
from os import PathLike, fspath
from typing import Any

from torch import nn

from paretonav.errors import SessionError
from paretonav.navigation.position import Position
from paretonav.session.export import facts_of, write_text
from paretonav.session.places import place
from paretonav.session.pretrained import write_pretrained
from paretonav.session.program import Example, write_program

_STATE, _PROGRAM = ".safetensors", ".pt2"


def export(
    at: Position,
    point_id: int,
    path: str | PathLike[str],
    *,
    card: bool,
    example: Example | None,
    dynamic_shapes: Any,
) -> None:
    """Write the model of the current point; see ``Navigator.export``."""
    session = at.journal.session
    suffix = "" if _names_a_folder(path) else place(path).suffix
    if suffix not in ("", _PROGRAM):  # a state_dict, which needs no code; or nothing of these
        session.export(path, point_id, card=card)
        return
    module = getattr(at.problem, "model", None)
    if not isinstance(module, nn.Module):
        raise SessionError(
            f"cannot export to {str(path)!r}: the problem has no model, only parameters; give a file name that ends in "
            ".safetensors"
        )
    at.require_unchanged()
    text = session.card(point_id) if card else ""
    if suffix:
        write_program(path, module, example, dynamic_shapes, facts_of(session[point_id], session.title))
        if card:
            write_text(place(path).with_suffix(".md"), text)
    else:
        write_pretrained(path, module, text)


def _names_a_folder(path: str | PathLike[str]) -> bool:
    if fspath(path).endswith(("/", os.sep)):
        return True
    target = place(path)
    return target.is_dir() and target.suffix not in (_STATE, _PROGRAM)
