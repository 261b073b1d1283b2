"""Writing a picture to a file, whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from os import PathLike
from pathlib import Path

from paretonav.errors import NavigationError
from paretonav.navigation import Navigator
from paretonav.plotting import html, png
from paretonav.plotting.data import Picture

FORMATS: dict[str, Callable[[Picture], bytes]] = {".html": html.render, ".png": png.render}
"""The renderer for each suffix."""


def save_plot(navigator: Navigator, path: str | PathLike[str]) -> None:
    """Draw the visited points and the front around the current one.

    Two objectives are drawn in the plane, three in space, more as parallel coordinates. The HTML page is
    self-contained: it needs no network.

    Args:
        navigator: one that has started.
        path: ends in .html for an interactive page, in .png for an image.

    Raises:
        NavigationError: the suffix is another one, the file cannot be written, or the navigation has not
            started.
    """
    target = Path(path)
    render = FORMATS.get(target.suffix.lower())
    if render is None:
        raise NavigationError(
            f"cannot plot to {str(path)!r}: give a file name that ends in {' or '.join(FORMATS)}"
        )
    _write(target, render(Picture.of(navigator)))


def _write(target: Path, content: bytes) -> None:
    temporary = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        try:
            with open(temporary, "xb") as file:
                file.write(content)
            os.replace(temporary, target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise NavigationError(
            f"cannot write {str(target)!r}: {error}; choose a file in a folder that exists and is writable"
        ) from error
