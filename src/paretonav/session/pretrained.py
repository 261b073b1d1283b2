"""Writing a model in the format of the library that it is from, by its own ``save_pretrained``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from torch import nn

from paretonav.errors import SessionError, reason_of
from paretonav.session.files import SCRATCH
from paretonav.session.places import place
from paretonav.session.premises import require_no_part_of_a_session

_CARD = "README.md"  # what a hub shows


def write_pretrained(path: str | PathLike[str], module: nn.Module, card: str = "") -> None:
    """Write a Hugging Face model, or peft's adapters of one, to a folder, whole or not at all.

    It loads with ``from_pretrained`` of the library that the module's class is from.

    Args:
        path: of the folder; one that is there must be empty.
        module: with the parameters that are to be written.
        card: in Markdown, for the folder's README.md; what a hub reads at the head of one that was written is kept.

    Raises:
        SessionError: the module has no ``save_pretrained``, or that failed; the folder has something in it, is a part
            of a session, or cannot be written. Nothing of it is there then.
    """
    target = place(path)
    save: Callable[[Path], object] | None = getattr(module, "save_pretrained", None)
    if not callable(save):
        raise SessionError(
            f"cannot export to the folder {str(path)!r}: a {type(module).__name__} has no save_pretrained, as models "
            "of transformers and peft have; give a file name that ends in .safetensors or .pt2"
        )
    require_no_part_of_a_session(target)
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise SessionError(
                f"cannot export to {str(path)!r}: there is something already; give a new folder"
            )
        # Next to it, on the same disk, so that renaming is atomic.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=SCRATCH) as scratch:
            made = Path(scratch, "made")
            made.mkdir()
            save(made)
            if card:
                _add(card, made / _CARD)
            os.replace(made, target)
    except OSError as error:
        raise SessionError(
            f"cannot write {str(path)!r}: {reason_of(error)}; choose a place in a folder that exists and is writable"
        ) from error


def _add(card: str, file: Path) -> None:
    """Write a card after the lines that a hub reads, if there are any, in the place of the library's own words."""
    head = ""
    if file.is_file():
        fence, _, rest = file.read_text("utf-8").partition("---\n")
        facts, end, _ = rest.partition("\n---\n")
        head = f"---\n{facts}\n---\n\n" if end and not fence.strip() else ""
    file.write_text(head + card, encoding="utf-8", errors="replace")
