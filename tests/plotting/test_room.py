"""No text of a chart covers another one or is cut off, whatever is drawn and however it is called."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

import paretonav as pn
from paretonav.plotting import CHARTS
from paretonav.plotting.charts import first
from paretonav.plotting.picture import picture

LONG = ("expected calibration error of the largest group", "a_name_without_any_place_to_break_it", "KL")
TOUCH = 1.5  # pixels of 150 to the inch that the boxes of two texts may share: their empty rim


def walked(m, long):
    """A few points, some close together, of so many objectives."""
    problem = pn.problems.quadratic(n=14, m=m)
    if long:
        names = [f"{LONG[i % 3]} {i}" for i in range(m)]
        problem = pn.FunctionProblem(problem.fn, problem.parameters(), names=names)
    navigator = pn.Navigator(problem)
    names = navigator.start().front.names
    for i in range(5):
        navigator.step(pn.Improve({names[i % m]: 1.0}), 0.03 if i < 3 else 0.002)
    navigator.session.star(2)
    return navigator.session


def boxes(figure):
    """(text, its box in pixels) of all that can be read."""
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    for axis in (axis for axes in figure.axes for axis in axes._axis_map.values()):
        low, high = sorted(axis.get_view_interval())
        # Of ticks beyond the ends of an axis Matplotlib keeps texts that it does not draw.
        beyond = [
            t for t in (*axis.get_major_ticks(), *axis.get_minor_ticks()) if not low <= t.get_loc() <= high
        ]
        hidden = {text for tick in beyond for text in (tick.label1, tick.label2)}
        shown = [text for text in shown if text not in hidden]
    return [
        (text.get_text(), Text.get_window_extent(text)) for text in shown
    ]  # without an annotation's arrow


def turned(box):
    """Whether a text that stands beside an axis in space is aslant: its box is larger than it is."""
    return box.width > 40 and box.height > 40


@pytest.mark.slow
@pytest.mark.parametrize(
    ("m", "long"), [*((m, True) for m in range(2, 11)), *((m, False) for m in (2, 3, 10))]
)
def test_texts_do_not_cover_each_other(m, long):
    session = walked(m, long)
    last = session.records[-1].id
    charts = {
        **{kind: CHARTS[kind](session, None, None) for kind in CHARTS if kind != "radar" or m > 2},
        "first": first(session),
        "changed": CHARTS["bars"](session, [1, last], None),
    }
    for kind, chart in charts.items():
        figure = picture(chart)
        width, height = figure.get_size_inches() * figure.dpi
        found = boxes(figure)
        for text, box in found:
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, (kind, text, box)
        for (text, box), (other, beside) in combinations(found, 2):
            if m == 3 and kind == "front" and (turned(box) or turned(beside)):
                continue
            across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
            along = min(box.y1, beside.y1) - max(box.y0, beside.y0)
            assert min(across, along) <= TOUCH, (kind, text, other, np.round([across, along]))
