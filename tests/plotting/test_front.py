import re
from dataclasses import replace

import numpy as np
import pytest
import torch

import paretonav as pn
from paretonav.plotting import save_plot
from paretonav.plotting.charts import Front
from paretonav.plotting.charts.local_front import local_front, radius
from paretonav.plotting.data import Visited, labels

PNG = b"\x89PNG\r\n\x1a\n"
HOSTILE = ("<script>alert(1)</script>", "</script><b>%{x}$\\frac{1}{2}$", "x\x1b[2J\x00\n" + 3 * "loss ")


def quadratics(m, names=None):
    """A navigator on m quadratics with a fork in its tree, at a point that is not the last."""
    problem = pn.problems.quadratic(n=10, m=m)
    if names is not None:
        problem = pn.FunctionProblem(problem._fn, problem.parameters(), names=names)
    navigator = pn.Navigator(problem)
    first, second = navigator.start().front.names[:2]
    navigator.step(pn.Improve({first: 1.0}), 0.03)
    navigator.step(pn.Improve({second: 1.0}), 0.03)
    navigator.undo()
    navigator.step(pn.Improve({second: 1.0}), 0.02)
    navigator.go_to(1)
    return navigator


@pytest.fixture(scope="module", params=[2, 3, 5])
def navigator(request):
    return quadratics(request.param)


def test_an_image(navigator, tmp_path):
    save_plot(navigator, tmp_path / "way.png")
    content = (tmp_path / "way.png").read_bytes()
    assert content.startswith(PNG)
    assert len(content) > 10_000


def test_a_page_that_needs_no_network(navigator, tmp_path):
    save_plot(navigator, tmp_path / "way.html")
    page = (tmp_path / "way.html").read_text(encoding="utf-8")
    assert "<title>Pareto navigation: f1, f2" in page
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", page)
    figure = page[page.rindex("Plotly.newPlot") :]
    for shown in (*navigator.problem.names, "training loss", "point 3", "improve f1 by 3%", "current"):
        assert shown in figure


def test_a_start_alone_can_be_drawn(tmp_path):
    for m in (2, 3, 5):
        navigator = pn.Navigator(pn.problems.quadratic(n=10, m=m))
        navigator.start()
        for suffix in ("png", "html"):
            save_plot(navigator, tmp_path / f"{m}.{suffix}")
            assert (tmp_path / f"{m}.{suffix}").stat().st_size > 0


def test_the_picture_has_the_tree(navigator):
    visited = Visited.of(navigator.session)
    assert visited.edges == ((0, 1), (1, 2), (1, 3))
    assert visited.current == 1
    assert visited.roles == {"visited": [2, 3], "start": [0], "starred": [], "current": [1]}
    assert visited.losses.tolist() == [list(point.losses.values()) for point in navigator.points]


def test_a_point_that_is_start_and_current_is_marked_once():
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    navigator.start()
    roles = {"visited": [], "start": [], "starred": [], "current": [0]}
    assert Visited.of(navigator.session).roles == roles


@pytest.mark.parametrize("m", [2, 3])
def test_the_front_shown_is_the_front_nearby(m):
    navigator = quadratics(m)
    problem, here = navigator.problem, navigator.here
    patch = local_front(here.front)
    scale = np.abs(here.train.mean.numpy()).mean()
    reached = np.abs(patch.outcomes - here.train.mean.numpy()).max()
    assert 0.05 * scale < reached < 0.25 * scale
    for outcome in patch.outcomes[::20]:
        assert abs(problem.front_distance(torch.from_numpy(outcome))) < 0.01 * scale
    assert all(line.max() < len(patch.outcomes) for line in patch.lines)
    if m == 3:
        assert np.unique(patch.triangles).tolist() == list(range(len(patch.outcomes)))


def test_the_front_shown_ends_at_its_edge():
    front = replace(quadratics(3).here.front, weights=np.array([0.98, 0.01, 0.01]))
    directions = [np.array([np.cos(angle), np.sin(angle)]) for angle in np.linspace(0, 2 * np.pi, 50)]
    least = [front.weights_at(radius(front, u) * u).min() for u in directions]
    assert abs(min(least)) < 1e-12


def test_a_flat_problem_has_no_front_to_show(tmp_path):
    problem = pn.FunctionProblem(
        lambda x: torch.stack([x.square().sum(), 2 * x.square().sum()]), torch.ones(2, dtype=torch.float64)
    )
    navigator = pn.Navigator(problem)
    navigator.start()
    save_plot(navigator, tmp_path / "way.png")
    save_plot(navigator, tmp_path / "way.html")


@pytest.mark.parametrize("m", [2, 3, 4])
def test_hostile_names_stay_text(tmp_path, m):
    names = (*HOSTILE, "損失")[:m]
    navigator = quadratics(m, names)
    save_plot(navigator, tmp_path / "way.html")
    page = (tmp_path / "way.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "</script><b>" not in page
    assert "<title>Pareto navigation: &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not set(page) & {"\x1b", "\x00"}
    save_plot(navigator, tmp_path / "way.png")
    assert (tmp_path / "way.png").read_bytes().startswith(PNG)


def test_points_too_close_share_a_label():
    places = np.array([[0.0, 0.0], [1.0, 1.0], [0.01, 0.0], [0.5, 0.0]])
    assert labels(places, np.ones(2), "0123") == [(0, "0, 2"), (1, "1"), (3, "3")]


def test_another_point_can_stand_out(navigator):
    chart = Front.of(navigator.session, [2])
    assert chart.visited.current == 2


def test_a_reader_is_shown_where_it_is_itself(tmp_path):
    """The current point of a session is that of its writer."""
    writer = pn.Navigator(pn.problems.quadratic(n=10, m=2), session=tmp_path / "session")
    writer.start()
    writer.step(pn.Improve({"f1": 1.0}), 0.03)
    reader = pn.Navigator(pn.problems.quadratic(n=10, m=2), session=pn.Session(tmp_path / "session"))
    reader.go_to(0)
    save_plot(reader, tmp_path / "way.html")
    page = (tmp_path / "way.html").read_text(encoding="utf-8")
    assert re.search(r"point 0[^ ]* \(current\)", page)  # between them is the end of bold type
    assert not re.search(r"point 1[^ ]* \(current\)", page)
