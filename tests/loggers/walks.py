"""A short walk with everything in it that there is to log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.misled import Misled
from tests.two_regressions import two_regressions

import paretonav as pn

ODD = "a/b % (für?)"
"""The name of a metric as people write them."""


def walk(*callbacks: Callable[[pn.News], object]) -> tuple[pn.Navigator, list[pn.News]]:
    """A start, two steps, and one that is rejected; and what was told."""
    told: list[pn.News] = []
    metrics = {ODD: lambda outputs, batch: (outputs[0] - batch[2]).abs().mean()}
    nav = pn.Navigator(two_regressions((1.0, 3.0), metrics=metrics), callbacks=[*callbacks, told.append])
    nav.start()
    for name in ("first", "second"):
        nav.step(pn.Improve({name: 1.0}), 0.01)
    nav.method = replace(nav.method, predictor=Misled())
    nav.step(pn.Improve({"first": 1.0}), 0.01)
    return nav, told
