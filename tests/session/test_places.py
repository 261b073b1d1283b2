"""Where a session is and what may be written there: it stays where it was meant, and nothing is written over."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import paretonav as pn
from paretonav.session import Journal
from paretonav.session.places import place


def problem() -> pn.Problem:
    return pn.problems.quadratic(n=4, m=2)


def step(nav: pn.Navigator) -> None:
    nav.step(pn.Improve({"f1": 1.0}), 0.01)


def content(folder: Path) -> dict[str, bytes]:
    """Of all files but those of the writer."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith("writer")
    }


def test_a_session_stays_where_it_was_meant_whatever_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "one")
    first = pn.Navigator(problem(), session="s")
    first.start()
    monkeypatch.chdir(tmp_path / "other")
    second = pn.Navigator(pn.problems.quadratic(n=4, m=2, seed=1), session="s")
    second.start()
    step(first)
    step(second)
    for nav, name in ((first, "one"), (second, "other")):
        assert nav.session.path == (tmp_path / name / "s").resolve()
        nav.session.close()
        session = pn.Session(tmp_path / name / "s")
        assert [session.point(i).losses for i in range(2)] == [nav.session[i].losses for i in range(2)]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="the system has no links")
def test_a_session_stays_where_it_was_meant_when_a_link_on_the_way_is_changed(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    link = tmp_path / "latest"
    link.symlink_to(tmp_path / "one")
    nav = pn.Navigator(problem(), session=link / "s")
    nav.start()
    link.unlink()
    link.symlink_to(tmp_path / "other")
    step(nav)
    assert len(pn.Session(tmp_path / "one" / "s")) == 2
    assert not (tmp_path / "other" / "s").exists()


ODD = ["a\0b", "~nobody-has-this-name/s", 5, b"bytes", object()]


@pytest.mark.parametrize("path", ODD, ids=["zero", "nobody", "number", "bytes", "object"])
def test_a_place_that_is_none_is_refused_by_name(path: object, tmp_path: Path) -> None:
    session = pn.Session()
    pn.Navigator(problem(), session=session).start()
    writing: list[Callable[[object], object]] = [
        lambda path: pn.Session(path, write=True),  # type: ignore[arg-type]
        lambda path: pn.Navigator(problem(), session=path),  # type: ignore[arg-type]
        session.to_csv,  # type: ignore[list-item]
        session.to_json,  # type: ignore[list-item]
        lambda path: session.export(f"{path}.safetensors" if isinstance(path, str) else path),  # type: ignore[arg-type]
    ]
    for write in writing:
        with pytest.raises(pn.SessionError, match=r"is no possible place: .*give the path") as caught:
            write(path)
        assert caught.value.__cause__ is not None
    assert list(tmp_path.iterdir()) == []


def test_the_home_folder_is_known_to_sessions_and_exports_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    nav = pn.Navigator(problem(), session="~/s")
    nav.start()
    nav.export("~/m.safetensors", card=True)
    nav.session.to_csv("~/t.csv")
    nav.session.to_json("~/t.json")
    nav.session.copy("~/copy")
    assert {file.name for file in tmp_path.iterdir()} == {
        "s",
        "m.safetensors",
        "m.md",
        "t.csv",
        "t.json",
        "copy",
    }


OWN = (
    "model.safetensors",
    "points/000000.safetensors",
    "points/other.safetensors",
    "tangents/000000.safetensors",
    "points/../model.safetensors",
    "Model.safetensors",
)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("through_a_link", [False, True])
@pytest.mark.parametrize("whose", ["its own", "another's"])
def test_an_export_over_a_file_of_a_session_is_refused(
    tmp_path: Path, name: str, through_a_link: bool, whose: str
) -> None:
    nav = pn.Navigator(problem(), session=tmp_path / "s")
    nav.start()
    exporting = nav
    if whose == "another's":
        exporting = pn.Navigator(problem())
        exporting.start()
    before = content(tmp_path / "s")
    folder = tmp_path / "s"
    if through_a_link:
        folder = tmp_path / "link"
        folder.symlink_to(tmp_path / "s")
    with pytest.raises(pn.SessionError, match=r"is a file of a session.*outside of its folder"):
        exporting.export(folder / name)
    assert content(tmp_path / "s") == before
    step(nav)


@pytest.mark.parametrize(
    "name", ["session.db", "writer.lock", "writer.txt", "session.db-journal", "model.safetensors"]
)
def test_a_table_over_a_file_of_a_session_is_refused(tmp_path: Path, name: str) -> None:
    nav = pn.Navigator(problem(), session=tmp_path / "s")
    nav.start()
    before = content(tmp_path / "s")
    for write in (nav.session.to_csv, nav.session.to_json):
        with pytest.raises(pn.SessionError, match="is a file of a session"):
            write(tmp_path / "s" / name)
    assert content(tmp_path / "s") == before


def test_what_is_no_file_of_the_session_may_lie_in_its_folder(tmp_path: Path) -> None:
    nav = pn.Navigator(problem(), session=tmp_path / "s")
    nav.start()
    nav.export(tmp_path / "s" / "best.safetensors", card=True)
    nav.session.close()
    step(pn.Navigator(problem(), session=tmp_path / "s"))


def test_an_export_through_a_link_to_a_file_of_a_session_is_refused(tmp_path: Path) -> None:
    nav = pn.Navigator(problem(), session=tmp_path / "s")
    nav.start()
    before = content(tmp_path / "s")
    (tmp_path / "m.safetensors").symlink_to(tmp_path / "s" / "model.safetensors")
    with pytest.raises(pn.SessionError, match="is a file of a session"):
        nav.export(tmp_path / "m.safetensors")
    assert content(tmp_path / "s") == before


def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The inodes of what is waited for to be on the disk, from now on."""
    seen: set[int] = set()
    fsync = os.fsync

    def noting(handle: int) -> None:
        seen.add(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noting)
    return seen


def test_new_folders_are_on_the_disk_before_a_point_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a session could be gone with the power although its points are not."""
    seen = synced(monkeypatch)
    nav = pn.Navigator(problem(), session=tmp_path / "a" / "b" / "s")
    for parent in (tmp_path, tmp_path / "a", tmp_path / "a" / "b"):
        assert parent.stat().st_ino in seen, parent
    nav.start()
    for folder in ("", "points", "tangents"):
        assert (tmp_path / "a" / "b" / "s" / folder).stat().st_ino in seen, folder
    seen.clear()
    nav.session.copy(tmp_path / "c" / "copy")
    for name in (
        ".",
        "c",
        "c/copy",
        "c/copy/points",
        "c/copy/session.db",
        "c/copy/points/000000.safetensors",
    ):
        assert (tmp_path / name).stat().st_ino in seen, name


@pytest.mark.skipif(not hasattr(os, "link"), reason="the system has no hard links")
@pytest.mark.parametrize(
    "name",
    [
        "session.db",
        "writer.lock",
        "writer.txt",
        "model.safetensors",
        "points/000000.safetensors",
        "tangents/000000.safetensors",
    ],
)
def test_what_has_another_name_elsewhere_is_not_changed(tmp_path: Path, name: str) -> None:
    """A backup by hard links, or somebody's file that was linked to."""
    nav = pn.Navigator(problem(), session=tmp_path / "s")
    nav.start()
    nav.session.close()
    elsewhere = tmp_path / "elsewhere"
    os.link(tmp_path / "s" / name, elsewhere)
    if name.startswith("writer"):
        elsewhere.write_text("precious")
    before = elsewhere.read_bytes()
    assert len(pn.Session(tmp_path / "s")) == 1
    if name in ("session.db", "writer.lock"):
        says = rf"{name}' has another name elsewhere \(a hard link\).*replace it by a copy"
        with pytest.raises(pn.SessionError, match=says):
            pn.Navigator(problem(), session=tmp_path / "s")
        shutil.copy(tmp_path / "s" / name, tmp_path / "own")
        (tmp_path / "own").replace(tmp_path / "s" / name)
    nav = pn.Navigator(problem(), session=tmp_path / "s")
    step(nav)
    nav.go_to(0)
    step(nav)
    assert elsewhere.read_bytes() == before


def test_a_note_that_is_no_text_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    for path in (None, tmp_path / "s"):
        nav = pn.Navigator(problem(), session=path)
        nav.start()
        for odd in (5, None, b"bytes", "\ud800"):
            with pytest.raises(pn.SessionError, match=r"cannot note .* down: .*give a text"):
                nav.session.note(0, odd)  # type: ignore[arg-type]
        assert nav.session[0].note == ""
        nav.session.note(0, "\0 any \U0001f600 text")
        assert nav.session[0].note == "\0 any \U0001f600 text"


def test_a_point_that_another_navigator_has_added_is_not_written_over(tmp_path: Path) -> None:
    for path in (None, tmp_path / "s"):
        session = pn.Session(path, write=True)
        nav = pn.Navigator(problem(), session=session)
        nav.start()
        record, point, tangent = session[0], nav.here, nav.tangent
        with pytest.raises(pn.SessionError, match="cannot add point 0 to the 1 that there are"):
            Journal(session).add(record, point, tangent)
        assert torch.equal(session.point(0).parameters, point.parameters)


def test_a_place_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert place("a") == tmp_path.resolve() / "a"
    assert place(Path("../b")) == tmp_path.resolve().parent / "b"


@pytest.mark.skipif(os.name != "posix", reason="other systems have shorter paths")
@pytest.mark.parametrize("length", [200, 400, 470])
def test_a_long_path_is_a_path(length: int, tmp_path: Path) -> None:
    path = long_path(tmp_path, length)
    nav = pn.Navigator(problem(), session=path)
    nav.start()
    step(nav)
    nav.session.close()
    assert len(pn.Session(path)) == 2


@pytest.mark.skipif(os.name != "posix", reason="other systems have shorter paths")
@pytest.mark.parametrize("length", [530, 1000, 4000])
def test_a_path_that_is_too_long_is_refused_with_the_remedy(length: int, tmp_path: Path) -> None:
    """For the database, which has a shorter limit than the system, or for that."""
    path = long_path(tmp_path, length)
    with pytest.raises(pn.SessionError, match=r"give a(nother,)? shorter path"):
        pn.Navigator(problem(), session=path)
    session = tmp_path / "s"
    nav = pn.Navigator(problem(), session=session)
    nav.start()
    nav.session.close()
    if length < 2000:  # what was written elsewhere may have been moved
        shutil.rmtree(path)
        shutil.move(session, path)
        with pytest.raises(pn.SessionError, match="give a shorter path"):
            pn.Session(path)


def test_a_name_that_is_too_long_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(pn.SessionError, match="give another, shorter path"):
        pn.Navigator(problem(), session=tmp_path / ("s" * 300))
    assert list(tmp_path.iterdir()) == []


def long_path(folder: Path, length: int) -> Path:
    """A folder in another, with a path of so many characters, or of a few more than the folder's."""
    while (left := length - len(str(folder)) - 1) > 0:
        folder /= "s" * (left if left <= 100 else 60)
    return folder
