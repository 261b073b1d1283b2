"""The benchmarks' pictures, as PNG in docs/bench."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from measures import Median
from paretonav.plotting.style import INK
from report import Row

FOLDER = Path(__file__).parent.parent / "docs" / "bench"
_DPI = 150


def coverage(rows: Sequence[Row], name: str) -> None:
    """Of every problem (a line) and method (a column) the share of the front's hypervolume, darker the more."""
    problems, methods = (list(dict.fromkeys(str(row[key]) for row in rows)) for key in ("problem", "method"))
    shares = np.full((len(problems), len(methods)), np.nan)
    for row in rows:
        found = row["hypervolume"]
        assert isinstance(found, Median)
        shares[problems.index(str(row["problem"])), methods.index(str(row["method"]))] = found.value
    figure = Figure(figsize=(7.2, 1.3 + 0.26 * len(problems)), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
    for (i, j), share in np.ndenumerate(shares):
        best = share >= np.nanmax(shares[i]) - 0.005
        axes.text(
            j,
            i,
            f"{share:.2f}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if share > 0.7 else INK,
            fontweight="bold" if best else "normal",
        )
    axes.set_xticks(range(len(methods)), [m.replace(" ", "\n", 1) for m in methods], fontsize=8, color=INK)
    axes.set_yticks(range(len(problems)), problems, fontsize=8, color=INK)
    axes.tick_params(length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    for i, (above, below) in enumerate(pairwise(problems)):
        if above.split()[0] != below.split()[0]:
            axes.axhline(i + 0.5, color="white", linewidth=2.5)
    axes.set_title(
        "Share of the front's hypervolume, for the same number of gradients", fontsize=9.5, color=INK
    )
    _save(figure, name)


def _save(figure: Figure, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / f"{name}.png", facecolor="white")
