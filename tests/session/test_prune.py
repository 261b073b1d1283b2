"""Space that is freed: models that are let go of, and tangents within a budget."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import paretonav as pn
from paretonav.session import Journal, archive, folder, premises

N = 100  # parameters


def walked(session: pn.Session, steps: int = 4) -> pn.Navigator:
    """0 -> 1 -> 2 -> ..., on a problem with many parameters."""
    nav = pn.Navigator(pn.problems.quadratic(n=N, m=2), session=session)
    nav.start()
    for _ in range(steps):
        nav.step(pn.Improve({"f1": 1.0}), 0.01)
    return nav


def bytes_in(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*.safetensors"))


@pytest.mark.parametrize("on_disk", [False, True])
def test_models_go_and_numbers_stay(tmp_path: Path, on_disk: bool) -> None:
    session = pn.Session(tmp_path / "s" if on_disk else None, write=True)
    nav = walked(session)
    session.star(1)
    expected = [
        session.as_json(),
        session.table().to_csv(),
        session.compare(0, 2, 3).table().to_csv(),
        session.card(3),
    ]
    states = {i: session.state_dict(i) for i in (0, 1, 3, 4)}
    before = bytes_in(tmp_path)
    freed = session.prune(keep=[3])
    assert session.pruned == (2,)
    assert freed > 8 * N
    if on_disk:
        assert freed == before - bytes_in(tmp_path)
    views = [session, pn.Session(tmp_path / "s")] if on_disk else [session]
    for view in views:
        assert view.pruned == (2,)
        said = [view.as_json(), view.table().to_csv(), view.compare(0, 2, 3).table().to_csv(), view.card(3)]
        assert said == expected
        assert view.point(2).front.names == view.point(0).front.names
        for i, state in states.items():
            assert all(torch.equal(view.state_dict(i)[name], state[name]) for name in state)
        for refused in (
            lambda view=view: view.state_dict(2),
            lambda view=view: view.export(tmp_path / "m.safetensors", 2),
        ):
            with pytest.raises(pn.SessionError, match=r"point 2 was pruned.*choose another"):
                refused()
    with pytest.raises(pn.SessionError, match="point 2 was pruned"):
        nav.go_to(2)
    assert nav.here.id == session.current.id == 4  # type: ignore[union-attr]
    nav.go_to(3)
    with pytest.raises(pn.SessionError, match="point 2 was pruned"):
        nav.undo()
    assert nav.step(pn.Improve({"f2": 1.0}), 0.01).point.id == 5
    assert session.prune() > 0
    assert session.pruned == (2, 3, 4)
    assert session.prune() == 0
    if on_disk:
        session.close()
        resumed = pn.Navigator(pn.problems.quadratic(n=N, m=2), session=tmp_path / "s")
        assert resumed.here.id == 5
        assert resumed.step(pn.Improve({"f2": 1.0}), 0.01).point.id == 6


@pytest.mark.parametrize("precision", ["half", "delta"])
def test_what_is_stored_in_less_precision_is_pruned_as_well(tmp_path: Path, precision: str) -> None:
    with pn.Session(tmp_path / "s", write=True, precision=precision) as session:  # type: ignore[arg-type]
        walked(session)
        kept = [session.point(i).parameters for i in (0, 4)]
        session.prune()
    again = pn.Session(tmp_path / "s")
    assert again.pruned == (1, 2, 3)
    assert all(
        (again.point(i).parameters - t).norm() < 0.01 * t.norm() for i, t in zip((0, 4), kept, strict=True)
    )


def test_a_point_that_is_not_there_cannot_be_kept(tmp_path: Path) -> None:
    with pn.Session(tmp_path / "s", write=True) as session:
        walked(session, steps=1)
        with pytest.raises(pn.SessionError, match="there is no point 7"):
            session.prune(keep=[7])
        assert session.pruned == ()
    with pytest.raises(pn.SessionError, match=r"cannot prune it.*reading only"):
        pn.Session(tmp_path / "s").prune()


def test_a_full_disk_prunes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with pn.Session(tmp_path / "s", write=True) as session:
        walked(session)
        with monkeypatch.context() as patch:
            patch.setattr("paretonav.session.folder.write_value", full)
            with pytest.raises(pn.SessionError, match="free some space"):
                session.prune()
        assert session.pruned == ()
        assert session.point(2).parameters.numel() == N
        assert session.prune() > 0


@pytest.mark.parametrize("published", [0, 1])
def test_a_prune_that_is_killed_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: int
) -> None:
    """After the table has it, and before all files have their names."""
    left = published

    def killed(*arguments: object) -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        premises.publish(*arguments)  # type: ignore[arg-type]

    session = pn.Session(tmp_path / "s", write=True)
    walked(session)
    monkeypatch.setattr(folder, "publish", killed)
    with pytest.raises(KeyboardInterrupt):
        session.prune()
    for _ in range(2):
        reader = pn.Session(tmp_path / "s")
        assert reader.pruned == (1, 2, 3)
        assert [reader.point(i).parameters.numel() for i in range(5)] == [N, 0, 0, 0, N]
        session.close()
        session = pn.Session(tmp_path / "s", write=True)
    assert sorted(file.name for file in (tmp_path / "s" / "points").iterdir()) == [
        f"00000{i}.safetensors" for i in range(5)
    ]


def kept(path: Path) -> list[int]:
    return sorted(int(file.stem) for file in (path / "tangents").iterdir())


@pytest.mark.parametrize("room", [0.0, 0.5, 1.0, 2.0, 2.5, 4.0, 10.0])
def test_tangents_are_kept_within_their_room_the_latest_first(tmp_path: Path, room: float) -> None:
    """As many as fit, but the current point's in any case; none if there is no room at all."""
    with pn.Session(tmp_path / "measured", write=True) as session:
        nav = walked(session, steps=0)
        size = archive.tangent_bytes(nav.tangent)
    with pn.Session(tmp_path / "s", write=True, tangent_room=int(room * size)) as session:
        nav = walked(session, steps=5)
        count = 0 if room == 0 else min(6, max(1, int(room)))
        assert kept(tmp_path / "s") == list(range(6 - count, 6))
        nav.go_to(0)
        _ = nav.tangent
        assert Journal(session).tangent(0) is not None
        there = kept(tmp_path / "s")
        assert len(there) <= max(1, int(room))
        assert there == [] or 0 in there
    assert [i for i in range(6) if Journal(pn.Session(tmp_path / "s")).tangent(i) is not None] == there


@pytest.mark.parametrize("seed", range(5))
def test_in_memory_the_tangents_that_were_used_last_are_kept(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    nav = walked(pn.Session(), steps=0)
    record, point, tangent = nav.session[0], nav.here, nav.tangent
    monkeypatch.setattr(archive, "_TANGENT_BYTES", int(3.5 * archive.tangent_bytes(tangent)))
    memory, draw = archive.MemoryArchive(), random.Random(seed)
    used: list[int] = []  # the latest last
    for i in range(12):
        memory.add(replace(record, id=i), replace(point, id=i), tangent)
        used = [*used, i][-3:]
        asked = draw.randrange(i + 1)
        assert (memory.tangent(asked) is not None) == (asked in used)
        if asked in used:
            used = [*(j for j in used if j != asked), asked]


def test_a_precision_that_is_not_the_sessions_is_refused(tmp_path: Path) -> None:
    pn.Session(tmp_path / "s", write=True, precision="half").close()
    with pn.Session(tmp_path / "s", write=True, precision="half") as session:
        walked(session, steps=0)
    pn.Session(tmp_path / "s").close()
    with pytest.raises(pn.SessionError, match="precision 'half'; leave out precision="):
        pn.Session(tmp_path / "s", write=True, precision="full")
