"""The way to a point has what its records have: what each step was to bring, and what it brought."""

import numpy as np
import pytest

import paretonav as pn
from paretonav.session.way import way_through


@pytest.mark.parametrize("split", [None, "train", "validation"])
def test_every_step_with_its_errors(walked: pn.Session, split: str | None) -> None:
    path = walked.path_to(3)
    way = way_through(path, split)  # type: ignore[arg-type]
    assert way.names == ("a", "b", "hits", "size")
    assert way.values.shape == way.errors.shape == way.predicted.shape == way.predicted_errors.shape == (4, 3)
    on = split or "validation"
    for i, name in enumerate(way.names):
        part = "metrics" if i > 1 else on
        values = [r.values.part(part)[name] for r in path]  # type: ignore[arg-type]
        np.testing.assert_array_equal(way.values[i], values)
        assert np.isnan(way.predicted[i, 0])
        assert np.isnan(way.errors[i, 0])
        for k, record in enumerate(path[1:], start=1):
            predicted, achieved = record.predicted.part(part), record.achieved.part(part)  # type: ignore[arg-type]
            assert way.predicted[i, k] == pytest.approx(values[k - 1] + predicted[name], abs=1e-9)
            assert way.errors[i, k] == achieved.standard_errors[name]
            assert way.predicted_errors[i, k] == pytest.approx(
                predicted.standard_errors.get(name, np.nan), nan_ok=True
            )


def test_a_part_of_the_way_and_a_function(walked: pn.Session) -> None:
    path = walked.path_to(3)
    part, whole = way_through(path[1:]), way_through(path)
    np.testing.assert_array_equal(part.predicted, whole.predicted[:, 1:])
    nav = pn.Navigator(pn.problems.quadratic(n=4, m=2))
    nav.start()
    alone = way_through(nav.records)
    assert np.isnan(alone.predicted).all()
    nav.step(pn.Improve({"f1": 1.0}), 0.01)
    way = way_through(nav.records)
    assert np.isnan(way.errors).all()
    assert way.predicted[0, 1] == pytest.approx(0.99 * way.values[0, 0])
