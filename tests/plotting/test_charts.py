"""What the charts show is what the session has."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

import paretonav as pn
from paretonav.plotting import CHARTS, save_plot
from paretonav.plotting.charts import Bars, Parallel, Radar, Trajectory
from paretonav.steering import Estimates

SUFFIXES = ("png", "html")


@pytest.mark.parametrize("kind", CHARTS)
def test_every_chart_of_a_session_alone(session, judged, tmp_path, kind):
    for source in (session, judged):
        for suffix in SUFFIXES:
            save_plot(source, tmp_path / f"way.{suffix}", kind)
        assert (tmp_path / "way.png").read_bytes().startswith(b"\x89PNG")
        assert "<b>the one" not in (tmp_path / "way.html").read_text()


@pytest.mark.parametrize("kind", CHARTS)
def test_figures_are_plotly_s_and_have_a_headline(judged, kind):
    figure = getattr(pn.plotting, kind)(judged)
    assert isinstance(figure, go.Figure)
    assert figure.layout.title.text


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_trajectory_follows_the_path(judged, split):
    figure = pn.plotting.trajectory(judged, 3, split)
    way = judged.path_to(3)
    assert [record.id for record in way] == [0, 1, 3]
    for trace, name in zip(figure.data, judged.names, strict=True):
        losses = np.array([record.shown(split)[name] for record in way])
        np.testing.assert_allclose(trace.y, 100 * (losses / losses[0] - 1))
        assert f"{name}, {'training' if split == 'train' else split}" == trace.name
    assert list(figure.layout.xaxis.ticktext) == ["0", "1", "3"]


def test_a_trajectory_shows_both_splits_and_ends_at_the_current_point(judged):
    figure = pn.plotting.trajectory(judged)
    assert len(figure.data) == 2 * len(judged.names)
    assert {trace.line.dash for trace in figure.data} == {"solid", "dash"}
    assert Trajectory.of(judged).title == "The way from point 0 to point 2"


def test_parallel_axes_go_from_best_to_worst(judged):
    chart = Parallel.of(judged)
    assert [scale.name for scale in chart.scales] == [*judged.names, "up", "down"]  # "odd" has no better side
    up, down = chart.scales[-2:]
    assert up.ends == (0.8, 0.5)
    assert up.heights.tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert down.ends == pytest.approx((0.4, 1.0))
    losses = np.array([list(record.validation.values()) for record in judged])
    for i, scale in enumerate(chart.scales[:3]):
        best, worst = scale.ends
        assert (best, worst) == (losses[:, i].min(), losses[:, i].max())
        np.testing.assert_allclose(best + scale.heights * (worst - best), losses[:, i])


def test_parallel_lines_are_those_of_the_points_asked_for(session):
    figure = pn.plotting.parallel(session, [3, 1])
    lines = {trace.name: np.array(trace.y, dtype=float) for trace in figure.data if trace.name}
    assert set(lines) == {"starred", "visited"}
    losses = np.array([list(session[i].losses.values()) for i in (3, 1)])
    np.testing.assert_allclose(lines["starred"], (losses[0] > losses[1]).astype(float))


def test_dominated_points_are_grey(session):
    worse = pn.Session()
    for record in session:
        factor = 2 if record.id == 1 else 1
        losses = Estimates({name: factor * x for name, x in record.losses.items()})
        worse.add(replace(record, losses=losses), session.point(record.id), session.tangent(record.id))
    groups = {label: rows for _, label, _, rows in Parallel.of(worse).groups}
    assert groups["dominated by another point"] == [1]


def test_a_radar_is_of_the_marked_points(judged):
    chart = Radar.of(judged)
    assert [record.id for record in chart.visited.records] == [0, 2, 3]
    radii = chart.radii
    assert radii.min() == pytest.approx(0.2)
    assert radii.max() == pytest.approx(1)
    assert radii[:, 3].tolist() == pytest.approx([1, 0.2 + 0.8 / 3, 0.2])  # of "up": 0.5, 0.7, 0.8
    trace = pn.plotting.radar(judged, [0, 2, 3]).data[1]
    assert list(trace.r) == pytest.approx([*radii[1], radii[1, 0]])


def test_bars_of_one_point_are_its_exchange_rates(session):
    point = session.point(3)
    chart = Bars.of(session, [3])
    for payer, (lengths, _) in zip(point.losses, chart.series.values(), strict=True):
        for name, length in zip(point.losses, lengths, strict=True):
            if name == payer:
                assert np.isnan(length)
                continue
            gain = 0.01 * point.losses[name]
            paid = gain * point.trade_offs[name][payer]
            assert length == pytest.approx(100 * paid / point.losses[payer])
            # One pays for the other alone, so the weighted sum stays.
            assert point.weights[name] * gain == pytest.approx(point.weights[payer] * paid)


def test_bars_of_two_points_are_what_changed(session):
    chart = Bars.of(session, [1, 3])
    lengths, _ = chart.series["training losses"]
    for name, length in zip(session.names, lengths, strict=True):
        before, after = session[1].losses[name], session[3].losses[name]
        assert length == pytest.approx(100 * (after - before) / before)


def test_bars_stand_beside_each_other_without_gaps(session):
    places = Bars.of(session, [3]).places
    there = ~np.eye(3, dtype=bool)
    for group in range(3):
        apart = np.diff(np.sort(places[there[:, group], group]))
        assert apart == pytest.approx(0.8 / 3)
        assert places[there[:, group], group].mean() == pytest.approx(group)


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda s: pn.plotting.radar(s, range(9)), "cannot be told apart"),
        (lambda s: pn.plotting.bars(s, 1, 2, 3), "one point or of two"),
        (lambda s: pn.plotting.trajectory(s, 9), "no point 9"),
        (lambda s: pn.plotting.parallel(s, []), "no point is named"),
        (lambda s: pn.plotting.parallel(s, split="test"), "choose 'train' or 'validation'"),
        (lambda s: pn.plotting.trajectory(s, split="validation"), "no validation losses"),
        (lambda s: pn.plotting.parallel(pn.Session()), "no point to draw yet"),
        (lambda s: pn.plotting.bars(pn.Session()), "no point to draw yet"),
    ],
)
def test_what_cannot_be_drawn(session, draw, says):
    with pytest.raises(pn.SessionError, match=says):
        draw(session)


def test_two_objectives_make_no_radar():
    navigator = pn.Navigator(pn.problems.quadratic(n=5, m=2))
    navigator.start()
    with pytest.raises(pn.SessionError, match="use parallel or bars"):
        pn.plotting.radar(navigator.session)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["front", "trajectory", "parallel"])
def test_ten_thousand_points_are_drawn(many, tmp_path, kind):
    which = [len(many) - 1] if kind == "trajectory" else None
    for suffix in SUFFIXES:
        save_plot(many, tmp_path / f"way.{suffix}", kind, which)
        assert (tmp_path / f"way.{suffix}").stat().st_size > 10_000


@pytest.mark.slow
def test_ten_thousand_points_are_listed(many, tmp_path):
    many.to_csv(tmp_path / "points.csv")
    assert len((tmp_path / "points.csv").read_text().splitlines()) == 10_001
    assert len(many.table()) == 10_000
