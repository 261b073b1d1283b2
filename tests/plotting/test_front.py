from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

import paretonav as pn
from paretonav.plotting import CHARTS, FORMATS, save_plot
from paretonav.plotting.charts import Front
from paretonav.plotting.data import Visited
from paretonav.plotting.picture import picture

MAGIC = {".png": b"\x89PNG\r\n\x1a\n", ".pdf": b"%PDF-", ".svg": b"<?xml"}
HOSTILE = ("<script>alert(1)</script>", "</script><b>%{x}$\\frac{1}{2}$", "x\x1b[2J\x00\n" + 3 * "loss ")


def quadratics(m, names=None):
    """A navigator on m quadratics with a fork in its tree, at a point that is not the last."""
    problem = pn.problems.quadratic(n=10, m=m)
    if names is not None:
        problem = pn.FunctionProblem(problem.fn, problem.parameters(), names=names)
    navigator = pn.Navigator(problem)
    first, second = navigator.start().front.names[:2]
    navigator.step(pn.Improve({first: 1.0}), 0.03)
    navigator.step(pn.Improve({second: 1.0}), 0.03)
    navigator.undo()
    navigator.step(pn.Improve({second: 1.0}), 0.02)
    navigator.go_to(1)
    return navigator


def legend(figure):
    """What stands in a figure's legend."""
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.fixture(scope="module", params=[2, 3, 5])
def navigator(request):
    return quadratics(request.param)


@pytest.mark.parametrize("suffix", FORMATS)
def test_files_of_each_format(navigator, tmp_path, suffix):
    save_plot(navigator, tmp_path / f"way{suffix}", "front")
    content = (tmp_path / f"way{suffix}").read_bytes()
    assert content.startswith(MAGIC[suffix])
    assert len(content) > 10_000


def test_the_picture_has_the_tree(navigator):
    visited = Visited.of(navigator.session)
    assert visited.edges == ((0, 1), (1, 2), (1, 3))
    assert visited.current == 1
    assert visited.roles == {"visited": [2, 3], "start": [0], "starred": [], "current": [1]}
    assert visited.losses.tolist() == [list(point.losses.values()) for point in navigator.records]


def test_a_point_that_is_start_and_current_is_marked_once():
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    navigator.start()
    roles = {"visited": [], "start": [], "starred": [], "current": [0]}
    assert Visited.of(navigator.session).roles == roles


def test_another_point_can_stand_out(navigator):
    chart = Front.of(navigator.session, [2])
    assert chart.visited.current == 2


@pytest.mark.parametrize("m", [2, 3, 5])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_start_alone_can_be_drawn(tmp_path, m, suffix):
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=m))
    navigator.start()
    for kind in (None, "front"):
        save_plot(navigator, tmp_path / f"start{suffix}", kind)
        assert (tmp_path / f"start{suffix}").stat().st_size > 0


def test_a_flat_problem_has_no_front_to_show():
    problem = pn.FunctionProblem(
        lambda x: torch.stack([x.square().sum(), 2 * x.square().sum()]), torch.ones(2, dtype=torch.float64)
    )
    navigator = pn.Navigator(problem)
    navigator.start()
    assert Front.of(navigator.session).patch is None
    assert "predicted front nearby" not in legend(pn.plotting.front(navigator.session))


@pytest.mark.parametrize("m", [2, 3])
def test_a_short_way_is_seen_beside_the_front(m):
    """The front is drawn around the points, not so wide that they are one dot."""
    visited, patch = (lambda chart: (chart.visited, chart.patch))(Front.of(quadratics(m).session))
    assert (np.ptp(patch.outcomes, axis=0) < 6 * np.ptp(visited.losses, axis=0)).all()
    assert (np.ptp(patch.outcomes, axis=0) > np.ptp(visited.losses, axis=0)).any()


@pytest.mark.parametrize("m", [2, 3])
def test_what_is_drawn_is_where_it_was_measured(m):
    navigator = quadratics(m)
    axes = pn.plotting.front(navigator.session).axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    for label, number in (("start", 0), ("current point", 1)):
        data = lines[label].get_data_3d() if m == 3 else lines[label].get_data()
        assert np.ravel(data).tolist() == list(navigator.records[number].losses.values())


def test_a_front_too_small_to_be_seen_is_not_in_the_legend():
    chart = Front.of(quadratics(2).session)
    assert "predicted front nearby" in legend(picture(chart))
    assert "predicted front nearby" not in legend(picture(replace(chart, patch=None)))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("m", [2, 3, 4])
def test_hostile_names_stay_text(tmp_path, m, suffix):
    names = (*HOSTILE, "損失")[:m]
    navigator = quadratics(m, names)
    for kind in (*(kind for kind in CHARTS if m > 2 or kind != "radar"), None):
        path = tmp_path / f"way{suffix}"
        save_plot(navigator, path, kind)
        if suffix == ".svg":
            tree = ElementTree.fromstring(path.read_text(encoding="utf-8"))
            assert not [e for e in tree.iter() if e.tag.endswith(("script", "foreignObject"))]
        else:
            assert path.read_bytes().startswith(MAGIC[suffix])


def test_a_reader_is_shown_where_it_is_itself(tmp_path, monkeypatch):
    """The current point of a session is that of its writer."""
    writer = pn.Navigator(pn.problems.quadratic(n=10, m=2), session=tmp_path / "session")
    writer.start()
    writer.step(pn.Improve({"f1": 1.0}), 0.03)
    reader = pn.Navigator(pn.problems.quadratic(n=10, m=2), session=pn.Session(tmp_path / "session"))
    reader.go_to(0)
    drawn = []
    monkeypatch.setattr(
        "paretonav.plotting.picture.picture", lambda chart: drawn.append(chart) or picture(chart)
    )
    for source in (reader, writer):
        save_plot(source, tmp_path / "way.png")
    assert [chart.visited.current for chart in drawn] == [0, 1]
