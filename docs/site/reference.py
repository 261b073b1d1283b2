"""docs/api.md on the site: its tables lead to what the docstrings say, which follows below each of them.

So there is one reference, in two lengths: the tables, which are read as a file, and here what they are tables of.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx

import paretonav
from api import HEADINGS, MODULES, WITH_METHODS

PAGE = "docs/api"
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<what>.*) \| [^|]*(?:\\\|[^|]*)* \|$", re.MULTILINE)
HEAD = "| name | what it is | how |\n| --- | --- | --- |"


def _extend(_: Sphinx, page: str, text: list[str]) -> None:
    if page == PAGE:
        parts = re.split(r"^(?=##+ )", text[0], flags=re.MULTILINE)
        text[0] = "".join(_part(part) for part in parts)


def _part(text: str) -> str:
    """A heading with its table, of which every name becomes a link, and with the entries of these names."""
    heading = text.split("\n", 1)[0].lstrip("# ").strip("`").removeprefix("pn.")
    place = f"paretonav.{heading}" if heading in WITH_METHODS else "paretonav"
    if heading in MODULES:
        place = getattr(paretonav, heading).__name__
    table = text.replace(HEAD, "| name | what it is |\n| --- | --- |")
    table = ROW.sub(
        lambda row: f"| {{py:obj}}`{row['name']} <{place}.{row['name']}>` | {row['what']} |", table
    )
    entries = "\n".join(_entries(heading, place))
    return f"{table}\n```{{eval-rst}}\n{entries}\n```\n\n" if entries else table


def _entries(heading: str, place: str) -> Iterator[str]:
    module: Any = getattr(paretonav, heading) if heading in MODULES else paretonav
    for name in module.__all__ if heading in MODULES else HEADINGS.get(heading, ()):
        value = getattr(module, name)
        if inspect.isclass(value):
            yield f".. autoclass:: {place}.{name}\n   :members:\n   :inherited-members: {_FOREIGN}\n"
        elif inspect.isfunction(value):
            yield f".. autofunction:: {place}.{name}\n"


def _link_pages(*given: Any) -> None:
    """Docstrings name pages as files of the repository."""
    lines: list[str] = given[-1]
    lines[:] = [_NAMED.sub(r"`\g<0> <\1.html\2>`__", line) for line in lines]


_NAMED = re.compile(r"docs/(\w+)\.md(#[\w-]+)?")
_FOREIGN = "object, Exception, dict, str, tuple, Enum, StrEnum, Protocol, ABC, Mapping, Generic"
"""Classes whose members are described elsewhere."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", _extend)
    app.connect("autodoc-process-docstring", _link_pages)
    return {"parallel_read_safe": True}
