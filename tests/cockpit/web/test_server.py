"""Starting, ending, and what is missing."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from tests.cockpit.watching import PATIENCE
from tests.cockpit.web.asking import Browser, hear, say, until
from websockets.exceptions import ConnectionClosed

import paretonav as pn
from paretonav.cockpit.web import AddressError, Server, browser, serve
from paretonav.cockpit.worker import Worker
from paretonav.errors import MissingExtraError


def test_a_block_is_a_server(controller, small_view):  # noqa: ARG001
    before = threading.active_count()
    with Server(controller, token="a long token") as server:
        assert server.is_running
        assert server.is_local
        assert server.url == f"http://127.0.0.1:{server.port}/?token=a%20long%20token"
        assert Browser(server).get("/").status == 200
    assert not server.is_running
    assert threading.active_count() == before
    server.stop()  # again
    with pytest.raises(AddressError, match="starts once"):
        server.start()


def test_before_the_start_there_is_no_address(controller):
    server = Server(controller)
    with pytest.raises(AddressError, match="not started"):
        _ = server.url
    server.stop()


def test_pages_that_are_open_do_not_keep_it_from_ending(controller, serve):
    server = serve(controller)
    with Browser(server).channel() as channel:
        hear(channel)
        server.stop()
        assert not server.is_running
        with pytest.raises(ConnectionClosed) as caught:
            hear(channel)
        assert caught.value.rcvd.code == 4000


@pytest.mark.parametrize(
    "options",
    [
        {"host": "no.such.host.invalid"},
        {"host": "8.8.8.8"},
        {"port": 70_000},
        {"host": "a" * 300},
        {"allow_hosts": ["http://x"]},
        {"token": "short"},
    ],
)
def test_where_it_cannot_listen(controller, options):
    with pytest.raises(AddressError):
        Server(controller, **options).start()


def test_a_port_that_is_taken(controller):
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(AddressError, match="choose another --port"),
    ):
        Server(controller, port=taken.getsockname()[1]).start()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_ipv6(controller, serve):
    server = serve(controller, host="::1")
    assert server.is_local
    assert server.url.startswith(f"http://[::1]:{server.port}/")


def test_without_the_libraries_it_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("paretonav.cockpit.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtraError, match=r'pip install "paretonav\[web\]"'):
        importlib.import_module("paretonav.cockpit.web")


def test_it_can_be_called_from_the_cockpit():
    from paretonav import cockpit

    assert cockpit.serve is serve
    with pytest.raises(AttributeError, match="no attribute 'serv'"):
        _ = cockpit.serv


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C comes once the page has been waited for."""
    waited = threading.Event()

    def wait(_: Server):
        assert waited.wait(PATIENCE)
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "wait", wait)
    monkeypatch.setattr(browser, "can_open", lambda: False)
    return waited


def test_a_navigation_is_served_until_ctrl_c(interrupted):
    interrupted.set()
    navigator, told = pn.Navigator(pn.problems.quadratic(n=10, m=3)), []
    navigator.start()
    assert serve(navigator, tell=told.append) is False
    assert "http://127.0.0.1:" in told[0]
    assert "No browser" in told[1]
    navigator.step(pn.Improve({"f1": 1.0}), 0.03)  # it can be used on


def test_ctrl_c_cancels_the_start(interrupted, monkeypatch):
    cancelled = threading.Event()
    bowls = pn.problems.quadratic(n=10, m=2)
    end = Worker.end

    def slow(x):
        interrupted.set()
        assert cancelled.wait(PATIENCE)
        return bowls.fn(x)

    def ending(self, **options):  # of a controller that has cancelled what runs
        cancelled.set()
        end(self, **options)

    problem = pn.FunctionProblem(lambda x: bowls.fn(x), bowls.parameters())
    problem.fn = slow  # which is not tried out beforehand
    monkeypatch.setattr(Worker, "end", ending)
    navigator = pn.Navigator(problem)
    told = []
    assert serve(navigator, tell=told.append) is True
    assert "being cancelled" in told[-1]
    assert not navigator.started


def test_the_browser_gets_an_address_that_is_good_once(interrupted, monkeypatch):
    interrupted.set()
    opened, told = [], []
    monkeypatch.setattr(browser, "can_open", lambda: True)
    monkeypatch.setattr(browser, "open_soon", opened.append)
    serve(pn.Navigator(pn.problems.quadratic(n=10, m=3)), tell=told.append)
    assert opened[0].split("?")[0] in told[0]
    assert opened[0] not in told[0]
    assert opened[0].split("?")[1].startswith("token=")
    serve(pn.Navigator(pn.problems.quadratic(n=10, m=3)), tell=told.append, open_browser=False)
    assert len(opened) == 1


