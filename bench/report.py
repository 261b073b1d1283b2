"""Tables of the benchmarks: Markdown for people, CSV for programs, both from the same rows.

They and the figures go to where the documentation finds them, or all to the folder ``BENCH_OUT`` of the environment.
"""

from __future__ import annotations

import csv
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from measures import Median

BENCH = Path(__file__).parent
ELSEWHERE = os.environ.get("BENCH_OUT")
RESULTS = Path(ELSEWHERE) if ELSEWHERE else BENCH / "results"
FIGURES = Path(ELSEWHERE) if ELSEWHERE else BENCH.parent / "docs" / "bench"

Row = Mapping[str, object]


def write(name: str, title: str, rows: Sequence[Row], notes: str = "") -> None:
    """Print a table and write it to ``<name>.md`` and ``.csv`` among the results.

    A ``Median`` is three columns in the CSV, with the ends of its interval beside it.
    """
    (RESULTS / name).parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"# {title}",
        "",
        table(rows),
        "",
        notes.strip(),
        "",
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, Python {platform.python_version()}",
    ]
    text = "\n".join(lines) + "\n"
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    with (RESULTS / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        plain = [_plain(row) for row in rows]
        writer = csv.DictWriter(file, list(plain[0]))
        writer.writeheader()
        writer.writerows(plain)
    print(text)


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown; their columns are the first one's."""
    columns = list(rows[0])
    return "\n".join(
        [
            "| " + " | ".join(columns) + " |",
            "|" + " --- |" * len(columns),
            *("| " + " | ".join(_text(row[c]) for c in columns) + " |" for row in rows),
        ]
    )


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
