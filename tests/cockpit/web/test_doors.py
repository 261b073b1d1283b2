"""Strangers who connect and say nothing, or half of something: the owner's page goes on, and nothing is logged."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from types import SimpleNamespace

import pytest
from tests.cockpit.web.asking import PATIENCE, Browser, hear, until

from paretonav.cockpit.seldom import Seldom
from paretonav.cockpit.web import doors
from paretonav.cockpit.web.doors import Doors
from paretonav.cockpit.web.server import _Remarks


@contextmanager
def strangers(server, number, said=b"") -> Iterator[list[socket.socket]]:
    """Connections over which nothing more comes."""
    wires = []
    try:
        for _ in range(number):
            wire = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
            wires.append(wire)
            wire.sendall(said)
        yield wires
    finally:
        for wire in wires:
            wire.close()


def is_over(wire):
    """Whether the other side has closed it."""
    wire.settimeout(PATIENCE)
    try:
        while wire.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


def is_answered(server):
    """Whether an honest request is answered; on a busy machine it may be late, too."""
    with suppress(ConnectionError, HTTPException):
        return Browser(server).get("/").status == 200
    return False


def is_late_after(server, request, answer):
    """Whether a request is answered, which may be too late on a busy machine, and then what goes on is not heard."""
    with strangers(server, 1, request) as (wire,):
        try:
            answered = wire.recv(12)
        except ConnectionError:
            return False
        if answered == answer:
            until(lambda: not dripped(wire))
        return answered == answer


HALF = [b"", b"GET / HTTP/1.1\r\nHost: 127", b"GET / HTTP/1.1\r\n\r\n"[:-2]]


@pytest.mark.parametrize("said", HALF)
def test_more_strangers_than_there_is_room_for_make_room(controller, serve, said):
    server = serve(controller, connections=8, deadline=600)
    browser = Browser(server)
    with browser.channel() as channel, strangers(server, 40, said) as wires:
        assert "state" in hear(channel)
        assert browser.get("/").status == 200
        assert browser.get("/cockpit.js").status == 200
        assert all(is_over(wire) for wire in wires[:20])
        controller.publish("outlook", {"seq": 1})  # the channel has not made room
        assert hear(channel) == {"outlook": {"seq": 1}}


@pytest.mark.parametrize("said", HALF)
def test_who_asks_for_nothing_is_sent_away(controller, serve, said):
    server = serve(controller, deadline=0.2)
    with strangers(server, 3, said) as wires:
        assert all(is_over(wire) for wire in wires)
    until(lambda: is_answered(server))


def test_drop_by_drop_is_too_late_all_the_same(controller, serve):
    server = serve(controller, deadline=0.5)
    with strangers(server, 1) as (wire,):
        until(lambda: not dripped(wire))


def test_after_an_answer_the_next_request_has_its_deadline_too(controller, serve):
    server = serve(controller, deadline=0.5)
    request = f"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    until(lambda: is_late_after(server, request + b"GET / HT", b"HTTP/1.1 403"))


def test_the_body_of_a_request_that_was_answered_has_its_deadline(controller, serve):
    server = serve(controller, deadline=0.5)
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 1000000\r\n\r\n"
    until(lambda: is_late_after(server, head.encode(), b"HTTP/1.1 405"))


def dripped(wire):
    """Whether one more byte can be said."""
    try:
        wire.sendall(b"x")
        time.sleep(0.05)
        wire.setblocking(False)
        try:
            return wire.recv(100_000) != b""
        except BlockingIOError:
            return True
        finally:
            wire.setblocking(True)
    except ConnectionError:
        return False


def test_who_does_not_read_an_answer_is_dropped(controller, serve, small_view):
    (small_view / "style.css").write_text("/* wide */\n" * 1_000_000)
    server = serve(controller, patience=0.3)
    browser = Browser(server)
    lines = [f"GET {browser.folder}/cockpit.css HTTP/1.1", f"Host: 127.0.0.1:{server.port}"]
    request = "\r\n".join([*lines, f"Cookie: {browser.cookie}", "", ""]).encode()
    seen = server._server.server_state
    before = seen.total_requests
    with strangers(server, 1, request):
        until(lambda: seen.total_requests > before)
        until(lambda: not seen.connections)
    assert browser.get("/").status == 200


def test_a_channel_that_is_refused_takes_no_room(controller, serve):
    server = serve(controller, connections=4, deadline=600)
    place = f"127.0.0.1:{server.port}"
    lines = ["GET /channel HTTP/1.1", f"Host: {place}", f"Origin: http://{place}", "Connection: Upgrade"]
    lines += [
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    with strangers(server, 12, "\r\n".join([*lines, "", ""]).encode()) as wires:
        assert all(is_over(wire) for wire in wires)
        assert Browser(server).get("/").status == 200


class Wire:
    """A connection with a descriptor of a test's choice."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.over = descriptor, False

    def get_extra_info(self, _: str) -> Wire:
        return self

    def fileno(self) -> int:
        return self.descriptor

    def is_closing(self) -> bool:
        return self.over

    def abort(self) -> None:
        self.over = True


