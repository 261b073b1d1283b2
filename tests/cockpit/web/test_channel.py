"""What goes over the WebSocket, and what happens with those who do not read, or say what makes no sense."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import time
from contextlib import ExitStack
from itertools import repeat

import pytest
from tests.cockpit.watching import PATIENCE
from tests.cockpit.web.asking import Browser, hear, say, until
from uvicorn.protocols.utils import ClientDisconnected
from websockets.exceptions import ConnectionClosed

from paretonav.cockpit.web.channel import Channel
from paretonav.cockpit.web.hub import Hub

TRAITS = {"state", "points", "job", "outlook", "trial", "answer", "steer", "kept", "spread"}


def test_first_everything_then_what_changes(server, controller):
    with Browser(server).channel() as channel:
        first = hear(channel)
        assert set(first) == TRAITS
        assert first["state"]["title"] == "a title"
        controller.publish("outlook", {"by": "x", "seq": 1, "numbers": [0.5, float("nan")]})
        assert hear(channel) == {"outlook": {"by": "x", "seq": 1, "numbers": [0.5, None]}}


def test_in_a_page_downloads_are_links(server, controller):
    controller.now["state"] = {"title": "a"}
    with Browser(server).channel() as channel:
        assert hear(channel)["state"]["downloads"] == "download"
        controller.publish("state", {"title": "b"})
        assert hear(channel)["state"]["downloads"] == "download"


def test_two_pages_are_told_the_same(server, controller):
    browser = Browser(server)
    with browser.channel() as one, browser.channel() as two:
        hear(one), hear(two)
        controller.publish("points", {"parent": [None, 0]})
        assert hear(one) == hear(two) == {"points": {"parent": [None, 0]}}


def test_what_is_said_is_passed_on_and_acknowledged(server, controller):
    with Browser(server).channel() as channel:
        hear(channel)
        say(channel, "steer", by="me", seq=1, modes={})
        assert hear(channel) == {"received": {"what": "steer", "seq": 1}}
        say(channel, "request", by="me", seq=2, cmd="undo")
        assert hear(channel) == {"received": {"what": "request", "seq": 2}}
    assert controller.heard == [
        ("steer", {"by": "me", "seq": 1, "modes": {}}),
        ("request", {"by": "me", "seq": 2, "cmd": "undo"}),
    ]


def test_a_request_that_is_said_again_counts_once(server, controller):
    browser = Browser(server)
    for _ in range(2):  # the connection broke before it was acknowledged
        with browser.channel() as channel:
            hear(channel)
            say(channel, "request", by="me", seq=2, cmd="undo")
            assert hear(channel) == {"received": {"what": "request", "seq": 2}}
    with browser.channel() as channel:
        hear(channel)
        say(channel, "request", by="me", seq=3, cmd="undo")
        hear(channel)
    assert [content["seq"] for _, content in controller.heard] == [2, 3]


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "no json",
        "[]",
        "null",
        '{"state": {}}',
        '{"steer": 1}',
        b"\x00\xff",
        "[" * 60_000,
        '{"request": "x"}',
        "{" * 9,
    ],
)
def test_nonsense_is_told_and_the_channel_goes_on(server, controller, nonsense):
    with Browser(server).channel() as channel:
        hear(channel)
        channel.send(nonsense)
        assert set(hear(channel)) == {"ignored"}
        say(channel, "steer", seq=1)
        assert "received" in hear(channel)
    assert controller.heard == [("steer", {"seq": 1})]


def test_too_much_ends_the_channel(server, controller):
    with Browser(server).channel() as channel:
        hear(channel)
        channel.send(json.dumps({"steer": {"by": "x" * 70_000}}))
        with pytest.raises(ConnectionClosed) as caught:
            hear(channel)
        assert caught.value.rcvd.code == 1009
    assert controller.heard == []


def test_wrong_bytes_end_the_channel_and_log_nothing(server):
    with raw_channel(Browser(server)) as wire:
        wire.sendall(b"\x81\x84" + b"\0\0\0\0" + b"\xff\xfe\xfd\xfc")  # text that is no UTF-8
        wire.settimeout(PATIENCE)
        while wire.recv(4096):
            pass


def test_who_is_slow_gets_the_newest_values_and_the_end_of_every_job(server, controller):
    ballast = "x" * 1_000_000
    with raw_channel(Browser(server), buffer=4096) as wire:
        for seq in range(300):
            controller.publish("points", {"seq": seq, "ballast": ballast})
            controller.publish("job", {"id": seq // 100, "status": "done" if seq % 100 == 99 else "running"})
            time.sleep(0.001)
        controller.publish("state", {"last": True})
        messages = []
        while not (messages and messages[-1].get("state", {}).get("last")):
            messages.append(json.loads(frame(wire)))
    points = [message["points"]["seq"] for message in messages if "seq" in (message.get("points") or {})]
    jobs = [
        message["job"]["id"] for message in messages if (message.get("job") or {}).get("status") == "done"
    ]
    assert points[-1] == 299
    assert points == sorted(points)
    assert len(points) < 100  # and not 300, which would be 300 MB that wait
    assert jobs == [0, 1, 2]


def test_who_does_not_read_is_dropped_and_others_notice_nothing(controller, serve):
    server = serve(controller, patience=3)
    browser = Browser(server)
    with raw_channel(browser, buffer=4096), browser.channel() as other:
        hear(other)
        until(lambda: len(server._hub._clients) == 2)
        for seq in range(20):
            controller.publish("points", {"seq": seq, "ballast": "x" * 1_000_000})
            assert hear(other)["points"]["seq"] == seq
        until(lambda: len(server._hub._clients) == 1)
        controller.publish("trial", {"seq": 1})
        assert hear(other) == {"trial": {"seq": 1}}


def test_who_lets_too_much_wait_begins_anew(controller, serve):
    server = serve(controller)
    with Browser(server).channel() as channel:
        hear(channel)
        for number in range(10_000):
            controller.publish("job", {"id": number, "status": "refused"})
        with pytest.raises(ConnectionClosed) as caught:
            all(map(hear, repeat(channel)))
        assert caught.value.rcvd.code == 4001


def test_who_goes_is_forgotten(server):
    browser = Browser(server)
    with ExitStack() as stack:
        channels = [stack.enter_context(browser.channel()) for _ in range(5)]
        for channel in channels:
            hear(channel)
        channels[0].close()
        channels[1].socket.shutdown(socket.SHUT_RDWR)
        until(lambda: len(server._hub._clients) == 3)
    until(lambda: not server._hub._clients)


def test_the_end_is_told_after_what_came_before(server, controller):
    with Browser(server).channel() as channel:
        hear(channel)
        controller.publish("job", {"id": 1, "status": "cancelled"})
        server.stop()
        assert hear(channel) == {"job": {"id": 1, "status": "cancelled"}}
        with pytest.raises(ConnectionClosed) as caught:
            hear(channel)
        assert caught.value.rcvd.code == 4000
    assert controller.listeners == []


@pytest.mark.usefixtures("no_loop")
def test_a_page_that_goes_before_it_was_let_in_is_no_failure(controller):
    class Gone:
        async def accept(self):
            raise ClientDisconnected

    hub = Hub(controller)
    asyncio.run(Channel(Gone(), hub, 1.0).run())
    assert not hub._clients


def raw_channel(browser: Browser, buffer: int = 0) -> socket.socket:
    """A channel of which nothing is read but what a test reads."""
    wire = socket.socket()
    if buffer:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    place = ("127.0.0.1", browser.server.port)
    wire.connect(place)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {browser.folder}/channel HTTP/1.1",
        f"Host: {place[0]}:{place[1]}",
        f"Origin: http://{place[0]}:{place[1]}",
        f"Cookie: {browser.cookie}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
    ]
    wire.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += wire.recv(1)
    assert answer.startswith(b"HTTP/1.1 101")
    return wire


def frame(wire: socket.socket) -> bytes:
    """The payload of the next text frame."""

    def read(count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            data += wire.recv(min(count - len(data), 1 << 16))
        return bytes(data)

    first, length = read(2)
    assert first & 0x8F == 0x81
    if length == 126:
        length = int.from_bytes(read(2))
    elif length == 127:
        length = int.from_bytes(read(8))
    return read(length)
