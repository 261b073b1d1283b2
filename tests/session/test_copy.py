"""A copy of a session is the session, whoever is using it meanwhile."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import paretonav as pn
from paretonav.session import Journal


def content(session: pn.Session) -> list[object]:
    points = [session.point(record.id).parameters.tolist() for record in session]
    tangents = [Journal(session).tangent(record.id) is not None for record in session]
    return [session.as_json(), session.pruned, points, tangents]


def test_a_copy_is_the_same_and_stands_for_itself(
    visited: Path, tmp_path: Path, small_model: Callable[[], pn.ModelProblem]
) -> None:
    with pn.Session(visited, write=True) as session:
        session.prune()
        session.copy(tmp_path / "new" / "copy")
        assert content(pn.Session(tmp_path / "new" / "copy")) == content(session)
    shutil.rmtree(visited)
    nav = pn.Navigator(small_model(), session=tmp_path / "new" / "copy")
    assert nav.here.id == 2
    nav.step(pn.Improve({"a": 1.0}), 0.005)
    assert [folder.name for folder in (tmp_path / "new").iterdir()] == ["copy"]


def test_a_copy_is_made_while_another_writes(
    visited: Path, tmp_path: Path, small_model: Callable[[], pn.ModelProblem]
) -> None:
    nav = pn.Navigator(small_model(), session=visited)
    reader = pn.Session(visited)
    for i in range(3):
        reader.copy(tmp_path / f"copy{i}")
        nav.step(pn.Improve({"a": 1.0}), 0.002)
    assert [len(pn.Session(tmp_path / f"copy{i}")) for i in range(3)] == [3, 4, 5]
    copied = pn.Session(tmp_path / "copy2")
    assert all(torch.equal(copied.point(i).parameters, nav.session.point(i).parameters) for i in range(5))


def test_a_copy_goes_nowhere_where_there_is_something(visited: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("precious")
    (tmp_path / "empty").mkdir()
    session = pn.Session(visited)
    for there in ("full", "full/thesis.tex", "visited"):
        with pytest.raises(pn.SessionError, match="there already; give a new folder"):
            session.copy(tmp_path / there)
    session.copy(tmp_path / "empty")
    assert len(pn.Session(tmp_path / "empty")) == 3
    assert (tmp_path / "full" / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize("lost", ["points/000001.safetensors", "model.safetensors"])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_session_that_is_not_whole_is_not_copied(
    visited: Path, tmp_path: Path, lost: str, how: str
) -> None:
    session = pn.Session(visited)
    if how == "missing":
        (visited / lost).unlink()
    else:
        (visited / lost).write_bytes(bytes(byte ^ 1 for byte in (visited / lost).read_bytes()))
    with pytest.raises(pn.SessionError, match=f"{Path(lost).name}' is {how}.*restore it"):
        session.copy(tmp_path / "copy")
    assert [folder.name for folder in tmp_path.iterdir()] == ["visited"]


def test_a_lost_tangent_does_not_keep_a_session_from_being_copied(visited: Path, tmp_path: Path) -> None:
    (visited / "tangents" / "000001.safetensors").unlink()
    pn.Session(visited).copy(tmp_path / "copy")
    copied = pn.Session(tmp_path / "copy")
    assert [Journal(copied).tangent(i) is None for i in range(3)] == [False, True, False]


def test_a_full_disk_leaves_no_half_of_a_copy(
    visited: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(pn.SessionError, match=r"cannot copy .*No space left.*free some space"):
        pn.Session(visited).copy(tmp_path / "copy")
    assert [folder.name for folder in tmp_path.iterdir()] == ["visited"]


def test_a_session_in_memory_has_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(pn.SessionError, match="in memory cannot be copied; give the navigator a folder"):
        pn.Session().copy(tmp_path / "copy")
