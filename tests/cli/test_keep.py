"""Freeing space in a session's folder, copying it, and how it is stored."""

import sys

import pytest
import torch
from typer.testing import CliRunner

import paretonav as pn
from paretonav.cli import app

PROBLEM = """
import os
import paretonav as pn

def problem():
    os.chdir({elsewhere!r})  # as some frameworks do
    return pn.problems.quadratic(n=20, m=2)
"""


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "s"
    nav = pn.Navigator(pn.problems.quadratic(n=20, m=2), session=path)
    nav.start()
    for _ in range(4):
        nav.step(pn.Improve({"f1": 1.0}), 0.01)
    nav.session.star(1)
    nav.session.close()
    return path


@pytest.fixture
def target(tmp_path, monkeypatch):
    """A problem that leaves the working directory."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "leaving.py").write_text(PROBLEM.format(elsewhere=str(tmp_path / "elsewhere")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "leaving", raising=False)
    return "leaving:problem"


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def words(text):
    return " ".join(text.split())


def test_prune_frees_space(folder):
    before = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
    result = run("prune", folder, "--keep", 2)
    assert result.exit_code == 0, result.output
    assert "Pruned 1 of 5 points (3); that has freed" in words(result.output)
    assert pn.Session(folder).pruned == (3,)
    assert sum(file.stat().st_size for file in folder.rglob("*.safetensors")) < before
    assert "Pruned 0 of 5 points; that has freed 0 MB" in run("prune", folder, "--keep", 2).output
    for shown in (
        ("show", folder),
        ("show", folder, "--point", 3),
        ("show", folder, "--point", 4, "--card"),
        ("compare", folder, 0, 3),
    ):
        assert run(*shown).exit_code == 0, shown
    result = run("export", folder, folder.parent / "m.safetensors", "--point", 3)
    assert result.exit_code == 1
    assert "point 3 was pruned" in words(result.output)


def test_prune_makes_nothing_and_takes_nothing_that_is_in_use(folder, tmp_path):
    result = run("prune", tmp_path / "nothing")
    assert (result.exit_code, "no session" in words(result.output)) == (1, True)
    assert not (tmp_path / "nothing").exists()
    with pn.Session(folder, write=True):
        result = run("prune", folder)
    assert result.exit_code == 1
    assert "writes to it" in words(result.output)
    assert pn.Session(folder).pruned == ()
    result = run("prune", folder, "--keep", 9)
    assert (result.exit_code, "no point 9" in words(result.output)) == (1, True)


def test_copy_copies_what_is_in_use(folder, tmp_path):
    with pn.Session(folder, write=True):
        result = run("copy", folder, tmp_path / "copy")
    assert result.exit_code == 0, result.output
    assert "The copy of 5 points is in" in words(result.output)
    assert pn.Session(tmp_path / "copy").as_json() == pn.Session(folder).as_json()
    assert run("copy", folder, tmp_path / "copy").exit_code == 1


def test_a_session_is_stored_as_it_is_asked_for(target, tmp_path):
    script = ("--script", "improve f1 by 1%")
    result = run("run", target, "--session", "half", "--precision", "half", *script)
    assert result.exit_code == 0, result.output
    session = pn.Session(tmp_path / "half")
    assert len(session) == 2
    theta = session.point(1).parameters
    assert torch.equal(theta, theta.half().double())
    assert not (tmp_path / "elsewhere" / "half").exists()


def test_a_precision_needs_a_session_of_its_own(target, folder):
    result = run("run", target, "--precision", "half", "--script", "undo")
    assert (result.exit_code, "--precision goes with --session" in words(result.output)) == (2, True)
    result = run("run", target, "--session", folder, "--precision", "half", "--script", "undo")
    assert (result.exit_code, "stores parameters with precision 'full'" in words(result.output)) == (1, True)


def test_files_are_written_where_they_were_meant(target, tmp_path):
    result = run(
        "run",
        target,
        "--script",
        "improve f1 by 1%",
        "--plot",
        "p.html",
        "--export",
        "m.safetensors",
        "--card",
    )
    assert result.exit_code == 0, result.output
    assert {file.name for file in tmp_path.glob("*.*")} == {"leaving.py", "p.html", "m.safetensors", "m.md"}
    assert list((tmp_path / "elsewhere").iterdir()) == []
