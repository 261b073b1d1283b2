"""From a start and wishes to rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from side_by_side.methods import (
    CORRECTOR,
    FIRST_ONLY,
    METHODS,
    SHORT,
    TUNED,
    Outcome,
    corrector,
    ppe,
    scratch,
    short,
    timed,
    tuned,
)
from side_by_side.problems import Start
from side_by_side.rows import Row, refusal, row
from side_by_side.wishes import Task, Wish, task, wishes


def rows(start: Start, asked: list[Wish] | None = None, methods: Collection[str] = METHODS) -> Iterator[Row]:
    """One row per wish and method; the default method is always among them, as it sets the time.

    Args:
        start: where all begin.
        asked: None for the three of ``wishes``. Only the first of them is trained from scratch.
        methods: some of ``METHODS``.
    """
    for place, wish in enumerate(wishes(start.problem.names) if asked is None else asked):
        made = task(start, wish)
        if not isinstance(made, Task):
            yield refusal(start, made)
            continue
        step, epoch = timed(made)
        for method, outcome in _outcomes(made, step, methods, with_scratch=place == 0):
            yield row(made, method, outcome, epoch)


def _outcomes(
    task: Task, step: Outcome, methods: Collection[str], *, with_scratch: bool
) -> Iterator[tuple[str, Outcome]]:
    yield "default", step
    if "ppe" in methods:
        published = ppe(task)
        yield "ppe", published
        yield CORRECTOR, corrector(task)
        close = short(task, published)
        if close is not None:
            yield SHORT, close
    if FIRST_ONLY in methods and with_scratch:
        yield FIRST_ONLY, scratch(task)
    for method, rule in TUNED.items():
        if method in methods:
            yield method, tuned(task, rule, step.cost.seconds)