def test_on_every_network_it_says_so(interrupted):
    interrupted.set()
    told = []
    serve(pn.Navigator(pn.problems.quadratic(n=10, m=3)), host="0.0.0.0", tell=told.append)
    assert "ssh -L" in " ".join(told)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, False), ({"DISPLAY": ":0", "BROWSER": "true"}, True), ({"BROWSER": "true"}, True)],
)
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is a window there")
def test_without_a_screen_no_browser_is_opened(monkeypatch, environment, expected):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert browser.can_open() is expected


def served(folder):
    """A process that serves what ``mine.py`` in a folder has, with a session beside it."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "paretonav", "cockpit", "mine:problem"),
            *("--session", "kept", "--no-browser"),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_real_process_cleanly(number, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import paretonav as pn\ndef problem(): return pn.problems.quadratic(n=10, m=3)\n"
    )
    process = served(tmp_path)
    assert process.stdout is not None
    for line in process.stdout:
        if "?token=" in line:
            url = line.split()[-1]
            break
    with Browser(SimpleNamespace(url=url, port=int(url.split("/")[2].split(":")[1]))).channel() as channel:
        message = hear(channel)
        while message.get("job", {}).get("status") != "done":
            message = hear(channel)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, ""), out
    assert "Ending." in out.splitlines()
    assert len(pn.Session(tmp_path / "kept")) == 1


SLOW = """
import time
from pathlib import Path

import paretonav as pn


def problem():
    bowls = pn.problems.quadratic(n=10, m=3)

    def function(x):
        while Path("slow").exists():
            Path("entered").touch()
            time.sleep(0.05)
        return bowls.fn(x)

    return pn.FunctionProblem(function, bowls.parameters())
"""


WAITING = """
import threading
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import TensorDataset

import paretonav as pn


class Waiting(nn.Linear):
    def forward(self, x):
        if Path("slow").exists():
            Path("entered").touch()
            threading.Event().wait(120)
        return super().forward(x)


def problem():
    torch.manual_seed(0)
    x = torch.randn(40, 3)
    data = TensorDataset(x, x @ torch.randn(3, 2) + 0.3 * torch.randn(40, 2))
    losses = {f"f{i + 1}": lambda o, b, i=i: (o[:, i] - b[1][:, 1 - i]).square().mean() for i in range(2)}
    return pn.ModelProblem(Waiting(3, 2), losses, data)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("source", [SLOW, WAITING], ids=["for ever", "for two minutes"])
def test_the_second_signal_does_not_wait_for_a_batch(source, number, tmp_path):
    (tmp_path / "mine.py").write_text(source)
    process = served(tmp_path)
    try:
        complaints, seconds = interrupted_twice(process, number, tmp_path)
    finally:
        process.kill()
        process.communicate()
    assert seconds < 60, "a second or two as a rule"
    assert process.returncode == 130
    assert complaints.split() == ["Interrupted."]
    with pn.Session(tmp_path / "kept", write=True) as session:  # nobody has it any more
        assert len(session) == 1
        assert session.point(0).id == 0


def interrupted_twice(process, number, folder):
    """What a process says in the end, to which a signal was sent twice in a batch, and how soon it is gone."""
    url = next(line for line in iter(process.stdout.readline, "") if "?token=" in line).split()[-1]
    with Browser(SimpleNamespace(url=url, port=int(url.split("/")[2].split(":")[1]))).channel() as channel:
        message = hear(channel)
        while message.get("job", {}).get("status") != "done":
            message = hear(channel)
        (folder / "slow").touch()  # from now on a batch takes for ever
        steer = {"point": 0, "modes": {"f1": {"mode": "improve", "percent": 3}}}
        say(channel, "request", by="me", seq=1, cmd="step", expected_current=0, steer=steer)
        until((folder / "entered").exists)
        process.send_signal(number)
        assert next(line for line in iter(process.stdout.readline, "") if line.startswith("Ending:"))
        process.send_signal(number)
        began = time.monotonic()
        _, complaints = process.communicate(timeout=PATIENCE)
    return complaints, time.monotonic() - began
