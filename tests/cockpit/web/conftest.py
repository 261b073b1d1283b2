"""Servers that show a controller without a model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.cockpit.watching import PATIENCE

from paretonav.cockpit.web import Server
from paretonav.cockpit.web import server as module


@pytest.fixture
def serve(
    small_view: Any,  # noqa: ARG001
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Server]]:
    """Starts servers; in the end they are stopped, and nothing may have been logged."""
    servers: list[Server] = []
    for name in ("_FAREWELL", "_LATEST"):  # however slow the machine, everybody hears of the end
        monkeypatch.setattr(module, name, PATIENCE)

    def start(controller: Any, **options: Any) -> Server:
        server = Server(controller, **options)
        servers.append(server)
        server.start()
        return server

    with caplog.at_level(logging.WARNING):
        yield start
        for server in servers:
            server.stop()
            assert not server.is_running
    assert caplog.records == []


@pytest.fixture
def server(controller: Any, serve: Callable[..., Server]) -> Server:
    return serve(controller)
