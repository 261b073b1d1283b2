"""Tests of pages wait for what they look at: a page changes when messages arrive and frames are drawn."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
AT_ONCE = {"count", "all_inner_texts", "inner_text", "is_checked", "is_hidden", "is_visible", "input_value"}
"""Of a locator, these tell what is there this very moment: ``expect`` and ``until`` wait for it."""


def hasty(source: str) -> list[int]:
    """The lines of assertions about a page that do not wait."""
    asserted = [node.test for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    return [
        call.lineno
        for test in asserted
        for call in ast.walk(test)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and (call.func.attr in AT_ONCE and not call.args)
    ]


def test_no_assertion_about_a_page_is_made_at_once() -> None:
    assert hasty("assert page.locator('img').count() == 0") == [1]
    assert hasty("until(page, lambda: page.locator('img').count() == 0)\nassert text.count('a') == 1") == []
    files = [*HERE.glob("test_*.py"), *(HERE / "web").glob("test_*.py")]
    found = {path.name: lines for path in files if (lines := hasty(path.read_text("utf-8")))}
    assert found == {}
