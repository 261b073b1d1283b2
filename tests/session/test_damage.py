"""Files that were cut short, flipped, exchanged or taken away are refused by name, or read as they were."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import paretonav as pn
from paretonav.objectives import Cost
from paretonav.session import Journal, codec, files

FILES = (
    "session.db",
    "model.safetensors",
    "points/000000.safetensors",
    "points/000002.safetensors",
)
TANGENT = "tangents/000002.safetensors"


def survey(folder: Path) -> dict[str, object]:
    """All that a session has, as far as it can be compared."""
    session = pn.Session(folder)
    bare = [(r.losses, r.metrics, r.weights, r.achieved.train, r.parent, repr(r.preference)) for r in session]
    points = [session.point(i) for i in range(len(session))]
    tangents = [Journal(session).tangent(i) for i in range(len(session))]
    state = session.state_dict(0)
    session.table(), session.as_json()
    return {
        "records": bare,
        "theta": torch.stack([point.parameters for point in points]),
        "losses": torch.stack([point.measured.train.batches for point in points]),
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


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def without_folder(file: Path) -> None:
    shutil.rmtree(file.parent)


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


@pytest.mark.parametrize("behind", [1, 2])
def test_an_older_table_is_refused_and_costs_nothing(
    tmp_path: Path, small_model: Callable[[], pn.ModelProblem], behind: int
) -> None:
    """From a backup, say: a step from there would overwrite what was reached since."""
    with pn.Session(tmp_path / "s", write=True) as session:
        nav = pn.Navigator(small_model(), session=session)
        nav.start()
        for i in range(2):
            if i == 2 - behind:
                shutil.copy(tmp_path / "s" / "session.db", tmp_path / "older.db")
            nav.step(pn.Improve({"a": 1.0}), 0.005)
    shutil.copy(tmp_path / "s" / "session.db", tmp_path / "right.db")
    shutil.copy(tmp_path / "older.db", tmp_path / "s" / "session.db")
    with pytest.raises(pn.SessionError, match=r"session\.db' has \d points.*older.*right one back, or move"):
        pn.Navigator(small_model(), session=tmp_path / "s")
    shutil.copy(tmp_path / "right.db", tmp_path / "s" / "session.db")
    with pn.Session(tmp_path / "s", write=True) as session:
        assert [session.point(i).id for i in range(3)] == [0, 1, 2]


def test_a_table_of_another_session_is_refused_and_costs_nothing(visited: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with pn.Session(other, write=True) as session:
        pn.Navigator(pn.problems.quadratic(n=4, m=2), session=session).start()
    shutil.copy(other / "session.db", visited / "session.db")
    with pytest.raises(pn.SessionError, match="has 1 points"):
        pn.Session(visited, write=True)
    assert len(list((visited / "points").iterdir())) == 3


@pytest.mark.parametrize("exchange", ["copied over", "moved there", "removed"])
def test_a_table_that_is_exchanged_while_it_is_in_use_is_not_written_to(
    visited: Path, tmp_path: Path, small_model: Callable[[], pn.ModelProblem], exchange: str
) -> None:
    older = tmp_path / "older"
    with pn.Session(older, write=True) as session:
        pn.Navigator(pn.problems.quadratic(n=4, m=2), session=session).start()
    with pn.Session(visited, write=True) as session:
        nav = pn.Navigator(small_model(), session=session)
        if exchange == "copied over":
            shutil.copy(older / "session.db", visited / "session.db")
        elif exchange == "moved there":
            (older / "session.db").rename(visited / "session.db")
        else:
            (visited / "session.db").unlink()
        with pytest.raises(pn.SessionError, match=r"session\.db' was exchanged or removed"):
            nav.step(pn.Improve({"a": 1.0}), 0.005)
        assert nav.here.id == 2
        assert torch.equal(nav.problem.parameters(), nav.here.parameters)
    assert len(list((visited / "points").iterdir())) == 3


@pytest.mark.parametrize(
    "exchange", [truncated, flipped, remove, folder, pickled, text, another, without_folder]
)
def test_a_tangent_that_is_lost_is_solved_for_again(
    visited: Path,
    small_model: Callable[[], pn.ModelProblem],
    exchange: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    exchange(visited / TANGENT)
    reader = pn.Session(visited)
    assert Journal(reader).tangent(2) is None
    assert "cannot read the tangent of point 2" in caplog.text
    nav = pn.Navigator(small_model(), session=visited)
    assert nav.here.id == 2
    caplog.clear()
    assert nav.step(pn.Improve({"a": 1.0}), 0.005).point.id == 3
    assert caplog.text.count("cannot read the tangent") == 1
    nav.session.close()
    assert Journal(pn.Session(visited)).tangent(3) is not None


@pytest.mark.parametrize("exchange", [truncated, flipped, remove, folder, pickled, text, another])
def test_where_the_current_point_is_lost_the_navigation_goes_on_before_it(
    visited: Path,
    small_model: Callable[[], pn.ModelProblem],
    exchange: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    exchange(visited / "points" / "000002.safetensors")
    with pn.Session(visited, write=True) as session:
        nav = pn.Navigator(small_model(), session=session)
        assert "000002.safetensors" in caplog.text
        assert "goes on from point 1" in caplog.text
        assert nav.here.id == session.current.id == 1  # type: ignore[union-attr]
        assert torch.equal(nav.problem.parameters(), session.point(1).parameters)
        assert nav.step(pn.Improve({"a": 1.0}), 0.005).point.id == 3
        with pytest.raises(pn.SessionError, match="000002"):
            nav.go_to(2)
        assert nav.here.id == 3
        nav.go_to(0)


def test_a_last_point_that_is_lost_is_no_hindrance_elsewhere(
    visited: Path, small_model: Callable[[], pn.ModelProblem], caplog: pytest.LogCaptureFixture
) -> None:
    """It has the state of the random generator."""
    with pn.Session(visited, write=True) as session:
        pn.Navigator(small_model(), session=session).go_to(0)
    (visited / "points" / "000002.safetensors").unlink()
    nav = pn.Navigator(small_model(), session=visited)
    assert nav.here.id == 0
    assert "000002.safetensors' is missing" in caplog.text
    assert "random generator is as it was" in caplog.text
    assert nav.step(pn.Improve({"a": 1.0}), 0.005).point.id == 3


def test_where_no_point_is_left_that_is_said(
    visited: Path, small_model: Callable[[], pn.ModelProblem]
) -> None:
    shutil.rmtree(visited / "points")
    with pytest.raises(pn.SessionError, match=r"000002\.safetensors' is missing; restore it"):
        pn.Navigator(small_model(), session=visited)
    reader = pn.Session(visited)
    assert len(reader.table()) == 3


@pytest.mark.parametrize("error", [TypeError, AttributeError])
@pytest.mark.parametrize("where", ["codec.fits", "record_json.made", "codec.made", "layout.fits"])
def test_an_error_of_our_own_is_not_called_damage(
    visited: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception], where: str
) -> None:
    def failing(*_: object) -> None:
        raise error("of our own")

    monkeypatch.setattr(f"paretonav.session.{where}", failing)
    with pytest.raises(error, match="of our own"):
        survey(visited)


def test_what_is_as_it_was_written_and_not_understood_is_not_called_damage(
    visited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version may write what this one does not know."""
    monkeypatch.delitem(codec._FIELDS[pn.Point], "measured")
    with pytest.raises(
        pn.SessionError, match=r"000000.* is as it was written.*'measured'.*version that wrote"
    ):
        survey(visited)
    monkeypatch.undo()
    monkeypatch.delitem(codec._FIELDS[Cost], "seconds")
    with pytest.raises(
        pn.SessionError, match=r"point 0 in .* is as it was written.*'seconds'.*version that wrote"
    ):
        survey(visited)


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (PermissionError(13, "Permission denied"), pn.SessionError, "cannot read .*check its permissions"),
        (OSError(24, "Too many open files"), pn.SessionError, "cannot read .*Too many open files"),
        (MemoryError(), pn.errors.OutOfMemoryError, "not enough memory to read"),
    ],
)
def test_a_file_that_cannot_be_got_at_is_not_called_damaged(
    visited: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception], words: str
) -> None:
    def failing(_: Path) -> str:
        raise error

    session = pn.Session(visited)
    monkeypatch.setattr(files, "checksum", failing)
    with pytest.raises(raised, match=words) as caught:
        session.point(0)
    assert "damaged" not in str(caught.value)


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(pn.SessionError, match=r"no session and is not empty.*thesis\.tex.*new folder"):
        pn.Session(tmp_path, write=True)
    with pytest.raises(pn.SessionError, match=r"no session.*right folder"):
        pn.Session(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(pn.SessionError, match="give a folder"):
        pn.Session(tmp_path / "thesis.tex", write=True)
