"""docs/method.md and the code point at each other, and what they point at is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.pages import named

import paretonav

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "method.md"
SOURCE = Path(paretonav.__file__).parent


def sections() -> dict[str, set[str]]:
    """Anchor of each section -> the files that it says it is in."""
    found: dict[str, set[str]] = {}
    for part in re.split(r"^#+ ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        code = re.search(r"^In the code: (.*?)\.\n\n", text, re.DOTALL | re.MULTILINE)
        found[named(heading)] = set(re.findall(r"\(\.\./src/paretonav/([^)]*)\)", code[1])) if code else set()
    return found


def references() -> set[tuple[str, str]]:
    """Each (section, file) where a file says that its mathematics is in that section."""
    return {
        (found, file.relative_to(SOURCE).as_posix())
        for file in SOURCE.rglob("*.py")
        for found in re.findall(r"docs/method\.md#([^\s,.)]+)", file.read_text("utf-8"))
    }


def test_both_ends_of_every_reference_are_there() -> None:
    told = {(section, file) for section, files in sections().items() for file in files}
    assert told
    assert told == references()


def test_every_symbol_has_its_place_in_the_code() -> None:
    """Of `Class.attribute`, the attribute is declared in a class of that name."""
    rows = re.findall(r"^\| .* \| .* \| (`.*) \|$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`(\w+(?:\.\w+)?)`", row)]
    assert len(names) > 10
    source = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*.py"))
    for name in names:
        kind, _, attribute = name.partition(".")
        body = re.search(rf"^class {kind}\b.*?(?=^\S|\Z)", source, re.DOTALL | re.MULTILINE)
        assert body, f"there is no class {kind}"
        assert not attribute or re.search(rf"^    (def )?{attribute}\b", body[0], re.MULTILINE), name
