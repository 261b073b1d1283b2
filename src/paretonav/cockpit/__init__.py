"""The cockpit: one view for the notebook and the web page, and the controller behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paretonav.cockpit.cockpit import Cockpit

if TYPE_CHECKING:
    from paretonav.cockpit.web import serve

__all__ = ["Cockpit", "serve"]


def __getattr__(name: str) -> Any:
    if name == "serve":  # needs the extra "web", which the rest does not
        from paretonav.cockpit.web import serve

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