def test_the_last_descriptors_are_for_others(monkeypatch):
    monkeypatch.setattr(doors, "_descriptors", lambda: 256)
    inside = Doors()
    assert not inside.enter(Wire(192))
    first, answered, last = Wire(100), Wire(101), Wire(200)
    assert inside.enter(first)
    assert inside.enter(answered)
    inside.ranks(answered, busy=True, known=False)
    assert inside.enter(last)  # in place of the first, whose descriptor is free now
    assert (first.over, answered.over) == (True, False)
    assert not inside.enter(Wire(255)) or last.over


def test_strangers_make_room_before_who_was_let_in(monkeypatch):
    monkeypatch.setattr(doors, "_descriptors", lambda: None)
    inside = Doors(most=3)
    owner, busy, stranger = Wire(1), Wire(2), Wire(3)
    assert all(inside.enter(wire) for wire in (owner, busy, stranger))
    inside.ranks(owner, busy=False, known=True)
    inside.ranks(busy, busy=True, known=False)
    assert inside.enter(Wire(4))
    assert [wire.over for wire in (owner, busy, stranger)] == [False, False, True]
    for wire in inside._inside:
        inside.ranks(wire, busy=True, known=wire is owner)
    assert not inside.enter(Wire(5))
    inside.ranks(owner, busy=False, known=True)
    assert inside.enter(Wire(6))
    assert owner.over


def test_where_nobody_counts_descriptors_there_are_so_many_connections(monkeypatch):
    monkeypatch.setattr(doors, "_descriptors", lambda: None)
    inside = Doors(most=2)
    wires = [Wire(10_000) for _ in range(5)]
    assert all(inside.enter(wire) for wire in wires)
    assert [wire.over for wire in wires] == [True, True, True, False, False]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit that can be lowered")
def test_at_the_limit_a_session_is_still_written(tmp_path):
    """In a process of its own, which may have few descriptors."""
    code = """
import resource, socket, sys
import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.web import Server

resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
navigator = pn.Navigator(pn.problems.quadratic(n=10, m=3), session=sys.argv[1])
controller = Controller(navigator)
with Server(controller) as server:
    print(server.url, flush=True)
    sys.stdin.readline()
    navigator.start()
    navigator.step(pn.Improve({"f1": 1.0}), 0.03)
    print(len(navigator.records), flush=True)
    sys.stdin.readline()
controller.close()
navigator.session.close()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "kept")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    url = process.stdout.readline().strip()
    server = SimpleNamespace(url=url, port=int(url.split("/")[2].split(":")[1]))
    with strangers(server, 400):
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == "2"
        assert Browser(server).get("/").status == 200
    _, complaints = process.communicate("\n", timeout=PATIENCE)
    assert (process.returncode, complaints) == (0, "")


def test_what_strangers_cause_is_said_once(caplog):
    remarks = _Remarks()
    loop = asyncio.new_event_loop()
    try:
        for _ in range(1000):
            remarks.handle(loop, {"message": "x", "exception": OSError(errno.EMFILE, "Too many open files")})
            remarks.handle(loop, {"message": "y", "exception": ZeroDivisionError()})
    finally:
        loop.close()
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]
    assert "ulimit -n" in caplog.records[0].getMessage()
    assert caplog.records[0].exc_info is None


def test_seldom_is_once_in_a_while_for_each_kind():
    seldom = Seldom(pause=1000)
    assert [seldom.may_say(kind) for kind in "abab"] == [True, True, False, False]
    often = Seldom(pause=0)
    assert often.may_say("a")
    assert often.may_say("a")
