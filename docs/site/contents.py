"""The table of contents, which the first page has here and does not need where it is read as a file.

A page that no part names is in the last one, so that none is lost.
"""

from pathlib import Path

from sphinx.application import Sphinx

PARTS = {
    "Start": ["docs/tutorial"],
    "How to": [
        "docs/models",
        "docs/home",
        "docs/preferences",
        "docs/front",
        "docs/cockpit",
        "docs/sessions",
        "docs/progress",
        "docs/scale",
    ],
    "Examples": ["docs/gallery/index"],
    "Look up": ["docs/api", "docs/method", "docs/benchmarks", "CHANGELOG"],
}
REST = "More"
RESULTS = ("bench/results/", "docs/gallery/")
"""Where pages are that have a page of their own to be found by."""


def _add(app: Sphinx, page: str, text: list[str]) -> None:
    if page != app.config.root_doc:
        return
    named = {name for pages in PARTS.values() for name in pages} | {page}
    found = sorted(app.env.found_docs)
    rest = [name for name in found if name not in named and not name.startswith(RESULTS)]
    for caption, pages in {**PARTS, REST: rest}.items():
        if there := "\n".join(name for name in pages if name in app.env.found_docs):
            text[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{there}\n```\n"


def _first_page(app: Sphinx, failure: Exception | None) -> None:
    """A site begins at index.html."""
    if failure is None:
        to = f"{app.config.root_doc}.html"
        html = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={to}">'
        html += f'<link rel="canonical" href="{to}"><a href="{to}">{app.config.html_title}</a>\n'
        (Path(app.outdir) / "index.html").write_text(html, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", _add)
    app.connect("build-finished", _first_page)
    return {"parallel_read_safe": True}
