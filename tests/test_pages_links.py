"""Links between the pages lead somewhere, on the pages of a repository as on the site (docs/site)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.pages import PAGES, ROOT, anchors, links

import paretonav

SOURCE = Path(paretonav.__file__).parent


def lost(page: str) -> list[str]:
    """The links of a page to what is not there, or not the project's."""
    wrong = []
    for link in links(page):
        path, _, place = unquote(link).partition("#")
        to = os.path.normpath((Path(page).parent / path).as_posix() if path else page)
        there = (ROOT / to).exists() and not to.startswith("..")
        if not there or (place and place not in anchors(to)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert not lost(page)


def test_a_link_into_nowhere_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.md").write_text(
        "# A `name` & more\n\n## Twice\n\n## Twice\n\n[here](#a-name--more)\n"
        "[other](other.md) ![](no.png) [out](../x.md)\n"
        "[again](page.md#twice-1) [never](page.md#twice-2) [site](https://example.org/x.md)\n\n`[code](no.md)`\n"
    )
    monkeypatch.setattr("tests.pages.ROOT", tmp_path)
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    assert lost("page.md") == ["other.md", "no.png", "../x.md", "page.md#twice-2"]


def test_the_pages_that_the_code_names_are_there() -> None:
    named = {
        (found, file.relative_to(SOURCE).as_posix())
        for file in SOURCE.rglob("*.py")
        for found in re.findall(r"\bdocs/\w+\.md(?:#[\w-]+)?", file.read_text("utf-8"))
    }
    assert len(named) > 10
    for found, file in named:
        page, _, place = found.partition("#")
        assert page in PAGES, file
        assert not place or place in anchors(page), f"{file} leads to {found}"
