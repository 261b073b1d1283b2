import doctest
from pathlib import Path

import pytest


def test_the_code_on_the_page_about_sessions_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # it writes files
    page = Path(__file__).parents[2] / "docs" / "sessions.md"
    flags = doctest.NORMALIZE_WHITESPACE
    result = doctest.testfile(str(page), module_relative=False, optionflags=flags, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted > 15
