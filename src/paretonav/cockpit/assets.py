"""The view as text: one module and one style sheet."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from paretonav.errors import ParetonavError, reason_of

_HERE = Path(__file__).parent


def module() -> str:
    """The view as one ES module, whose default export has ``render``; its last line is ``ending.EXPORT``.

    Raises:
        ParetonavError: this copy of the package has no view, or modules that cannot be joined.
    """
    return _text("cockpit.js", ".js")


def style() -> str:
    """The style sheet of the view.

    Raises:
        ParetonavError: as for ``module``.
    """
    return _text("cockpit.css", ".css")


def _text(name: str, ending: str) -> str:
    view, packaged = _HERE / "view", _HERE / "static" / name
    try:
        if (view / "index.js").is_file():  # a checkout: what is on the disk now, not what was once packaged
            return _joined(view, ending, _stamp(view, ending))
        return packaged.read_text(encoding="utf-8")
    except OSError as error:
        raise ParetonavError(
            f"this copy of paretonav has no view of the cockpit: neither the modules in {str(view)!r} nor "
            f"{str(packaged)!r}, which the build of a wheel makes, can be read ({reason_of(error)}); install the "
            "package anew, or restore the folder in a checkout"
        ) from error


@lru_cache(maxsize=8)
def _joined(view: Path, ending: str, stamp: object) -> str:  # noqa: ARG001 - a new stamp, a new text
    from paretonav.cockpit import bundle  # only a checkout has it

    try:
        return bundle.module_of(view) if ending == ".js" else bundle.style_of(view)
    except bundle.BundleError as error:
        raise ParetonavError(f"the cockpit's view in {str(view)!r} cannot be joined: {error}") from error


def _stamp(view: Path, ending: str) -> object:
    """What changes when a file does."""
    found = []
    for path in sorted(view.rglob(f"*{ending}")):
        about = path.stat()
        found.append((str(path), about.st_mtime_ns, about.st_size))
    return tuple(found)
