"""Files are written whole or not at all, and under names that say what they are."""

import os

import pytest

import paretonav as pn
from paretonav.plotting import CHARTS, FORMATS, save_plot


@pytest.fixture
def quick():
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    navigator.start()
    return navigator


@pytest.mark.parametrize("name", ["way", "way.gif", "way.png.txt", ".png"])
def test_other_suffixes_are_refused(quick, tmp_path, name):
    with pytest.raises(pn.NavigationError, match=r"ends in \.png, \.svg or \.pdf"):
        save_plot(quick, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_who_asks_for_a_page_is_told_who_has_it(quick, tmp_path):
    with pytest.raises(pn.NavigationError, match=r"\.png, \.svg or \.pdf; the page .* saved by the cockpit"):
        save_plot(quick, tmp_path / "way.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_picture_is_the_same_file(quick, tmp_path, suffix, monkeypatch):
    written = []
    for when in ("1000000000", "1500000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", when)
        save_plot(quick, tmp_path / f"way{suffix}")
        written.append((tmp_path / f"way{suffix}").read_bytes())
    assert written[0] == written[1]


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


def test_other_kinds_are_refused(quick, tmp_path):
    with pytest.raises(
        pn.NavigationError, match="choose one of front, trajectory, steps, parallel, radar, bars"
    ):
        save_plot(quick, tmp_path / "way.png", "pie")


def test_every_kind_has_a_figure_of_the_same_name():
    assert all(callable(getattr(pn.plotting, kind)) for kind in CHARTS)
