"""The code in README.md runs as it stands."""

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from paretonav.cli import app

README = Path(__file__).parents[1] / "README.md"


def test_the_code_in_the_readme_runs_and_says_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(compile(blocks[0], "README.md, training", "exec"), names)
        model = names["model"]
        assert isinstance(model, torch.nn.Module)
        trained = [p.clone() for p in model.parameters()]
        for number, block in enumerate(blocks[1:], 1):
            exec(compile(block, f"README.md, block {number}", "exec"), names)
    step, here = names["step"], names["here"]
    kept = here.parameters.split([p.numel() for p in trained])  # type: ignore[attr-defined]
    assert all(torch.equal(a, b.flatten()) for a, b in zip(kept, trained, strict=True))
    assert step.status == "accepted"  # type: ignore[attr-defined]
    assert (tmp_path / "model.safetensors").exists()
    assert "validation data" in said.getvalue()


@pytest.mark.slow
def test_the_commands_in_the_readme_steer_the_file_it_describes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = README.read_text("utf-8")
    training, *others = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ending = next(block for block in others if "def problem()" in block)
    (tmp_path / "mine.py").write_text(f"{training}\n{ending}")
    block = next(block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "mine.py" in block)
    commands = [shlex.split(line, comments=True)[1:] for line in block.splitlines()]
    assert len(commands) == 5
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        for command in commands:
            result = CliRunner().invoke(app, command, input="")
            assert result.exit_code == 0, result.output
    finally:
        sys.modules.pop("mine", None)
    assert "Resumed" in result.stdout
