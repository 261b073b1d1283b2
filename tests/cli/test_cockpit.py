"""Opening the cockpit from the command line, and when the demo stays in the terminal."""

import os
import re
import select
import signal
import subprocess
import sys
import urllib.request

import pytest
from typer.testing import CliRunner

import paretonav as pn
from paretonav.cli import app
from paretonav.cli import navigate as commands
from paretonav.cockpit import web
from paretonav.cockpit.web.hosts import AddressError

PROBLEM = "import paretonav as pn\ndef problem():\n    return pn.problems.quadratic(n=10, m=3)\n"


@pytest.fixture
def served(monkeypatch):
    """What the page would have been opened with; Ctrl-C comes at once."""
    calls = []

    def serve(navigator, **options):
        calls.append({"navigator": navigator, **options})
        options["tell"]("The cockpit is at http://" + "x" * 100)
        return False

    monkeypatch.setattr(web, "serve", serve)
    return calls


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "cockpit_problems.py").write_text(PROBLEM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield lambda *arguments, **options: CliRunner().invoke(app, list(map(str, arguments)), **options)
    sys.modules.pop("cockpit_problems", None)


def words(text):
    return " ".join(text.split())


def test_a_problem_of_ones_own(run, served):
    result = run("cockpit", "cockpit_problems:problem")
    assert result.exit_code == 0, result.output
    (call,) = served
    assert call["title"] == "problem"
    assert call["host"] == "127.0.0.1"
    assert call["port"] == 0
    assert call["token"] is None
    assert call["open_browser"]
    assert "x" * 100 in result.stdout  # an address is not broken into lines
    assert "--session PATH" in words(result.stdout)


def test_options(run, served, tmp_path):
    options = ["--host", "::1", "--port", "8080", "--no-browser", "--allow-host", "a", "--allow-host", "b:1"]
    result = run(
        "cockpit",
        "cockpit_problems:problem",
        "--session",
        "kept",
        *options,
        env={"PARETONAV_TOKEN": "a long token"},
    )
    assert result.exit_code == 0, result.output
    (call,) = served
    assert (call["host"], call["port"], call["token"]) == ("::1", 8080, "a long token")
    assert call["allow_hosts"] == ("a", "b:1")
    assert not call["open_browser"]
    assert (
        call["navigator"].session.path == tmp_path / "kept" or call["navigator"].session.path.name == "kept"
    )
    assert not call["navigator"].session.writable  # it has been closed
    assert run("cockpit", "cockpit_problems:problem", "--no-token").exit_code == 0
    assert served[1]["token"] == ""


def test_what_is_cut_off_is_told_by_the_status(run, monkeypatch):
    monkeypatch.setattr(web, "serve", lambda *_, **__: True)
    result = run("cockpit", "cockpit_problems:problem")
    assert result.exit_code == 130
    assert "Interrupted" in result.stderr


def test_a_folder_is_looked_at_without_code(run, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(web, "serve_folder", lambda folder, **options: calls.append((folder, options)))
    (tmp_path / "kept").mkdir()
    result = run("cockpit", "kept", "--port", "8080", "--no-browser")
    assert result.exit_code == 0, result.output
    ((folder, options),) = calls
    assert folder == (tmp_path / "kept").resolve()
    assert (options["port"], options["open_browser"]) == (8080, False)
    result = run("cockpit", "kept", "--session", "other")
    assert result.exit_code == 2
    assert "paretonav cockpit MODULE:FUNCTION --session kept" in words(result.stderr)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["no_such_module:problem"], "there is no module"),
        (["cockpit_problems:problem", "--no-token", "--token", "a long token"], "give one of them"),
        (["cockpit_problems:problem", "--no-token", "--host", "0.0.0.0"], "has to be a token"),
        (["cockpit_problems:problem", "--token", "short"], "8 characters"),
        (["cockpit_problems:problem", "--host", "no.such.host.invalid"], "cannot listen"),
        (["cockpit_problems:problem", "--allow-host", "http://x"], "no name of a host"),
    ],
)
def test_what_makes_no_sense(run, options, says):
    result = run("cockpit", *options)
    assert result.exit_code == 2, result.output
    assert says in words(result.stderr).lower()


@pytest.fixture
def demo(run, monkeypatch):
    """The demo on quadratics, as if somebody sat at the terminal."""
    monkeypatch.setattr(pn.problems, "digits", lambda **_: pn.problems.quadratic(n=10, m=3))
    monkeypatch.setattr(commands, "has_a_person", lambda: True)
    return lambda *arguments, **options: run("demo", *arguments, **options)


def test_the_demo_opens_the_cockpit(demo, served):
    result = demo("--port", "8123", "--no-browser")
    assert result.exit_code == 0, result.output
    assert "Which digit" in result.stdout
    assert served[0]["title"] == "digits"
    assert served[0]["port"] == 8123
    assert not served[0]["open_browser"]


@pytest.mark.parametrize("options", [["--terminal"], ["--script", "show"], ["--plot", "way.png"]])
def test_the_demo_in_the_terminal(demo, served, options):
    result = demo(*options, input="")
    assert result.exit_code == 0, result.output
    assert served == []
    assert "Point 0" in result.stdout


def test_piped_commands_are_for_the_terminal(demo, served, monkeypatch):
    monkeypatch.setattr(commands, "has_a_person", lambda: False)
    result = demo(input="improve f1\ny\n")
    assert "Take this step?" in result.stdout
    assert served == []
    assert demo("--no-browser").exit_code == 0
    assert len(served) == 1


def test_without_the_libraries_the_demo_goes_on_in_the_terminal(demo, run, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("paretonav.cockpit.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(pn.cockpit, "web")
    monkeypatch.setitem(sys.modules, "starlette", None)
    result = demo(input="")
    assert result.exit_code == 0, result.output
    assert 'pip install "paretonav[web]"' in words(result.stdout)
    assert "Point 0" in result.stdout
    result = run("cockpit", "cockpit_problems:problem")
    assert result.exit_code == 1
    assert 'pip install "paretonav[web]"' in words(result.stderr)


def test_the_address_error_is_a_mistake_of_the_person():
    assert issubclass(AddressError, pn.ParetonavError)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="terminals")
def test_the_demo_at_a_real_terminal(tmp_path):
    """The page is there while the network is being trained, and Ctrl-C stops that."""
    import pty  # there is none on Windows

    ours, theirs = pty.openpty()
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "paretonav", "demo", "--epochs", "2000"],
        cwd=tmp_path,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    told = b""

    def read():
        if not select.select([ours], [], [], 60)[0]:
            pytest.fail(f"the terminal has been silent for a minute after {told!r}")
        try:
            return os.read(ours, 4096)
        except OSError:  # the other end has been closed
            return b""

    try:
        while not (address := re.search(rb"http://\S+token=\S+\s", told)):
            told += (got := read())
            assert got, told
        with urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(
            address[0].decode().strip(), timeout=60
        ) as page:
            assert b"<main>" in page.read()
        process.send_signal(signal.SIGINT)
        while got := read():
            told += got
        assert process.wait(60) == 130, told
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert b"being cancelled" in told
    assert b"Traceback" not in told
