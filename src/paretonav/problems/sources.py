"""Where real data come from: a local copy first, the online source second."""

from __future__ import annotations

import gzip
import logging
import os
import tempfile
import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretonav.errors import ProblemError, needing, reason_of

logger = logging.getLogger(__name__)

VARIABLE = "PARETONAV_DATA"
"""The environment variable that names the local folder."""

Folder = str | os.PathLike[str] | None


def local_folder(folder: Folder = None) -> Path:
    """Where local copies are: ``folder``, else the variable PARETONAV_DATA, else ``~/.cache/paretonav``."""
    return Path(folder or os.environ.get(VARIABLE) or Path("~/.cache/paretonav")).expanduser()


def find(name: str, folder: Folder = None) -> Path | None:
    """The local copy of the file ``name``, as it is or with ``.gz`` added; None if there is neither.

    Args:
        name: relative to the local folder, such as "fashion-mnist/train-labels-idx1-ubyte".
        folder: see ``local_folder``.
    """
    path = local_folder(folder) / name
    return next((p for p in (path, path.with_name(path.name + ".gz")) if p.is_file()), None)


def files(
    title: str,
    names: Sequence[str],
    folder: Folder = None,
    download: Callable[[Path], None] | None = None,
    source: str = "",
) -> list[Path]:
    """The local copies of all files of a data set, downloaded first if one is missing.

    Args:
        title: of the data set, for messages.
        names: of its files, relative to the local folder; each may also be there with ``.gz`` added.
        folder: see ``local_folder``.
        download: gets the data set online and writes its files below the folder that it is given.
        source: what ``download`` asks, for messages, such as "OpenML 4535 by scikit-learn's fetch_openml".

    Raises:
        ProblemError: see ``missing``.
    """
    where = local_folder(folder)
    found = [find(name, where) for name in names]
    if None in found and download is not None:
        logger.info("%s is not in %s; it is downloaded once (%s)", title, where, source)
        try:
            download(where)
        except Exception as error:
            raise missing(title, names, where, f"{source} failed: {error}") from error
        found = [find(name, where) for name in names]
    paths = [path for path in found if path is not None]
    if len(paths) < len(names):
        raise missing(title, names, where, source)
    return paths


def missing(title: str, names: Sequence[str], folder: Folder = None, online: str = "") -> ProblemError:
    """The error that says where a data set was looked for and how to get it.

    Args:
        title: of the data set.
        names: of its files, relative to the local folder.
        folder: see ``local_folder``.
        online: what came of the online source, or that there is none.
    """
    where = local_folder(folder)
    absent = [name for name in names if find(name, where) is None]
    return ProblemError(
        f"{title}: there is no {' and no '.join(absent)} (or .gz) in the folder {where}"
        + (f", and {online}" if online else "")
        + f"; put the files there, name another folder with folder= or {VARIABLE}, or get them with "
        "bench/fetch_data.py of paretonav's repository"
    )


def damaged(path: Path, what: str) -> ProblemError:
    """The error that says that a local copy is truncated or not the file that its name promises."""
    return ProblemError(f"{path}: {what}; it is truncated or another file; delete it and get it again")


def read(path: Path) -> bytes:
    """The content of a file, unpacked if its name ends in ``.gz``.

    Raises:
        ProblemError: it cannot be read, or not unpacked.
    """
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:  # what a damaged archive raises
        raise damaged(path, f"cannot be read ({reason_of(error)})") from error


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, without the empty ones.

    Raises:
        ProblemError: it cannot be read, or is no text.
    """
    try:
        return [line for line in read(path).decode("utf-8").split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        raise damaged(path, f"is not text ({error})") from error


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all; packed if its name ends in ``.gz``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=6, mtime=0)
    # In a directory next to the target, from where renaming is atomic.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".download-") as scratch:
        whole = Path(scratch, path.name)
        whole.write_bytes(content)
        whole.replace(path)


@dataclass(frozen=True)
class Table:
    """The rows of a data set from OpenML.

    Attributes:
        values: [rows, columns], numbers; those of a nominal column are positions in its categories. A missing
            value is nan.
        categories: name -> categories, for each nominal column.
        names: the columns' names, in order.
    """

    values: NDArray[np.float64]
    categories: dict[str, list[str]]
    names: list[str]

    def text(self, unknown: str = "?") -> list[list[str]]:
        """The columns as text, ``unknown`` where a value is missing; whole numbers without a decimal point."""
        return [self._column_text(i, unknown) for i in range(len(self.names))]

    def _column_text(self, i: int, unknown: str) -> list[str]:
        column, kinds = self.values[:, i], self.categories.get(self.names[i])
        if kinds is not None:
            return [unknown if np.isnan(v) else kinds[int(v)].strip(" '\"") for v in column]
        return [unknown if np.isnan(v) else repr(int(v) if v.is_integer() else v) for v in column.tolist()]


def openml(data_id: int, rows: int, columns: int) -> Table:
    """A data set from OpenML, by scikit-learn's fetch_openml; the target is one of the columns.

    Nothing is cached here: the caller writes what it needs to the local folder.

    Raises:
        Exception: whatever goes wrong on the way; ``files`` says what to do then.
    """
    with needing("data", "fetching a data set"):
        from sklearn.datasets import fetch_openml  # a second to load, which only this needs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of retries and dataset versions; a failure comes as an exception
        got = fetch_openml(
            data_id=data_id, target_column=None, as_frame=False, parser="liac-arff", cache=False, n_retries=2
        )
    values = np.asarray(got.data, dtype=np.float64)
    if values.shape != (rows, columns):
        raise ProblemError(f"it has shape {list(values.shape)} instead of [{rows}, {columns}]")
    return Table(values, dict(got.categories or {}), list(got.feature_names))
