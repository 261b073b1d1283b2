"""Tables of the benchmarks: Markdown for people, CSV for programs, both from the same rows."""

from __future__ import annotations

import csv
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from measures import Median

RESULTS = Path(__file__).parent / "results"

Row = Mapping[str, object]


def write(name: str, title: str, rows: Sequence[Row], notes: str = "") -> None:
    """Print a table and write it to ``results/<name>.md`` and ``.csv``.

    A ``Median`` is three columns in the CSV, with the ends of its interval beside it.
    """
    RESULTS.mkdir(exist_ok=True)
    columns = list(rows[0])
    lines = [
        f"# {title}",
        "",
        "| " + " | ".join(columns) + " |",
        "|" + " --- |" * len(columns),
        *("| " + " | ".join(_text(row[c]) for c in columns) + " |" for row in rows),
        "",
        notes.strip(),
        "",
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, Python {platform.python_version()}",
    ]
    text = "\n".join(lines) + "\n"
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    with (RESULTS / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        table = [_plain(row) for row in rows]
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    print(text)


def _plain(row: Row) -> dict[str, object]:
    plain: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, Median):
            plain |= {name: value.value, f"{name} low": value.low, f"{name} high": value.high}
        else:
            plain[name] = value
    return plain


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
