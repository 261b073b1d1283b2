"""Every block of Python on a page does what the page says.

Blocks with prompts are compared with what they say comes out. Those without are run one after the other: the first
ones make what the others need, or the page says in words what has to be there (``GIVEN``).
"""

from __future__ import annotations

import contextlib
import doctest
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.pages import PAGES, ROOT, code
from torch import nn

import paretonav as pn

ELSEWHERE = ("README.md", "docs/home.md", "docs/models.md", "docs/tutorial.md")
"""Whose blocks without prompts tests of their own run."""


def prompted(block: str) -> bool:
    return ">>> " in block


@pytest.mark.parametrize("page", [page for page in PAGES if any(map(prompted, code(page)))])
def test_what_is_said_to_come_out_does(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # some write files
    flags = doctest.NORMALIZE_WHITESPACE
    result = doctest.testfile(str(ROOT / page), module_relative=False, optionflags=flags, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted >= sum(map(prompted, code(page)))


def small() -> pn.ModelProblem:
    """Of two losses, named as on the first page."""
    x = torch.linspace(-1, 1, 64)[:, None]
    return pn.ModelProblem(
        nn.Linear(1, 1),
        {
            "read": lambda outputs, batch: (outputs - batch[0]).square().mean(),
            "draw": lambda outputs, batch: (outputs + batch[0] - 1).square().mean(),
        },
        torch.utils.data.TensorDataset(x),
        torch.utils.data.TensorDataset(x + 0.01),
    )


def started() -> dict[str, Any]:
    nav = pn.Navigator(small())
    nav.start()
    return {"pn": pn, "problem": nav.problem, "nav": nav}


def for_large_models() -> dict[str, Any]:
    layers = pytest.importorskip("transformers.modeling_layers")

    class Layer(layers.GradientCheckpointingLayer):  # type: ignore[misc, name-defined]
        pass

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Layer()

        def gradient_checkpointing_enable(self, _: dict[str, bool]) -> None:
            pass

    return {"pn": pn, "problem": small(), "model": Model()}


def for_a_corrector() -> dict[str, Any]:
    return {"problem": small(), "epochs": 2, "generator": torch.Generator().manual_seed(0)}


GIVEN: dict[str, Callable[[], dict[str, Any]]] = {
    "docs/cockpit.md": started,
    "docs/progress.md": for_a_corrector,
    "docs/scale.md": for_large_models,
}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in ELSEWHERE and not all(map(prompted, code(page)))]
)
def test_what_has_no_prompts_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = GIVEN.get(page, dict)()
    with contextlib.redirect_stdout(io.StringIO()):
        for number, block in enumerate(code(page)):
            if not prompted(block):
                exec(compile(block, f"{page}, block {number}", "exec"), names)


@pytest.mark.parametrize("page", [page for page in ELSEWHERE if page in PAGES])
def test_what_is_run_elsewhere_is(page: str) -> None:
    """Some other test reads the page, if there is anything to run."""
    others = (
        file.read_text("utf-8")
        for file in (ROOT / "tests").rglob("test_*.py")
        if file.name != Path(__file__).name
    )
    assert all(map(prompted, code(page))) or any(f'{Path(page).name}"' in text for text in others)
