"""The table of public names is that of the code."""

import pytest

import api
import paretonav as pn


def test_the_page_is_current() -> None:
    assert api.PAGE.read_text("utf-8") == api.page(), "write it anew: python bench/api.py"


def test_a_public_name_without_a_heading_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pn, "__all__", [*pn.__all__, "ParetoFront"])
    with pytest.raises(SystemExit, match=r"ParetoFront: in paretonav\.__all__ or in HEADINGS"):
        api.page()


def test_a_signature_is_shown_without_types_and_with_what_is_by_keyword_only() -> None:
    def find(a: int, *rest: str, deep: bool = False) -> None: ...

    def made(a: int, /, b: float = 1.5, *, c: str | None = None, **more: int) -> None: ...

    assert api._call("find", find) == "find(a, *rest, deep=False)"
    assert api._call("made", made) == "made(a, b=1.5, *, c=None, **more)"
    assert api._call("Improve", pn.Improve).startswith("Improve(weights, *, hold=(), allow={}, on=None")
