"""The benchmarks' pictures, as PNG in docs/bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measures import Median
from paretonav.plotting.style import INK, PATH, colour, plain
from report import FIGURES, Row

FOLDER = FIGURES
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
        best = share >= max(np.nanmax(shares[i]) - 0.005, 0.005)
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


def scaling(curves: Mapping[str, Sequence[Row]], name: str) -> None:
    """A step's time and memory by the parameters, times by the objectives, and a step's time by the examples."""
    figure = Figure(figsize=(7.2, 5.4), dpi=_DPI, layout="constrained")
    (time, memory), (objectives, examples) = figure.subplots(2, 2)
    _curve(time, curves["parameters"], "parameters", "step s", "a step")
    _curve(time, curves["parameters"], "parameters", "seconds / product", "a Hessian product", 1)
    _curve(memory, curves["parameters"], "parameters", "peak MiB", "")
    for position, problem in enumerate(dict.fromkeys(row["problem"] for row in curves["objectives"])):
        of = [row for row in curves["objectives"] if row["problem"] == problem]
        _curve(objectives, of, "objectives", "step s", f"a step, {problem}", 2 * position)
        _curve(objectives, of, "objectives", "preview ms", f"a preview, {problem}", 2 * position + 1, 1e-3)
    _curve(examples, curves["examples"], "examples", "step s", "")
    for axes, sizes, unit in (
        (time, "parameters", "seconds"),
        (memory, "parameters", "peak memory above imports, MiB"),
        (objectives, "objectives", "seconds"),
        (examples, "training examples", "seconds of a step"),
    ):
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel(sizes, fontsize=9, color=INK)
        axes.set_ylabel(unit, fontsize=9, color=INK)
        plain(axes)
        _decades(axes)
    for axes, kind in ((objectives, "objectives"), (examples, "examples")):
        shown = sorted({int(str(row[kind])) for row in curves[kind]})
        axes.set_xticks(shown, [str(size) if size < 1000 else f"{size // 1000}k" for size in shown])
    time.legend(frameon=False, fontsize=8)
    objectives.set_ylim(top=20 * objectives.get_ylim()[1])  # room for a legend that lies on no curve
    objectives.legend(frameon=False, fontsize=7.5, loc="upper left", ncols=2, columnspacing=1)
    _save(figure, name)


def _decades(axes: Axes) -> None:
    """Limit the ordinate to whole decades, and tick only these; a dotted line grows as the abscissa does."""
    lines = [np.asarray(line.get_xydata(), float) for line in axes.lines]
    values = np.concatenate([line[:, 1] for line in lines])
    low, high = 10.0 ** np.floor(np.log10(values.min())), 10.0 ** np.ceil(np.log10(values.max()))
    sizes, figures = lines[0].T
    axes.plot(sizes, figures[-1] * sizes / sizes[-1], ":", color=PATH, linewidth=1, label="proportional")
    axes.set_ylim(low, high)
    axes.minorticks_off()


def _curve(
    axes: Axes, rows: Sequence[Row], x: str, y: str, label: str, position: int = 0, factor: float = 1.0
) -> None:
    sizes, values = (np.array([float(str(row[key])) for row in rows]) for key in (x, y))
    axes.plot(sizes, factor * values, "o-", color=colour(position), markersize=4, linewidth=1.4, label=label)


def _save(figure: Figure, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / f"{name}.png", facecolor="white")
