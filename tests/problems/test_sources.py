import gzip
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from paretonav import ProblemError
from paretonav.problems import sources


def test_the_folder_is_the_argument_then_the_variable_then_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(sources.VARIABLE, raising=False)
    assert sources.local_folder() == Path.home() / ".cache" / "paretonav"
    monkeypatch.setenv(sources.VARIABLE, str(tmp_path / "variable"))
    assert sources.local_folder() == tmp_path / "variable"
    assert sources.local_folder(tmp_path) == tmp_path
    assert sources.local_folder("~/here") == Path.home() / "here"


def test_files_are_found_plain_or_packed_and_written_whole(tmp_path: Path) -> None:
    assert sources.find("a/b.csv", tmp_path) is None
    sources.write(tmp_path / "a" / "b.csv.gz", b"1,2\n\n3,4\n")
    packed = sources.find("a/b.csv", tmp_path)
    assert packed == tmp_path / "a" / "b.csv.gz"
    assert sources.read_lines(packed) == ["1,2", "3,4"]
    sources.write(tmp_path / "a" / "b.csv", b"5")
    assert sources.find("a/b.csv", tmp_path) == tmp_path / "a" / "b.csv"
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["b.csv", "b.csv.gz"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.bin"
    sources.write(path, b"old")

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:1])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        sources.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_local_copies_are_not_downloaded_again(tmp_path: Path) -> None:
    sources.write(tmp_path / "x", b"here")

    def download(folder: Path) -> None:
        raise AssertionError(folder)

    assert sources.files("X", ["x"], tmp_path, download, "nowhere") == [tmp_path / "x"]


def test_what_is_missing_is_downloaded(tmp_path: Path) -> None:
    found = sources.files("X", ["x"], tmp_path, lambda where: sources.write(where / "x.gz", b"new"), "there")
    assert [sources.read(path) for path in found] == [b"new"]


def test_nothing_there_names_the_folder_the_files_and_the_remedies(tmp_path: Path) -> None:
    def download(_: Path) -> None:
        raise OSError("no network")

    sources.write(tmp_path / "one", b"")
    with pytest.raises(ProblemError) as caught:
        sources.files("The data", ["one", "two"], tmp_path, download, "the archive")
    for part in (
        "The data",
        "no two",
        str(tmp_path),
        "the archive failed: no network",
        "folder=",
        "PARETONAV_DATA",
    ):
        assert part in str(caught.value)
    assert "no one" not in str(caught.value)
    assert "bench/fetch_data.py" in str(caught.value)
    with pytest.raises(ProblemError, match="there is no two"):
        sources.files("The data", ["one", "two"], tmp_path)
    with pytest.raises(ProblemError, match="no two"):
        sources.files(
            "The data", ["one", "two"], tmp_path, lambda where: None, "an archive that gives nothing"
        )


@pytest.mark.parametrize(
    "content",
    [b"no archive", gzip.compress(bytes(1000))[:-12], gzip.compress(b"x")[:-4] + b"abcd"],
    ids=["no archive", "cut off", "wrong length"],
)
def test_a_damaged_archive_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(content)
    with pytest.raises(ProblemError, match=r"x\.gz: cannot be read .*delete it"):
        sources.read(path)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProblemError, match=r"x\.csv: is not text"):
        sources.read_lines(path)


def test_a_table_of_openml_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def fetch(**arguments: object) -> SimpleNamespace:
        asked.update(arguments)
        return SimpleNamespace(
            data=np.array([[1.0, 0.0], [2.5, np.nan], [np.nan, 1.0]]),
            categories={"kind": [" a", "'b'"]},
            feature_names=["size", "kind"],
        )

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    table = sources.openml(7, 3, 2)
    assert table.text() == [["1", "2.5", "?"], ["a", "?", "b"]]
    assert asked["data_id"] == 7
    assert (asked["as_frame"], asked["parser"]) == (False, "liac-arff"), "these work without pandas"
    with pytest.raises(ProblemError, match=r"\[3, 2\] instead of \[4, 2\]"):
        sources.openml(7, 4, 2)
