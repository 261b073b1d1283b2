"""How far descent by minibatches says that it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import paretonav as pn


def told(
    problem: pn.Problem, work: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[list[float]], list[float]]:
    """What fractions of ``work`` the batches of each epoch tell, and how far through the epoch each is then."""
    epochs: list[list[float]] = []
    batches: list[float] = []
    descending = False
    monkeypatch.setattr("paretonav.objectives.watch._INTERVAL", 0.0)
    read = problem.minibatches

    def minibatches(*options: Any) -> Any:
        nonlocal descending
        descending, done = True, [0.0]
        epochs.append([])
        for batch in read(*options):
            yield batch
            done.append(done[-1] + batch.fraction)
        descending, batches[:] = False, done

    def tell(event: Any) -> None:
        if descending and event.fraction not in epochs[-1]:
            epochs[-1].append(event.fraction)

    monkeypatch.setattr(problem, "minibatches", minibatches)
    with problem.watch.over(tell), problem.watch.part(1.0, "descend"):
        work()
    return epochs, batches


def require_even(epochs: list[list[float]], batches: list[float]) -> None:
    """Epochs follow each other evenly, and so do batches by their size, which are most of an epoch or all of it."""
    begun = [fractions[0] for fractions in epochs]
    length = (begun[-1] - begun[0]) / (len(begun) - 1)
    assert 0 < begun[0] < length
    assert length < 1.01 * (1 - begun[-1]) < 2 * length
    for number, fractions in enumerate(epochs):
        assert fractions[0] == pytest.approx(begun[0] + number * length)
        pace = (fractions[1] - fractions[0]) / batches[1]
        assert 0.5 * length < pace
        expected = [fractions[0] + pace * done for done in batches[: len(fractions)]]
        assert fractions == pytest.approx(expected)
        assert fractions[-1] <= fractions[0] + 1.001 * length
    assert len(fractions) >= len(batches) - 1 > 2
