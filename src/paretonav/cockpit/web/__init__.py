"""The cockpit as a web page: one view, one WebSocket, one server that lets in only whom it should.

Needs the extra ``web``: ``pip install "paretonav[web]"``.
"""

from __future__ import annotations

from paretonav.errors import MissingExtraError

try:
    import starlette  # noqa: F401
    import uvicorn  # noqa: F401
    import websockets  # noqa: F401
except ImportError as error:
    raise MissingExtraError(
        f"the cockpit's web page needs a library that is missing ({error}); install it with: "
        'pip install "paretonav[web]"'
    ) from error

from paretonav.cockpit.web.hosts import AddressError
from paretonav.cockpit.web.server import Server
from paretonav.cockpit.web.serving import serve

__all__ = ["AddressError", "Server", "serve"]
