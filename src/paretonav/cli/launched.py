"""Commands in one of several processes that were launched."""

from __future__ import annotations

from paretonav import navigation
from paretonav.objectives import Problem
from paretonav.processes import launched


def first_alone(problem: Problem) -> None:
    """Return in the first process, or the only one; the others work for it until it ends, and end, too.

    Raises:
        ProblemError, ProcessesError: they cannot work together on this problem.
        SystemExit: from the others.
    """
    if launched():
        navigation.first_alone(problem, "world")
