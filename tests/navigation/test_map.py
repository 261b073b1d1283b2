"""The map of all visited points: where a route begins, where it leads, and that the step goes there."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.two_regressions import two_regressions

import paretonav as pn


def covered(seed: int = 0, count: int = 5, m: int = 2, **options: object) -> pn.Navigator:
    nav = pn.Navigator(pn.problems.quadratic(n=6, m=m, seed=seed), **options)  # type: ignore[arg-type]
    nav.start()
    nav.cover(count)
    return nav


@pytest.fixture(scope="module")
def of_three() -> pn.FrontMap:
    """The map of a cover of three points, to be looked at alone."""
    return covered(0, 3).map()


@pytest.mark.slow
@settings(max_examples=6)
@given(st.integers(0, 100), st.floats(0.1, 0.9))
def test_a_route_begins_nearby_and_leads_where_it_says(seed: int, place: float) -> None:
    nav = covered(seed)
    front = nav.map().outcomes()
    target = dict(zip(nav.problem.names, front[int(place * len(front))].tolist(), strict=True))
    target["f1"] *= 1 - 1e-6  # else a visited point may be as good already
    route = nav.map().preview(target)
    spans = np.ptp(front, axis=0)
    losses = {record.id: np.array(list(record.losses.values())) for record in nav.records}
    goal = np.array(list(target.values()))
    off = {i: np.linalg.norm((f - goal) / spans) for i, f in losses.items()}
    assert off[route.start] <= 2 * min(off.values()) + 1e-9
    step = nav.step(route)
    assert step.point.parent == route.start
    assert nav.here.id == step.point.id
    came = np.array(list(step.point.losses.values()))
    assert np.linalg.norm((came - [route.outcome[name] for name in target]) / spans) < 0.02


@pytest.mark.parametrize("name", ["f1", "f2"])
def test_a_value_of_one_loss_is_come_to_from_a_point_that_can_trade_it(name: str) -> None:
    nav = covered(3)
    found = nav.map().outcomes()[:, nav.problem.names.index(name)]
    for part in (0.05, 0.3, 0.6, 0.9):
        target = float(found.min() + part * np.ptp(found))
        route = nav.map().preview({name: target})
        assert np.isclose(route.outcome[name], target, rtol=1e-3)
        assert np.isclose(nav.step(route).point.losses[name], target, rtol=0.01)


def test_a_map_is_of_what_there_is_when_it_is_asked_for() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=6, m=2))
    with pytest.raises(pn.NavigationError, match="call start"):
        nav.map()
    nav.start()
    first = nav.map()
    nav.cover(3)
    assert first.points == (0,)
    assert nav.map().points == tuple(record.id for record in nav.records)
    assert "Map of the front by 1 point\n" in repr(first)


def test_a_preference_means_what_it_means_at_the_current_point() -> None:
    nav = covered(3)
    here = nav.here.losses
    route = nav.map().preview(pn.Improve({"f1": 1.0}), 0.3)
    assert np.isclose(route.outcome["f1"], 0.7 * here["f1"], rtol=1e-3)
    route = nav.map().preview(pn.Direction({"f1": -1.0, "f2": 0.2}), 0.5)
    assert np.isclose(route.preview.planned.preference.target["f1"], 0.5 * here["f1"])  # type: ignore[attr-defined]
    held = nav.map().preview(pn.Improve({"f1": 1.0}, allow={"f2": 1.2 * here["f2"]}), 0.05)
    assert held.outcome["f2"] <= 1.2 * here["f2"] * (1 + 1e-6)


def test_a_step_by_a_route_that_fails_leaves_one_where_one_was(monkeypatch: pytest.MonkeyPatch) -> None:
    nav = covered(1)
    before = nav.here.id
    route = nav.map().preview({"f1": 0.5 * nav.here.losses["f1"]})
    assert route.start != before
    monkeypatch.setattr(type(nav), "_step", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        nav.step(route)
    assert nav.here.id == before
    assert torch.equal(nav.problem.parameters(), nav.here.parameters)


def test_a_route_says_what_it_takes_once_that_is_known() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=6, m=2))
    start = nav.start()
    route = nav.map().preview({"f1": 0.9 * start.losses["f1"]})
    assert route.estimate is None
    assert route.legs == 1
    nav.step(route)
    again = nav.map().preview({"f1": 0.8 * start.losses["f1"]})
    assert again.estimate is not None
    assert again.estimate.words in repr(again)


def test_an_outcome_that_is_nowhere_gets_the_nearest() -> None:
    nav = covered(2)
    route = nav.map().preview({"f1": -1.0, "f2": -1.0})
    assert not route.attainable
    assert "There is no such outcome; this is the nearest." in repr(route)


@pytest.mark.parametrize(
    ("wanted", "amount", "message"),
    [
        ({"f9": 1.0}, None, "no objective or metric 'f9'"),
        ({}, None, "there is no target"),
        ({"f1": float("nan")}, None, "give a finite number"),
        ({"f1": 0.1}, 0.5, "leave the amount out"),
        (3, None, "is no preference; give one, or a dict"),
        (pn.Improve({"f1": 1.0}), -1, "give a positive fraction"),
    ],
)
def test_what_makes_no_sense_is_refused(
    of_three: pn.FrontMap, wanted: object, amount: float | None, message: str
) -> None:
    with pytest.raises(pn.PreferenceError, match=message):
        of_three.preview(wanted, amount)  # type: ignore[arg-type]


def test_what_is_asked_for_on_other_data_than_the_maps_is_refused() -> None:
    nav = pn.Navigator(two_regressions((0.5, 0.5)))
    nav.start()
    with pytest.raises(pn.PreferenceError, match="this map is of validation data"):
        nav.map().preview(pn.Improve({"first": 1.0}, on="train"))


def test_what_is_there_already_is_pointed_to() -> None:
    nav = covered(4)
    last = nav.records[-1]
    with pytest.raises(
        pn.ReachedError, match=f"point {last.id} is as good as that already; go to it"
    ) as caught:
        nav.map().preview(last.losses)
    assert caught.value.point == last.id


def test_it_plans_no_outcomes_for_the_published_method() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=6, m=2), predictor=pn.ppe()["predictor"])
    nav.start()
    with pytest.raises(pn.NavigationError, match="a map needs a predictor that goes to outcomes"):
        nav.map()


def test_a_resumed_session_has_the_same_map_and_pruned_points_start_nothing(tmp_path: Path) -> None:
    nav = covered(5, session=tmp_path / "s")
    target = {"f1": 0.4 * nav.here.losses["f1"]}
    expected, front = nav.map().preview(target), nav.map().outcomes()
    nav.session.close()
    problem = pn.problems.quadratic(n=6, m=2, seed=5)
    resumed = pn.Navigator(problem, session=tmp_path / "s")
    assert np.array_equal(resumed.map().outcomes(), front)
    found = resumed.map().preview(target)
    assert (found.start, dict(found.outcome)) == (expected.start, dict(expected.outcome))
    resumed.session.prune()
    pruned = resumed.map()
    assert np.array_equal(pruned.outcomes(), front)
    left = pruned.preview(target)
    assert left.start not in resumed.session.pruned
    assert resumed.step(left).point.parent == left.start


def test_a_point_that_is_lost_is_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nav = covered(5, session=tmp_path / "s")
    nav.session.close()
    file = next((tmp_path / "s" / "points").glob("*1.*"))
    file.write_bytes(b"no point any more")
    resumed = pn.Navigator(pn.problems.quadratic(n=6, m=2, seed=5), session=tmp_path / "s")
    assert resumed.map().points == tuple(i for i in range(len(nav.records)) if i != 1)
    assert "The map goes without point 1" in caplog.text
    assert len(resumed.cover(3).points) == 3


@pytest.mark.slow
def test_around_a_model_that_is_held_it_is_about_validation_losses() -> None:
    nav = pn.Navigator(two_regressions((0.5, 0.5)))
    start = nav.start()
    nav.step(pn.Improve({"first": 1.0}), 0.2)
    nav.go_to(0)
    route = nav.map().preview({"first": 0.75 * start.validation["first"]})
    assert route.start == 1
    assert route.preview.on == "validation"
    step = nav.step(route)
    assert abs(step.point.validation["first"] / start.validation["first"] - 0.75) < 0.01
    train = nav.map(on="train")
    assert np.isclose(train.charts[0].outcome, list(start.losses.values())).all()
