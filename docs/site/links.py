"""Links from a page to a file of the repository that is no page: the site has a page with its text.

So a reader of the site gets to the code without a repository on the web, in the version that the site is of.
"""

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path

from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx.application import Sphinx

LINK = re.compile(r"(?<!!)\[(?P<text>[^][]+)\]\((?P<to>[^)#:\s]+)\)")
PICTURES = {".png", ".svg", ".jpg"}
HIDDEN = {"__pycache__", "quick"}
FOLDER = "source"


def _rewrite(app: Sphinx, page: str, text: list[str]) -> None:
    """Turn links to such files into links to their pages, which will be made at the end."""
    root = Path(app.srcdir)
    here = (root / page).parent

    def link(found: re.Match[str]) -> str:
        path = Path(os.path.normpath(here / found["to"]))
        if not path.exists() or not path.is_relative_to(root):
            return found[0]  # which the parser will warn of
        name = path.relative_to(root).as_posix()
        if app.env.path2doc(name) in app.env.found_docs or path.suffix in PICTURES:
            return found[0]
        app.env.linked_files.update(_within(path, root))
        to = app.builder.get_relative_uri(page, f"{FOLDER}/{name}")
        return f'<a class="reference" href="{to}">{found["text"]}</a>'

    text[0] = LINK.sub(link, text[0])


def _within(path: Path, root: Path) -> Iterator[str]:
    """A file, or a folder and what is in it."""
    yield path.relative_to(root).as_posix()
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            if inner.name not in HIDDEN:
                yield from _within(inner, root)


def _pages(app: Sphinx) -> Iterator[tuple[str, dict[str, str], str]]:
    root = Path(app.srcdir)
    for name in sorted(app.env.linked_files):
        body = _listing(app, root / name) if (root / name).is_dir() else _text(app, root / name)
        yield f"{FOLDER}/{name}", {"title": name, "body": f"<h1>{html.escape(name)}</h1>{body}"}, "page.html"


def _listing(app: Sphinx, folder: Path) -> str:
    here = folder.relative_to(app.srcdir).as_posix()
    rows = []
    for path in sorted(path for path in folder.iterdir() if path.name not in HIDDEN):
        name = path.relative_to(app.srcdir).as_posix()
        page = app.env.path2doc(name)
        there = page if page in app.env.found_docs else f"{FOLDER}/{name}"
        to = app.builder.get_relative_uri(f"{FOLDER}/{here}", there)
        rows.append(f'<li><a href="{to}"><code>{html.escape(path.name)}</code></a></li>')
    return f"<ul>{''.join(rows)}</ul>"


def _text(app: Sphinx, path: Path) -> str:
    try:
        language = get_lexer_for_filename(path.name).aliases[0]
    except (ClassNotFound, IndexError):
        language = "text"
    return str(app.builder.highlighter.highlight_block(path.read_text("utf-8"), language, force=True))


def _begin(app: Sphinx) -> None:
    app.env.linked_files = set()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", _begin)
    app.connect("source-read", _rewrite)
    app.connect("html-collect-pages", _pages)
    return {"parallel_read_safe": False}
