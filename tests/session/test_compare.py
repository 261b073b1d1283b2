"""Differences and their standard errors against the batches themselves."""

from dataclasses import replace

import numpy as np
import pytest

import paretonav as pn
from paretonav.session import Comparison
from paretonav.steering import Changes, Estimates
from paretonav.steering.outcome import Outcome


def test_differences_are_those_of_the_batches(walked: pn.Session) -> None:
    comparison = walked.compare(0, 3, 1)
    seen = set()
    for d in comparison:
        then, now = walked.point(0), walked.point(d.point)
        if d.split == "metrics":
            i = now.measured.validation.metric_names.index(d.name)
            before, after = (
                then.measured.validation.metric_batches[:, i],
                now.measured.validation.metric_batches[:, i],
            )
            shares = now.measured.validation.fractions.numpy()
        else:
            i = now.front.names.index(d.name)
            before, after = (each.measured.of(d.split).batches[:, i] for each in (then, now))
            shares = now.measured.of(d.split).fractions.numpy()
        differences = (after - before).numpy()
        assert d.value == pytest.approx(shares @ after.numpy(), rel=1e-12)
        assert d.change == pytest.approx(shares @ differences, rel=1e-9)
        expected = (shares @ (differences - shares @ differences) ** 2 / (len(shares) - 1)) ** 0.5
        assert d.standard_error == pytest.approx(expected, rel=1e-9)
        seen.add((d.split, d.name, d.point))
    assert len(seen) == 2 * (2 + 2 + 2) == len(list(comparison))


def test_better_is_lower_for_losses_and_as_said_for_metrics() -> None:
    values = {"x": -1.0, "y": 1.0}
    changes = Changes(values, {"x": 0.1, "y": 0.1}, 100)
    nothing = Changes({"x": 0.1, "y": -0.1}, {"x": 1.0, "y": 1.0}, 100)
    record = _record({"x": 2.0, "y": 2.0}, {"x": 0.5, "y": 0.5})

    def compared(change: Changes, up: dict[str, bool]) -> Comparison:
        return Comparison((record, record), (Outcome(change, Changes(), change, "train"),), up)

    def verdicts(change: Changes, up: dict[str, bool]) -> list[tuple[str, str, bool | None]]:
        return [(d.split, d.name, d.better) for d in compared(change, up)]

    assert verdicts(changes, {"x": True}) == [
        ("train", "x", True),
        ("train", "y", False),
        ("metrics", "x", False),
        ("metrics", "y", None),
    ]
    assert [better for *_, better in verdicts(nothing, {"x": True})] == [None] * 4
    assert all(d.noise for d in compared(nothing, {}))


def test_the_table_begins_with_the_first_point(walked: pn.Session) -> None:
    frame = walked.compare(1, 2).table()
    first, second = frame[frame["point"] == 1], frame[frame["point"] == 2]
    assert first["name"].tolist() == second["name"].tolist() == ["a", "b", "a", "b", "hits", "size"]
    np.testing.assert_allclose(second["value"].values - first["value"].values, second["change"], atol=1e-12)
    assert "<table" in walked.compare(1, 2)._repr_html_()


def test_a_function_has_exact_differences() -> None:
    navigator = pn.Navigator(pn.problems.quadratic(n=5, m=2))
    navigator.start()
    navigator.step(pn.Improve({"f1": 1.0}), 0.02)
    better, worse = navigator.session.compare(0, 1)
    assert (better.standard_error, better.noise, better.better) == (None, False, True)
    assert (worse.noise, worse.better) == (False, False)


def test_what_a_solver_leaves_over_is_no_difference() -> None:
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=3))
    navigator.start()
    navigator.step(pn.Improve({"f1": 1.0}, hold=["f2"]), 0.02)
    held = list(navigator.session.compare(0, 1))[1]
    assert (held.noise, held.better) == (True, None)


@pytest.mark.parametrize(
    ("ids", "says"), [((), "two or more"), ((1,), "two or more"), ((1, 1), "once"), ((0, 9), "no point 9")]
)
def test_what_cannot_be_compared(walked: pn.Session, ids: tuple[int, ...], says: str) -> None:
    with pytest.raises(pn.SessionError, match=says):
        walked.compare(*ids)


def _record(losses: dict[str, float], metrics: dict[str, float]) -> pn.Record:
    navigator = pn.Navigator(pn.problems.quadratic(n=5, m=2))
    navigator.start()
    values = Outcome(Estimates(losses), Estimates(), Estimates(metrics), "train")
    return replace(navigator.records[0], values=values)
