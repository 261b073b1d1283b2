import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import paretonav as pn
from paretonav import cli


@pytest.fixture
def asked(monkeypatch):
    """Replaces the digits by quadratics; records what the digits were asked for."""
    found = {}

    def quadratics(**arguments):
        found.update(arguments)
        return pn.problems.quadratic(n=10, m=3)

    monkeypatch.setattr(pn.problems, "digits", quadratics)
    return found


@pytest.fixture
def run(asked):  # noqa: ARG001 - it puts the quadratics in place
    return lambda *arguments, **options: CliRunner().invoke(
        cli.app, ["demo", *map(str, arguments)], **options
    )


def test_a_script_that_works(run, asked):
    result = run("--script", "improve f1 0.7 f2 0.3 by 5%; hold f3; undo", "--seed", 3, "--epochs", 7)
    assert result.exit_code == 0, result.output
    assert asked == {"seed": 3, "epochs": 7}
    for line in ("Preview: improve f1 0.7, f2 0.3 by 5%", "Accepted.", "Held from now on: f3.", "> undo"):
        assert line in result.stdout
    assert "\x1b" not in result.output


def test_a_script_is_silent_about_questions(run):
    assert "[y/n]" not in run("--script", "improve f1").output


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("undo", "command 1 (undo) failed: there is nothing to undo"),
        ("show; improve f1 by 95%; show", "command 2 (improve f1 by 95%) failed: 95% is not possible here"),
        ("hold f2 f3; preview improve f1", "none is left to pay"),
        ("plot /no/such/folder/way.png", "cannot write"),
    ],
)
def test_a_script_that_fails_says_where(run, script, says):
    result = run("--script", script)
    assert result.exit_code == 1
    assert says.lower() in " ".join(result.stderr.split()).lower()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("improve f9", "no objective or metric 'f9'"),
        ("show; imporve f1", "(imporve f1): there is no command"),
        ("show '", "not closed"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused_before_training(run, monkeypatch, script, says):
    monkeypatch.setattr(pn.Navigator, "start", lambda *_: pytest.fail("it was trained"))
    result = run("--script", script)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("option", "path", "says"),
    [
        ("--plot", "way.gif", ".png, .svg, .pdf or .html"),
        ("--export", "model.pt", ".safetensors"),
        ("--plot", "no/such/folder/way.png", "no folder"),
    ],
)
def test_a_file_that_cannot_be_is_refused_before_training(run, monkeypatch, option, path, says):
    monkeypatch.setattr(pn.Navigator, "start", lambda *_: pytest.fail("it was trained"))
    result = run(option, path)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())


def test_files_are_written_at_the_end(run, tmp_path):
    plot, export = tmp_path / "way.html", tmp_path / "model.safetensors"
    result = run("--script", "improve f1", "--plot", plot, "--export", export)
    assert result.exit_code == 0, result.output
    page = plot.read_text(encoding="utf-8")
    assert 'id="saved"' in page
    assert "improve f1 by 5%" in page
    assert load_file(export)["x"].shape == (10,)


def test_a_failed_script_leaves_no_files(run, tmp_path):
    export = tmp_path / "model.safetensors"
    assert run("--script", "undo", "--export", export).exit_code == 1
    assert not export.exists()


def test_a_conversation_ends_with_the_input(run, tmp_path):
    result = run("--plot", tmp_path / "way.png", input="improve f1\nmaybe\ny\nimporve\npoints\n")
    assert result.exit_code == 1, result.output  # one of the commands made no sense
    for line in (
        "Take this step?",
        "Please answer y or n.",
        "did you mean improve?",
        "1 <- here",
        "The plot is in",
    ):
        assert line in result.output


PIPED = [
    ("improve f1 by 5%", 0, 1),
    ("improve f1 by 5%\n", 0, 1),
    ("improve f1 by 5%\nimprove f2 by 2%\n", 0, 2),
    ("improve f1 by 5%; improve f2 by 2%\npoints\n", 0, 2),
    ("improve f1 by 5%\nn\nimprove f2 by 2%\nyes\nundo\n", 0, 1),
    ("improve f1 by 5%\n\nquit\nimprove f2 by 2%\n", 0, 1),
    ("improve f1 by 99%\nimprove f2 by 2%\n", 1, 1),
    ("improve f1 by 5%\nimprove f9\n", 1, 1),
    ("undo\n", 1, 0),
    ("", 0, 0),
]


@pytest.mark.parametrize(("lines", "status", "steps"), PIPED)
def test_what_is_piped_in_is_done(run, tmp_path, lines, status, steps):
    result = run("--terminal", "--session", tmp_path / "kept", input=lines)
    assert result.exit_code == status, result.output
    assert len(pn.Session(tmp_path / "kept")) == 1 + steps
    assert ("not all of the commands" in " ".join(result.stderr.lower().split())) == bool(status)


def test_ctrl_c_while_training_ends_with_130(run, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pn.Navigator, "start", interrupted)
    result = run()
    assert result.exit_code == 130
    assert "Interrupted" in result.stderr


def test_the_published_method_is_at_hand(run):
    result = run("--script", "improve f1", "--method", "ppe")
    assert result.exit_code == 0, result.output
    assert "amounts and holds have no effect" in " ".join(result.output.split())


def test_remarks_of_the_library_are_shown_in_their_place(run, monkeypatch):
    start = pn.Navigator.start

    def remarking(self, *watched, **options):
        pn.navigation.navigator.logger.warning("mind the %s", "gap")
        return start(self, *watched, **options)

    monkeypatch.setattr(pn.Navigator, "start", remarking)
    assert "Note: mind the gap." in run("--script", "show").stdout


@pytest.mark.slow
def test_the_real_thing(tmp_path):
    export = tmp_path / "model.safetensors"
    script = "improve west 0.7 east 0.3 by 3%; hold south; improve west by 1%; undo; points"
    command = [sys.executable, "-c", "from paretonav.cli import main; main()", "demo"]
    options = [
        "--epochs",
        "20",
        "--script",
        script,
        "--export",
        str(export),
        "--plot",
        str(tmp_path / "way.png"),
    ]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.count("Accepted") == 2
    assert "accuracy" in done.stdout
    model = pn.problems.digits().model
    model.load_state_dict(load_file(export))
    assert torch.isfinite(next(model.parameters())).all()


def test_a_session_is_gone_on_with(run, tmp_path):
    folder = tmp_path / "session"
    assert run("--script", "improve f1", "--session", folder).exit_code == 0
    result = run("--script", "undo; points", "--session", folder)
    assert result.exit_code == 0, result.output
    assert "Resumed at point 1 of 2." in result.stdout
    assert "0 <- here" in result.stdout


def test_a_card_needs_a_model_to_lie_beside(run, tmp_path):
    assert run("--script", "show", "--card").exit_code == 2
    export = tmp_path / "model.safetensors"
    assert run("--script", "improve f1", "--export", export, "--card").exit_code == 0
    assert "What was traded for what" in (tmp_path / "model.md").read_text()
