"""Writing a chosen model, and what is to be said of it, to files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike

from torch import Tensor

from paretonav.errors import SessionError, reason_of
from paretonav.session.files import write_tensors, write_whole
from paretonav.session.places import place
from paretonav.session.premises import require_no_part_of_a_session
from paretonav.session.record import Record


def write_state(path: str | PathLike[str], state: Mapping[str, Tensor], facts: Mapping[str, object]) -> None:
    """Write tensors and facts to a safetensors file, whole or not at all.

    Args:
        path: of the file, ending in ".safetensors"; an existing one is replaced.
        state: name -> tensor; tied weights are written under each of their names.
        facts: what goes into the file's metadata, each as JSON.

    Raises:
        SessionError: the name ends otherwise, the file cannot be written or is a part of a session, or an entry of
            ``state`` is no tensor. A file that was there before is as it was.
    """
    target = place(path)
    if target.suffix != ".safetensors":
        raise SessionError(f"cannot export to {str(path)!r}: give a file name that ends in .safetensors")
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise SessionError(
                f"cannot export {name!r}, a {type(value).__name__}: a safetensors file holds tensors only; "
                "save the module's extra state separately"
            )
    require_no_part_of_a_session(target)
    try:
        write_tensors(target, state, {key: json.dumps(value) for key, value in facts.items()})
    except OSError as error:
        raise SessionError(
            f"cannot write {str(path)!r}: {reason_of(error)}; what was there is as it was"
        ) from error


def facts_of(record: Record, title: str) -> dict[str, object]:
    """What is written beside the model of a point, name -> value: losses, weights, number, name and title."""
    facts: dict[str, object] = {
        "paretonav.losses": record.losses,
        "paretonav.weights": record.weights,
        "paretonav.point": record.id,
    }
    facts |= {f"paretonav.{key}": said for key, said in (("name", record.name), ("title", title)) if said}
    if record.validation:
        facts["paretonav.validation"] = record.validation
    return facts


def write_text(path: str | PathLike[str], text: str) -> None:
    """Write a text in UTF-8, whole or not at all.

    Raises:
        SessionError: the file cannot be written, or is a part of a session. One that was there before is as it was.
    """
    target = place(path)
    require_no_part_of_a_session(target)
    try:
        write_whole(target, text.encode("utf-8", errors="replace"))
    except OSError as error:
        raise SessionError(
            f"cannot write {str(path)!r}: {reason_of(error)}; choose a file in a folder that exists and is writable"
        ) from error
