"""The code of docs/tutorial.md runs as it stands, and says in the same words what the page says that it does."""

from __future__ import annotations

import contextlib
import io
import re
from itertools import pairwise
from pathlib import Path

import pytest
from tests.pages import tokens

PAGE = "docs/tutorial.md"
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")


def words(text: str) -> list[str]:
    """Without numbers, whose last digits differ between machines, and so their widths, too."""
    return NUMBER.sub("#", text).split()


@pytest.mark.slow
def test_what_the_tutorial_prints_is_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = [(token.info, token.content) for token in tokens(PAGE) if token.type == "fence"]
    names: dict[str, object] = {}
    printed = 0
    for number, ((kind, text), (after, told)) in enumerate(pairwise([*blocks, ("", "")])):
        if kind != "python":
            continue
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(compile(text, f"{PAGE}, block {number}", "exec"), names)
        assert words(said.getvalue()) == (words(told) if after == "text" else []), text
        printed += after == "text"
    assert printed >= 8
    assert {"points.png", "choice.html", "chosen.safetensors", "chosen.md"} <= {
        p.name for p in tmp_path.iterdir()
    }
