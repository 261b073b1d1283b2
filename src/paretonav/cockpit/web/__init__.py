"""The cockpit as a web page: one view, one WebSocket, one server that lets in only whom it should.

Needs the extra ``web``: ``pip install "paretonav[web]"``.
"""

from __future__ import annotations

from paretonav.errors import needing

with needing("web", "the cockpit as a web page"):
    import starlette  # noqa: F401
    import uvicorn  # noqa: F401
    import websockets  # noqa: F401

from paretonav.cockpit.web.hosts import AddressError
from paretonav.cockpit.web.server import Server
from paretonav.cockpit.web.serving import serve, serve_folder

__all__ = ["AddressError", "Server", "serve", "serve_folder"]
