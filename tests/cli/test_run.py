"""Navigating a problem of one's own, found by its name."""

import sys

import pytest
from typer.testing import CliRunner

import paretonav as pn
from paretonav.cli import app

PROBLEMS = """
import paretonav as pn

number = 3

def good():
    return pn.problems.quadratic(n=10, m=3)

def bad():
    return helper()

def helper():
    raise KeyError("lost")

def nothing():
    pass

def trained():
    import torch
    from torch import nn
    from torch.utils.data import TensorDataset

    torch.manual_seed(0)
    x = torch.randn(128, 3)
    losses = {"a": lambda o, b: (o[:, 0] - b[0][:, 0]).square().mean() + 0.1,
              "b": lambda o, b: (o[:, 0] - b[0][:, 1]).square().mean() + 0.1}
    return pn.ModelProblem(nn.Linear(3, 1), losses, TensorDataset(x[:96]), TensorDataset(x[96:]), batch_size=8)

def refused():
    return pn.FunctionProblem(lambda x: x, 3)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """In a folder with modules of problems."""
    (tmp_path / "my_problems.py").write_text(PROBLEMS)
    (tmp_path / "json.py").write_text(PROBLEMS)
    (tmp_path / "my_broken.py").write_text("import no_such_module_anywhere")
    (tmp_path / "my_typo.py").write_text("def f(:")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("my_problems", "my_broken", "my_typo"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield lambda *arguments: CliRunner().invoke(app, ["run", *map(str, arguments)])
    for name in ("my_problems", "my_broken", "my_typo"):
        sys.modules.pop(name, None)


def test_a_problem_of_ones_own(run, tmp_path):
    result = run("my_problems:good", "--session", "walk", "--script", "improve f1; note this one; star")
    assert result.exit_code == 0, result.output
    assert "Accepted." in result.stdout
    result = run(
        "my_problems:good", "--session", "walk", "--script", "compare 0 1; points", "--plot", "w.html"
    )
    assert "Resumed at point 1 of 2." in result.stdout
    assert "★" in result.stdout
    assert "this one" in result.stdout
    assert (tmp_path / "w.html").exists()


@pytest.mark.parametrize(
    ("target", "status", "says"),
    [
        ("my_problems", 2, "write it like this: my_problems:function"),
        ("./my_problems.py", 2, "write it like this: ./my_problems.py:function"),
        ("./json.py:good", 2, "another module is called 'json', too"),
        ("./my_problem.py:good", 2, "there is no file 'my_problem.py'"),
        ("inner/my_problems.py:good", 2, "there is no file 'inner/my_problems.py'"),
        ("./my_problems.py:goof", 2, "'my_problems' has no function 'goof'"),
        ("no_such_module:good", 2, "there is no module 'no_such_module'"),
        ("my_problems.inner:good", 2, "there is no module 'my_problems.inner'"),
        ("my_problems:goof", 2, "'my_problems' has no function 'goof'"),
        ("my_problems:number", 2, "has a int, not a function, 'number'"),
        ("my_problems:nothing", 2, "returned a NoneType; let it return a problem"),
        ("my_problems:bad", 1, "'my_problems:bad' failed"),
        ("my_problems:refused", 1, "'my_problems:refused' failed"),
        ("my_broken:good", 1, "importing 'my_broken' failed"),
        ("my_typo:good", 1, "importing 'my_typo' failed"),
    ],
)
def test_what_is_no_problem(run, target, status, says):
    result = run(target, "--script", "show")
    assert result.exit_code == status, result.output
    assert says.lower() in " ".join(result.stderr.split()).lower()


@pytest.mark.parametrize(
    "target", ["./my_problems.py:good", "my_problems.py:good", "./my_problems:good", "{}/my_problems.py:good"]
)
def test_a_file_is_the_module_of_its_name(run, tmp_path, target):
    result = run(target.format(tmp_path), "--script", "show")
    assert result.exit_code == 0, result.output


def test_the_traceback_is_theirs(run):
    told = run("my_problems:bad").stderr
    assert told.index("in bad") < told.index("in helper") < told.index("KeyError: 'lost'")
    assert "target.py" not in told
    assert "importlib" not in run("my_broken:good").stderr


def test_another_problem_s_session_is_refused(run, tmp_path, monkeypatch):
    # Two files of one length, written within a second, have one bytecode.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "my_problems.py").write_text(PROBLEMS.replace("m=3", "m=2"))
    assert run("my_problems:good", "--session", "walk", "--script", "show").exit_code == 0
    (tmp_path / "my_problems.py").write_text(PROBLEMS)
    sys.modules.pop("my_problems")
    result = run("my_problems:good", "--session", "walk", "--script", "show")
    assert result.exit_code == 1
    assert "of another problem" in " ".join(result.stderr.split())


def test_a_model_is_trained_on_where_it_is_asked(run):
    first = run("my_problems:trained", "--session", "plain", "--script", "show")
    assert first.exit_code == 0, first.output
    trained = run("my_problems:trained", "--session", "more", "--train-on", "--script", "show")
    assert trained.exit_code == 0, trained.output
    plain, more = pn.Session("plain"), pn.Session("more")
    assert more[0].weights == plain[0].weights
    assert sum(more[0].validation.values()) < sum(plain[0].validation.values())
    again = run("my_problems:trained", "--session", "more", "--train-on", "--script", "show")
    assert again.exit_code == 0, again.output
    assert "Nothing was trained on: that is done before the first point only." in again.stdout
    refused = run("my_problems:good", "--train-on", "--script", "show")
    assert refused.exit_code == 1
    assert "a function has no data to train on" in " ".join(refused.stderr.split())
