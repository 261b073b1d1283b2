"""Problems of one's own with a fault in each: the check-up finds it, and says what to do."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import paretonav as pn
from paretonav.cli import app

SOUND = """
import torch
from torch import nn
from torch.utils.data import TensorDataset
import paretonav as pn

torch.manual_seed(0)
X, Y = torch.randn(200, 3), torch.randn(200, 2)
MODEL = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))

def squared(i):
    return lambda outputs, batch: (outputs[:, i] - batch[1][:, i]).square().mean()

def data(begin, end):
    return TensorDataset(X[begin:end], Y[begin:end])

GIVEN = dict(
    model=MODEL,
    losses={"a": squared(0), "b": squared(1)},
    train=data(0, 100),
    validation=data(100, 200),
    test=data(0, 50),
)

def problem():
    return pn.ModelProblem(**GIVEN)
"""

FAULTS: dict[str, tuple[str, str]] = {
    "dropout": (
        "GIVEN['model'] = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 2))",
        r"model\.eval\(\)",
    ),
    "noise": (
        "class Noisy(nn.Linear):\n"
        "    def forward(self, x):\n"
        "        return super().forward(x) + torch.randn(2)\n"
        "GIVEN['model'] = Noisy(3, 2)",
        "gives two outputs for one input",
    ),
    "detached": (
        "GIVEN['losses']['a'] = lambda o, b: (o[:, 0].detach() - b[1][:, 0]).square().mean()",
        "'a' does not depend on the steered parameters",
    ),
    "vector": ("GIVEN['losses']['a'] = lambda o, b: (o[:, 0] - b[1][:, 0]).square()", "'a'.*scalar"),
    "sum": (
        "GIVEN['losses']['a'] = lambda o, b: (o[:, 0] - b[1][:, 0]).square().sum()",
        "loss 'a' is no mean over examples",
    ),
    "raises": ("GIVEN['losses']['b'] = lambda o, b: o.logits.mean()", "loss 'b' failed"),
    "nan in the data": ("Y[3, 0] = torch.nan", "'a' is nan"),
    "nan in the validation data": ("Y[150, 0] = torch.nan", "'a' is nan on the .*validation"),
    "nan in the weights": ("MODEL[0].weight.data[0, 0] = torch.nan", "nan"),
    "few validation examples": (
        "GIVEN['validation'] = data(100, 120)",
        "unknown: that takes 32 validation examples",
    ),
    "no validation data": ("del GIVEN['validation']", "no validation data"),
    "twice the same": (
        "GIVEN['losses']['b'] = lambda o, b: 2 * squared(0)(o, b)",
        "a and b have the same gradient but for its length",
    ),
    "reversed": (
        "class Reversed(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x):\n"
        "        return x.clone()\n"
        "    @staticmethod\n"
        "    def backward(ctx, slope):\n"
        "        return -slope\n"
        "GIVEN['losses']['a'] = lambda o, b: squared(0)(Reversed.apply(o), b)",
        "the gradient of objective 'a' is not its derivative",
    ),
    "writes into its data": (
        "GIVEN['losses']['a'] = lambda o, b: (o[:, 0] - b[1][:, 0].mul_(0.5)).square().mean()",
        "loss 'a' writes",
    ),
    "wrapped": ("GIVEN['model'] = nn.DataParallel(MODEL)", "DataParallel"),
}


def doctor(folder: Path, fault: str) -> Any:
    code = SOUND.replace("\ndef problem():", f"\n{fault}\n\ndef problem():")
    (folder / "mine.py").write_text(code)
    return CliRunner().invoke(app, ["doctor", f"{folder / 'mine.py'}:problem"], env={"COLUMNS": "400"})


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is a module of its own."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine", raising=False)


def test_what_is_sound_can_be_navigated(tmp_path: Path) -> None:
    done = doctor(tmp_path, "")
    assert done.exit_code == 0, done.output
    assert done.output.rstrip().endswith("It can be navigated.")
    for word in (
        "50 numbers are steered",
        "100 training examples",
        "conflict",
        "curvature",
        "memory",
        "about",
    ):
        assert word in done.output


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(name: str, tmp_path: Path) -> None:
    fault, message = FAULTS[name]
    done = doctor(tmp_path, fault)
    assert re.search(message, done.output), done.output
    assert "Traceback" not in done.output
    stopped = any(line.startswith("stop") for line in done.output.splitlines())
    minded = any(line.startswith("mind") for line in done.output.splitlines())
    assert done.exit_code == (1 if stopped else 0)
    assert stopped or minded
    assert ("cannot be navigated" in done.output) == stopped


def test_code_of_ones_own_that_fails_is_shown_with_its_traceback(tmp_path: Path) -> None:
    done = doctor(tmp_path, "1 / 0")
    assert done.exit_code == 1
    assert "ZeroDivisionError" in done.output


def test_it_leaves_problem_and_logging_as_they_are() -> None:
    problem = pn.problems.quadratic(n=4, m=3)
    before, propagates = problem.parameters(), logging.getLogger("paretonav").propagate
    found = pn.checkup(problem)
    assert found.ok
    assert problem.parameters().equal(before)
    assert logging.getLogger("paretonav").propagate == propagates
    assert repr(found).startswith("Checkup: can be navigated, 0 things to mind")
    assert {finding.about for finding in found.findings} >= {"problem", "data", "conflict", "curvature"}
