import os
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

import paretonav as pn
from paretonav.plotting import save_plot
from paretonav.plotting.data import Picture, labels, local_front, radius
from paretonav.session.wording import describe, listed, number, origin, printable

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
    picture = Picture.of(navigator)
    assert picture.edges == ((0, 1), (1, 2), (1, 3))
    assert picture.current == 1
    assert picture.roles == {"visited": [2, 3], "start": [0], "current": [1]}
    assert [spot.losses.tolist() for spot in picture.spots] == [
        list(point.losses.values()) for point in navigator.points
    ]


def test_a_point_that_is_start_and_current_is_marked_once():
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    navigator.start()
    assert Picture.of(navigator).roles == {"visited": [], "start": [], "current": [0]}


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


@pytest.fixture
def quick():
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    navigator.start()
    return navigator


@pytest.mark.parametrize("name", ["way", "way.pdf", "way.png.txt", ".html"])
def test_other_suffixes_are_refused(quick, tmp_path, name):
    with pytest.raises(pn.NavigationError, match=r"ends in \.html or \.png"):
        save_plot(quick, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_the_suffix_may_be_in_capitals(quick, tmp_path):
    save_plot(quick, str(tmp_path / "WAY.PNG"))
    assert (tmp_path / "WAY.PNG").exists()


def test_paths_that_cannot_be_written_are_refused(quick, tmp_path):
    folder = tmp_path / "folder.png"
    folder.mkdir()
    for path in (tmp_path / "no" / "way.png", folder, tmp_path / "a\0b.png", tmp_path / f"{'x' * 300}.png"):
        with pytest.raises(pn.NavigationError, match="choose a file in a folder that exists"):
            save_plot(quick, path)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failure_leaves_the_old_file(quick, tmp_path, monkeypatch):
    target = tmp_path / "way.png"
    target.write_bytes(b"old")

    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(pn.NavigationError, match="disk full"):
        save_plot(quick, target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_there_must_be_a_point(tmp_path):
    with pytest.raises(pn.NavigationError, match="start"):
        save_plot(pn.Navigator(pn.problems.quadratic(n=10, m=2)), tmp_path / "way.png")


def test_points_too_close_share_a_label():
    places = np.array([[0.0, 0.0], [1.0, 1.0], [0.01, 0.0], [0.5, 0.0]])
    assert labels(places, np.ones(2)) == [(0, "0, 2"), (1, "1"), (3, "3")]


def test_scaled_axes_end_at_what_was_visited(navigator):
    heights, low, high = Picture.of(navigator).scaled()
    assert heights.min() == 0
    assert heights.max() == 1
    assert np.allclose(low + heights * (high - low), Picture.of(navigator).losses)


@pytest.mark.parametrize(
    ("preference", "words"),
    [
        (pn.Improve({"a": 1}), "improve a by 5%"),
        (pn.Improve({"a": 2, "b": 2, "c": 0}, hold=["d"]), "improve a and b by 5%, holding d"),
        (pn.Improve({"a": 0.7, "b": 0.3}, hold=["c", "d"]), "improve a 0.7, b 0.3 by 5%, holding c and d"),
        (pn.Direction({"a": -1, "b": 0.5, "c": 0}), "direction a -1, b +0.5 by 5%, holding c"),
    ],
)
def test_preferences_in_words(preference, words):
    assert describe(preference, 0.05) == words


def test_a_preference_of_ones_own_has_its_own_words(quick):
    class Mine:
        def wish(self, at):
            return pn.Improve({"f1": 1}).wish(at)

        def __repr__(self):
            return "Mine"

    quick.step(Mine(), 0.02)
    assert origin(quick.here) == "from point 0: Mine by 2%"


def test_words():
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert listed([]) == ""
    assert printable("a\x1bb\n") == r"a\x1bb\n"
    assert [number(x) for x in (1.0, 0.1 + 0.2)] == ["1", "0.30000000000000004"]
    assert number(2.0, "+") == "+2"
