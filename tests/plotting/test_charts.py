"""What the charts show is what the session has."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.proj3d import proj_transform

import paretonav as pn
from paretonav.plotting import CHARTS, FORMATS, save_plot
from paretonav.plotting.charts import Changed, Front, Parallel, Prices, Radar, Trajectory, bars, first
from paretonav.plotting.charts.scales import Scale
from paretonav.plotting.picture import picture
from paretonav.plotting.style import BAD, GOOD
from paretonav.session import Journal
from paretonav.session.way import way_through
from paretonav.statistics import quantile
from paretonav.steering import Estimates


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*CHARTS, None])
def test_every_chart_of_a_session_alone(session, judged, tmp_path, kind):
    for source in (session, judged):
        for suffix in FORMATS:
            save_plot(source, tmp_path / f"way{suffix}", kind)
            assert (tmp_path / f"way{suffix}").stat().st_size > 5000


@pytest.mark.parametrize("kind", CHARTS)
def test_figures_show_themselves_and_have_a_headline(judged, kind):
    figure = getattr(pn.plotting, kind)(judged)
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")
    title, *subtitle = (text.get_text() for text in figure.texts)
    assert title
    assert subtitle


def words(figure):
    """All that is written in a figure."""
    return [
        text for artist in figure.findobj(lambda a: hasattr(a, "get_text")) if (text := artist.get_text())
    ]


@pytest.mark.parametrize("kind", CHARTS)
def test_every_chart_says_which_way_is_better(session, judged, kind):
    for source in (session, judged):
        figure = getattr(pn.plotting, kind)(source)
        assert any("← better" in text for text in words(figure))


def test_steps_have_what_was_predicted_beside_what_came(judged):
    figure = pn.plotting.steps(judged, 3)
    assert figure.texts[0].get_text().startswith("The steps to point 3")
    assert len(figure.axes) == 6
    way = way_through(judged.path_to(3))
    for i, (axes, name) in enumerate(zip(figure.axes, way.names, strict=True)):
        assert name in axes.get_ylabel()
        assert ("better \u2192" in axes.get_ylabel()) == (name == "up")
        assert ("better" in axes.get_ylabel()) == (name != "odd")
        came, predicted = (
            next(line for line in axes.get_lines() if line.get_marker() == m) for m in ("o", "D")
        )
        np.testing.assert_allclose(came.get_ydata(), way.values[i])
        np.testing.assert_allclose(
            predicted.get_ydata(), way.predicted[i, 1:][~np.isnan(way.predicted[i, 1:])]
        )
        assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "3"]
    with pytest.raises(pn.SessionError, match="no step has led to point 0"):
        pn.plotting.steps(judged, 0)


@pytest.mark.parametrize("kind", ["front", "radar", "steps"])
def test_names_are_words_beside_the_numbers(session, kind):
    try:
        session.name(2, "the $fair_{one$")
        session.name(3, "a name that is longer than what is beside a mark")
        figure = getattr(pn.plotting, kind)(session)
        assert figure._repr_png_()
        assert any("the $fair_{one$" in text for text in words(figure))
        assert not any("beside a mark" in text for text in words(figure))
    finally:
        for point in (2, 3):
            session.name(point, "")


def test_in_space_each_arrow_points_to_where_losses_are_smaller(session):
    figure = pn.plotting.front(session)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    ends = np.array([axis.get_view_interval() for axis in (axes.xaxis, axes.yaxis, axes.zaxis)])
    for i, axis in enumerate((axes.xaxis, axes.yaxis, axes.zaxis)):
        # The screen's way from large to small along this axis, and the way in which its label is read.
        points = np.stack([ends.mean(axis=1)] * 2)
        points[:, i] = ends[i, ::-1]
        way = np.diff(np.stack(proj_transform(*points.T, axes.get_proj())[:2], axis=1), axis=0)[0]
        angle = np.radians(axis.label.get_rotation())
        text = axis.label.get_text()
        reads = way @ [np.cos(angle), np.sin(angle)]
        assert ("better →" in text) == (reads > 0)
        assert ("← better" in text) == (reads < 0)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_trajectory_follows_the_path(judged, split):
    axes = pn.plotting.trajectory(judged, 3, split=split).axes[0]
    way = judged.path_to(3)
    assert [record.id for record in way] == [0, 1, 3]
    for line, name in zip(axes.get_lines()[1:], judged.names, strict=True):  # the first is at zero
        losses = np.array([record.values.on(split)[name] for record in way])
        np.testing.assert_allclose(line.get_ydata(), 100 * (losses / losses[0] - 1))
    assert [text.get_text() for text in axes.texts] == list(judged.names)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "3"]


def test_a_trajectory_s_names_are_at_the_ends_of_their_lines(judged):
    axes = pn.plotting.trajectory(judged, 3, split="train").axes[0]
    for line, text in zip(axes.get_lines()[1:], axes.texts, strict=True):
        assert text.xy == (2, line.get_ydata()[-1])
        assert to_hex(text.arrow_patch.get_edgecolor()) == line.get_color()


def test_a_trajectory_shows_both_splits_and_ends_at_the_current_point(judged):
    lines = pn.plotting.trajectory(judged).axes[0].get_lines()[1:]
    assert [line.get_linestyle() for line in lines] == ["-", "--"] * len(judged.names)
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
    axes = pn.plotting.parallel(session, [3, 1]).axes[0]
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines() if line.get_label()[0] != "_"}
    assert set(lines) == {"starred", "visited"}
    losses = np.array([list(session[i].losses.values()) for i in (3, 1)])
    np.testing.assert_allclose(lines["starred"], (losses[0] > losses[1]).astype(float))


def test_an_axis_has_its_ends_in_words_and_how_far_they_are_apart():
    up = Scale("up", np.array([0.5, 0.8]), reversed=True)
    assert up.words == ("0.8000", "0.5000 (-37.5%)")
    assert up.told == "up (higher is better)"
    assert Scale("loss", np.array([1.0, 1.25])).words == ("1.0000", "1.2500 (+25.0%)")


@pytest.mark.parametrize("dust", [0.0, 1e-9])
def test_what_solvers_leave_over_is_not_blown_up_to_an_axis(dust):
    same = Scale("loss", np.array([1.0, 1.0 + dust, np.nan]))
    assert same.heights[:2].tolist() == [0.5, 0.5]
    assert same.words == ("1.0000", "")


def test_dominated_points_are_grey(session):
    worse = pn.Session()
    for record in session:
        factor = 2 if record.id == 1 else 1
        losses = Estimates({name: factor * x for name, x in record.losses.items()})
        tangent = Journal(session).tangent(record.id)
        changed = replace(record, values=replace(record.values, train=losses))
        Journal(worse).add(changed, session.point(record.id), tangent)
    groups = {label: rows for _, label, _, rows in Parallel.of(worse).groups}
    assert groups["dominated by another point"] == [1]


def test_a_radar_is_of_the_marked_points(judged):
    chart = Radar.of(judged)
    assert [record.id for record in chart.visited.records] == [0, 2, 3]
    radii = chart.radii
    assert radii.min() == pytest.approx(0.2)
    assert radii.max() == pytest.approx(1)
    assert radii[:, 3].tolist() == pytest.approx([1, 0.2 + 0.8 / 3, 0.2])  # of "up": 0.5, 0.7, 0.8
    line = pn.plotting.radar(judged, [0, 2, 3]).axes[0].get_lines()[1]
    assert list(line.get_ydata()) == pytest.approx([*radii[1], radii[1, 0]])


def test_bars_of_one_point_are_its_exchange_rates(session):
    point = session.point(3)
    chart = bars(session, [3])
    assert isinstance(chart, Prices)
    for i, name in enumerate(point.losses):
        for j, payer in enumerate(point.losses):
            if name == payer:
                assert np.isnan(chart.prices[i, j])
                continue
            gain = 0.01 * point.losses[name]
            paid = gain * point.trade_offs[name][payer]
            assert chart.prices[i, j] == pytest.approx(100 * paid / point.losses[payer])
            # One pays for the other alone, so the weighted sum stays.
            assert point.weights[name] * gain == pytest.approx(point.weights[payer] * paid)


def test_prices_are_drawn_to_one_scale_and_gains_to_the_other_side():
    costs = np.array([[np.nan, 2.0, -1.0], [np.inf, np.nan, 0.5], [4.0, 1.0, np.nan]])
    doubtful = np.zeros((3, 3), dtype=bool)
    doubtful[2, 1] = True
    axes = picture(Prices(0, ("a", "b", "c"), True, costs, doubtful)).axes[0]
    drawn = {(round(bar.get_y() + 0.21), int(bar.get_x() + 0.3)): bar for bar in axes.patches}
    assert set(drawn) == {(0, 1), (0, 2), (1, 2), (2, 0), (2, 1)}  # nothing where there is no price
    one = drawn[2, 1].get_width()
    for (i, j), bar in drawn.items():
        assert bar.get_width() == pytest.approx(one * costs[i, j])
        if not doubtful[i, j]:
            assert to_hex(bar.get_facecolor()) == (BAD if costs[i, j] > 0 else GOOD)
    assert to_hex(drawn[2, 1].get_facecolor()) == "#ffffff"
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["2%", "-1%", "no price", "0.5%", "4%", "1%"]


def test_bars_of_two_points_are_what_changed(session):
    chart = bars(session, [1, 3])
    assert isinstance(chart, Changed)
    assert [bar.name for bar in chart.bars] == list(session.names)
    for bar in chart.bars:
        before, after = session[1].losses[bar.name], session[3].losses[bar.name]
        assert bar.length == pytest.approx(100 * (after - before) / before)
        assert bar.verdict == ("better" if after < before else "worse")


def test_each_change_says_in_words_and_colour_what_it_is(judged):
    figure = pn.plotting.bars(judged, 0, 3)
    chart, axes = bars(judged, [0, 3]), figure.axes[0]
    fills = {"better": GOOD, "worse": BAD, "noise": "#ffffff"}
    drawn = list(zip(chart.bars, axes.patches, axes.texts, strict=True))
    assert {bar.kind for bar in chart.bars} == {"train", "validation", "metrics"}
    for bar, patch, text in drawn:
        assert patch.get_width() == pytest.approx(bar.length)
        assert text.get_text() == bar.words
        if bar.verdict:
            assert to_hex(patch.get_facecolor()) == fills[bar.verdict]
            assert bar.words.endswith(bar.verdict)
        # Better is to the left, but for what is called "higher is better".
        if bar.verdict in ("better", "worse"):
            assert (bar.length > 0) == ((bar.verdict == "better") == bar.upwards)
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert "up (higher is better)" in labels
    assert labels.count("on training data") == len(judged.names)


def test_intervals_are_of_95_per_cent_and_noise_is_what_crosses_zero(held):
    last = held.records[-1].id
    chart, compared = bars(held.session, [0, last]), held.session.compare(0, last)
    assert "95 %" in chart.subtitle
    for d in compared:
        (bar,) = (bar for bar in chart.bars if (bar.name, bar.kind) == (d.name, d.split))
        parts = held.records[0].values.part(d.split)
        assert bar.half == pytest.approx(
            100 * quantile(parts.batches) * d.standard_error / abs(parts[d.name])
        )
        assert (bar.verdict == "noise") == d.noise
        if d.noise:
            assert abs(bar.length) <= bar.half + 1e-3
    shown = bars(held.session, [0, last], "train").bars
    assert {bar.kind for bar in shown} == {"train"}


def test_a_change_that_rounds_to_nothing_keeps_its_sign(session):
    shift = {name: loss * (1 + 3e-5) for name, loss in session[0].losses.items()}
    copy = pn.Session()
    Journal(copy).add(session[0], session.point(0), Journal(session).tangent(0))
    point = session.point(0)
    moved = replace(point.measured.train, batches=point.measured.train.batches * (1 + 3e-5))
    Journal(copy).add(
        replace(session[1], values=replace(session[1].values, train=Estimates(shift))),
        replace(session.point(1), measured=replace(point.measured, train=moved)),
        Journal(session).tangent(1),
    )
    assert {bar.words for bar in bars(copy, [0, 1]).bars} == {"+0.003% worse"}


def test_first_comes_what_is_seen_at_once(session):
    """The plane of two objectives; of more, bars from the start; at the start, what things cost there."""
    pair = pn.Navigator(pn.problems.quadratic(n=5, m=2))
    pair.start()
    assert isinstance(first(pair.session), Front)
    assert first(session).points == (0, 2)
    assert first(session, [3]).points == (0, 3)
    assert first(session, [1, 3]).points == (1, 3)
    assert first(session, [0]).point == 0


def test_bars_of_one_name_lie_together(judged):
    chart = bars(judged, [0, 3])
    apart = dict(zip(chart.bars[1:], np.diff(chart.places), strict=True))
    for before, bar in zip(chart.bars, chart.bars[1:], strict=False):
        assert apart[bar] == (1.0 if before.name == bar.name else 1.5)


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
    save_plot(many, tmp_path / "way.png", kind, which)
    assert (tmp_path / "way.png").stat().st_size > 10_000


@pytest.mark.slow
def test_ten_thousand_points_are_listed(many, tmp_path):
    many.to_csv(tmp_path / "points.csv")
    assert len((tmp_path / "points.csv").read_text().splitlines()) == 10_001
    assert len(many.table()) == 10_000
