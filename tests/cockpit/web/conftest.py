"""Servers that show a controller without a model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from paretonav.cockpit.web import Server


@pytest.fixture
def serve(small_view: Any, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Server]]:  # noqa: ARG001
    """Starts servers; in the end they are stopped, and nothing may have been logged."""
    servers: list[Server] = []

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
