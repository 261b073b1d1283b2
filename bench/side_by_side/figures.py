"""Pictures of the rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from measures import Median
from paretonav.plotting.style import INK, PALETTE, plain
from side_by_side.methods import FIRST_ONLY, METHODS, STEPS
from side_by_side.rows import by_problem
from side_by_side.summary import cost_per_step, of, of_seeds, over_seeds, title

OWN_COST = (*STEPS, FIRST_ONLY)
_DPI = 130


def fidelity(rows: pd.DataFrame, path: Path) -> None:
    """The miss of every method on training and test data, one panel per problem."""
    problems = dict(by_problem(rows))
    methods = [method for method in METHODS if len(of(rows, method))]
    columns = min(3, len(problems))
    lines = -(-len(problems) // columns)
    figure = Figure(
        figsize=(1.6 + 3.1 * columns, 0.9 + lines * (0.9 + 0.26 * len(methods))), layout="constrained"
    )
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flat
    for (problem, group), panel in zip(problems.items(), panels, strict=False):
        for place, method in enumerate(methods):
            found = of(group, method)
            if found.empty:
                continue
            colour = PALETTE[0] if method == "default" else PALETTE[1] if method == "control" else INK
            for split, offset, filled in (("train", -0.17, False), ("test", 0.17, True)):
                _dot(panel, over_seeds(found, f"miss {split}"), place + offset, colour, filled=filled)
        panel.axvline(1, color=INK, linewidth=0.8, linestyle="--")
        panel.set_title(problem, fontsize=10, color=INK, loc="left")
        panel.set_xscale("log")
        plain(panel)
        panel.tick_params(labelbottom=True)
    for panel in list(panels):
        panel.set_axis_off()
    first = figure.axes[0]
    first.set_yticks(range(len(methods)), [title(method) for method in methods])
    first.set_ylim(len(methods) - 0.5, -0.5)
    figure.supxlabel("miss of the request (dashed: as if nothing had been done)", fontsize=9, color=INK)
    marks = [
        Line2D([], [], color=INK, marker="o", markerfacecolor=face, linestyle="") for face in ("white", INK)
    ]
    figure.legend(
        marks,
        ["on training data", "on test data"],
        loc="outside upper right",
        ncols=2,
        frameon=False,
        fontsize=9,
    )
    _save(figure, path)


def cost(rows: pd.DataFrame, path: Path) -> None:
    """Time per step taken, as a part of training, of the methods whose time is their own."""
    problems = dict(by_problem(rows))
    figure = Figure(figsize=(7.2, 1.3 + 0.5 * len(problems)), layout="constrained")
    axes = figure.subplots()
    methods = [method for method in OWN_COST if len(of(rows, method))]
    for row, group in enumerate(problems.values()):
        for which, method in enumerate(methods):
            found = of(group, method)
            if found.empty:
                continue
            per_step = of_seeds(found, cost_per_step)
            place = row + 0.22 * (which - (len(methods) - 1) / 2)
            if np.isinf(per_step.value):
                axes.text(
                    0.99,
                    place,
                    f"{method}: no step in most seeds",
                    transform=axes.get_yaxis_transform(),
                    ha="right",
                    va="center",
                    fontsize=8,
                    color=PALETTE[which],
                    backgroundcolor="white",
                )
            else:
                _dot(axes, per_step, place, PALETTE[which], filled=True)
    for which, method in enumerate(methods):
        axes.plot([], [], "o", color=PALETTE[which], label=method)
    axes.axvline(1, color=INK, linewidth=0.8, linestyle="--")
    axes.axvline(0.05, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_yticks(range(len(problems)), list(problems))
    axes.set_ylim(len(problems) - 0.5, -0.5)
    axes.set_xlabel(
        "seconds per step taken / seconds of training (dashed: 1, dotted: 0.05)",
        fontsize=9,
        color=INK,
    )
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9)
    plain(axes)
    _save(figure, path)


def _dot(axes: object, found: Median, place: float, colour: str, *, filled: bool) -> None:
    if not np.isfinite(found.value):
        return
    high = found.high if np.isfinite(found.high) else found.value
    axes.plot([found.low, high], [place, place], color=colour, linewidth=1.6)  # type: ignore[attr-defined]
    face = colour if filled else "white"
    axes.plot(  # type: ignore[attr-defined]
        [found.value], [place], "o", color=colour, markerfacecolor=face, markersize=5.5
    )


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=_DPI)
