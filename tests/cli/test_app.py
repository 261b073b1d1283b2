"""What all commands have in common."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from paretonav import cli


def run(*arguments):
    return CliRunner().invoke(cli.app, list(arguments))


def test_the_version():
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"paretonav {version('paretonav')}\n")


def test_completion_is_offered():
    assert "--install-completion" in run("--help").output


@pytest.mark.parametrize("command", ["demo", "run", "cockpit", "show", "compare", "export", "plot"])
def test_help_of_a_command_is_what_it_says_itself(command):
    result = run("help", command)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == run(command, "--help").stdout.split()


def test_help_alone_lists_the_commands():
    result = run("help")
    assert result.exit_code == 0
    assert "cockpit" in result.stdout


def test_help_of_no_command_says_which_was_meant():
    result = run("help", "cokpit")
    assert result.exit_code == 2
    assert "did you mean cockpit?" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "/proc/no/such/session"),
        ("show", "n" * 300),
        ("demo", "--script", "show", "--session", "n" * 300),
        ("demo", "--script", "show", "--session", "/proc/session"),
        ("cockpit", "no_module:x", "--host", "8.8.8.8", "--no-browser"),
    ],
)
def test_errors_have_no_number_of_the_system(arguments):
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    assert "errno" not in result.output.lower()


def test_a_port_that_is_taken_is_told_in_words():
    import paretonav as pn
    from paretonav.cockpit.controller import Controller
    from paretonav.cockpit.web import AddressError, Server

    controller = Controller(pn.Navigator(pn.problems.quadratic(n=4, m=2)))
    with Server(controller) as server, pytest.raises(AddressError) as caught:
        Server(controller, port=server.port).start()
    controller.close()
    assert "Errno" not in str(caught.value)


def test_as_a_process():
    done = subprocess.run(
        [sys.executable, "-m", "paretonav", "--version"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout.startswith("paretonav ")
