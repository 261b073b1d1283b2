"""A short walk with everything in it that there is to log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.two_regressions import two_regressions

import paretonav as pn
from paretonav.navigation import News
from paretonav.steering.outcome import nothing

ODD = "a/b % (für?)"
"""The name of a metric as people write them."""


def walk(*callbacks: Callable[[News], object]) -> tuple[pn.Navigator, list[News]]:
    """A start, two steps, and news of a rejected one; and what was told."""
    told: list[News] = []
    problem = two_regressions(
        (1.0, 3.0), metrics={ODD: lambda outputs, batch: (outputs[0] - batch[2]).abs().mean()}
    )
    nav = pn.Navigator(problem, callbacks=[*callbacks, told.append])
    nav.start()
    for name in ("first", "second"):
        nav.step(pn.Improve({name: 1.0}), 0.01)
    last = told[-1]
    assert last.step is not None
    rejected = replace(last.step, status=pn.StepStatus.REJECTED, reason="it was worse", achieved=nothing())
    news = replace(last, step=rejected)
    for callback in (*callbacks, told.append):
        callback(news)
    return nav, told
