"""What was predicted on validation data against what came on TEST data, one panel per case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paretonav.plotting.style import INK, PALETTE, PATH, plain
from zoo.rows import TAKEN, numbers

_COLUMNS, _DPI, _LINEAR = 4, 130, 0.5


def predicted_and_achieved(rows: pd.DataFrame, path: Path) -> None:
    """Draw all steps that were taken.

    Args:
        rows: of the benchmark; cases without a step that was taken have no panel.
        path: of a PNG.
    """
    steps = rows[(rows["method"] == "step") & rows["status"].isin(TAKEN)]
    cases = list(dict.fromkeys(steps["case"]))
    if not cases:
        return
    lines = -(-len(cases) // _COLUMNS)
    figure = Figure(figsize=(9.6, 0.8 + 2.35 * lines), layout="constrained")
    panels = figure.subplots(lines, _COLUMNS, squeeze=False).ravel()
    for case, axes in zip(cases, panels, strict=False):
        _panel(axes, steps[steps["case"] == case])
        axes.set_title(case, fontsize=9, color=INK, loc="left")
    for axes in panels[len(cases) :]:
        axes.set_axis_off()
    figure.supxlabel("predicted on validation data, %", fontsize=9, color=INK)
    figure.supylabel("came on test data, %", fontsize=9, color=INK)
    marks = [Line2D([], [], color=colour, marker="o", linestyle="", markersize=4) for colour in PALETTE[:2]]
    figure.legend(
        marks,
        ["named by the wish", "not named"],
        loc="outside upper right",
        ncols=2,
        frameon=False,
        fontsize=8,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=_DPI)


def _panel(axes: Axes, steps: pd.DataFrame) -> None:
    largest = 1.0
    for _, row in steps.iterrows():
        named = numbers(row["named"]).astype(int)
        words = ("previewed", "predicted") if row["status"] == "accepted" else ("predicted", "previewed")
        said = [numbers(row[f"{word} validation"]) for word in words]
        predicted = next((100 * x for x in said if x.size), None)
        if predicted is None:
            continue
        came, errors = 100 * numbers(row["test"]), 100 * np.nan_to_num(numbers(row["± test"]))
        for i, (x, y, error) in enumerate(zip(predicted, came, errors, strict=True)):
            colour = PALETTE[0] if i in named else PALETTE[1]
            axes.errorbar([x], [y], [error], fmt="o", color=colour, markersize=2.5, linewidth=0.6, alpha=0.7)
        largest = max(largest, float(np.abs(predicted).max()), float(np.abs(came).max()))
    axes.plot([-largest, largest], [-largest, largest], color=PATH, linewidth=0.8, zorder=0)
    for scale in (axes.set_xscale, axes.set_yscale):
        scale("symlog", linthresh=_LINEAR)
    ticks = [sign * x for x in (1, 10, 100) if x <= largest for sign in (-1, 1)]
    axes.set_xticks([0, *ticks], [f"{x:g}" for x in (0, *ticks)])
    axes.set_yticks([0, *ticks], [f"{x:g}" for x in (0, *ticks)])
    axes.minorticks_off()
    plain(axes)
