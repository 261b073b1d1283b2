"""Files that were cut short, flipped, exchanged or taken away are refused by name, or read as they were."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import paretonav as pn

FILES = (
    "session.db",
    "model.safetensors",
    "points/000000.safetensors",
    "points/000002.safetensors",
    "tangents/000002.safetensors",
)


def survey(folder: Path) -> dict[str, object]:
    """All that a session has, as far as it can be compared."""
    session = pn.Session(folder)
    bare = [(r.losses, r.metrics, r.weights, r.achieved, r.parent, repr(r.preference)) for r in session]
    points = [session.point(i) for i in range(len(session))]
    tangents = [session.tangent(i) for i in range(len(session))]
    state = session.state_dict(0)
    session.table(), session.as_json()
    return {
        "records": bare,
        "theta": torch.stack([point.parameters for point in points]),
        "losses": torch.stack([point.train.batches for point in points]),
        "tangents": torch.stack([t.solution.x for t in tangents]) if None not in tangents else None,  # type: ignore[union-attr]
        "model": torch.cat([value.flatten().double() for value in state.values()]),
    }


def require_refused_or_intact(folder: Path, whole: dict[str, object], file: str) -> bool:
    """Whether it was refused."""
    try:
        there = survey(folder)
    except pn.SessionError as error:
        message = str(error)
        assert Path(file).name in message or "no session" in message, message
        assert (
            "restore it" in message or "give another" in message or "install" in message or "yet" in message
        )
        assert message.isprintable()
        return True
    for name, value in whole.items():
        if isinstance(value, torch.Tensor):
            assert there[name] is None or torch.equal(there[name], value), name  # type: ignore[arg-type]
        else:
            assert there[name] == value, name
    return False


@pytest.mark.parametrize("file", FILES)
def test_a_truncated_file_is_refused(visited: Path, file: str) -> None:
    whole, content = survey(visited), (visited / file).read_bytes()
    draw = random.Random(0)
    lengths = {0, 1, 7, 8, 9, 100, len(content) - 1, *(draw.randrange(len(content)) for _ in range(8))}
    for length in sorted(lengths):
        (visited / file).write_bytes(content[:length])
        assert require_refused_or_intact(visited, whole, file), length


@pytest.mark.parametrize("file", FILES)
def test_a_flipped_bit_is_noticed(visited: Path, file: str) -> None:
    """In a file of tensors every one; in the table every one that changes a number or a parameter."""
    whole, content = survey(visited), (visited / file).read_bytes()
    draw = random.Random(1)
    places = [draw.randrange(len(content)) for _ in range(30)]
    if file == "session.db":
        places += range(100)  # the header
    refused = 0
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << draw.randrange(8)
        (visited / file).write_bytes(flipped)
        refused += require_refused_or_intact(visited, whole, file)
    assert refused == len(places) if file != "session.db" else refused > 5


@pytest.mark.slow
def test_flipped_bits_all_over_the_table_are_noticed_where_they_matter(visited: Path) -> None:
    whole, content = survey(visited), (visited / "session.db").read_bytes()
    draw = random.Random(2)
    for _ in range(400):
        flipped = bytearray(content)
        for _ in range(draw.choice((1, 1, 20))):
            flipped[draw.randrange(len(content))] = draw.randrange(256)
        (visited / "session.db").write_bytes(flipped)
        require_refused_or_intact(visited, whole, "session.db")


def remove(file: Path) -> None:
    file.unlink()


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def pickled(file: Path) -> None:
    file.unlink()
    torch.save({"theta": torch.zeros(3)}, file)


def text(file: Path) -> None:
    file.write_text('{"a": 1}')


def another(file: Path) -> None:
    """Of the same session, and sound in itself."""
    root = next(folder for folder in file.parents if (folder / "session.db").exists())
    shutil.copy(root / "points" / "000001.safetensors", file)


@pytest.mark.parametrize("file", FILES[1:])
@pytest.mark.parametrize("exchange", [remove, folder, pickled, text, another])
def test_a_file_of_tensors_that_is_another_one_is_refused(
    visited: Path, file: str, exchange: Callable[[Path], None]
) -> None:
    exchange(visited / file)
    with pytest.raises(pn.SessionError, match=rf"{Path(file).name}.*(restore it|remove it)"):
        survey(visited)


@pytest.mark.parametrize("exchange", [folder, pickled, text])
@pytest.mark.parametrize("write", [False, True])
def test_a_table_that_is_something_else_is_refused_and_left_alone(
    visited: Path, exchange: Callable[[Path], None], write: bool
) -> None:
    exchange(visited / "session.db")
    before = {
        file: file.read_bytes() for file in visited.rglob("*") if file.is_file() and "writer" not in file.name
    }
    with pytest.raises(pn.SessionError, match=r"session\.db.*(another folder|remove it)"):
        pn.Session(visited, write=write)
    assert all(file.read_bytes() == content for file, content in before.items())


@pytest.mark.parametrize("table", ["empty", "missing"])
def test_points_without_their_table_are_not_thrown_away(visited: Path, table: str) -> None:
    """What cannot be told from a new session would be cleared up as left-overs."""
    if table == "missing":
        (visited / "session.db").unlink()
    else:
        (visited / "session.db").write_bytes(b"")
    for write in (True, False):
        with pytest.raises(pn.SessionError, match=r"no session|empty 'session.db'"):
            pn.Session(visited, write=write)
    assert len(list((visited / "points").iterdir())) == 3


def test_a_table_of_fewer_points_does_not_cost_the_others(visited: Path, tmp_path: Path) -> None:
    """A table restored from an older backup: only a file that a killed process can have left is removed."""
    older = tmp_path / "older"
    with pn.Session(older, write=True) as session:
        pn.Navigator(pn.problems.quadratic(n=4, m=2), session=session).start()
    shutil.copy(older / "session.db", visited / "session.db")
    pn.Session(visited, write=True).close()
    assert [f.name for f in sorted((visited / "points").iterdir())] == [
        "000000.safetensors",
        "000002.safetensors",
    ]


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(pn.SessionError, match=r"no session and is not empty.*thesis\.tex.*new folder"):
        pn.Session(tmp_path, write=True)
    with pytest.raises(pn.SessionError, match=r"no session.*right folder"):
        pn.Session(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(pn.SessionError, match="give a folder"):
        pn.Session(tmp_path / "thesis.tex", write=True)
