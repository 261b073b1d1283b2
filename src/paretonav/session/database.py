"""The session's table of points, in SQLite."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from paretonav.errors import SessionError
from paretonav.session.record import Record
from paretonav.session.record_json import from_json, require_tree, to_json
from paretonav.session.schema import is_empty, make_tables
from paretonav.text import printable

_COUNT = "coalesce(max(id), -1) + 1"  # unlike count(*), it does not read all of the table
_WAIT = 10.0  # seconds, while a reader or the writer has it locked
_LONG = 240  # bytes, of a path that may be too long for SQLite (512 with the name of a journal) or the system
_REMEDIES = {
    sqlite3.SQLITE_FULL: "free some space and try again",
    sqlite3.SQLITE_IOERR: "free some space and try again",
    sqlite3.SQLITE_BUSY: "another program has it open; try again",
    sqlite3.SQLITE_LOCKED: "another program has it open; try again",
    sqlite3.SQLITE_READONLY: "check the permissions of the folder",
    sqlite3.SQLITE_CANTOPEN: "check the permissions of the folder",
    sqlite3.SQLITE_PERM: "check the permissions of the folder",
}


class Database:
    """The records of a session, facts about it, and the checksums of its files.

    Args:
        path: of the file; made if it is not there and may be written.
        writable: False leaves everything as it is.

    Raises:
        SessionError: the file is something else, is damaged, or comes from a later version of paretonav.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path, self._file = path, repr(str(path))
        if not writable and not path.is_file():
            raise SessionError(f"there is no session in {str(path.parent)!r}; is that the right folder?")
        with self._guarded("read"):
            self._connection = _connect(path, writable)
            try:
                self._opened = _identity(path)
                self._prepare(writable)
            except BaseException:
                self.close()
                raise

    def facts(self) -> tuple[dict[str, Any], int]:
        """What is known of the session as a whole, and how many points there are, both of the same moment."""
        rows = self._rows(f"SELECT key, value FROM meta UNION ALL SELECT NULL, {_COUNT} FROM points")
        with self._guarded("read"):
            return {_text(key): json.loads(_text(value)) for key, value in rows[:-1]}, int(rows[-1][1])

    def note_facts(self, **facts: Any) -> None:
        """Set facts."""
        with self._guarded("write"), self._connection:
            self._set(facts)

    def records(self) -> tuple[Record, ...]:
        """All records, in the order of their ids.

        Raises:
            SessionError: a row is not what was written, or they make no tree.
        """
        columns = "id, parent, record, name, note, star, file, seal"
        rows = self._rows(f"SELECT {columns} FROM points ORDER BY id")
        records = tuple(self._record(*row) for row in rows)
        with self._guarded("read"):
            require_tree(records)
        return records

    def __len__(self) -> int:
        """How many points there are."""
        return int(self._rows(f"SELECT {_COUNT} FROM points")[0][0])

    def add(self, record: Record, file: str, tangent: tuple[int, str] | None, **facts: Any) -> None:
        """Add a record and set facts, all or nothing.

        Args:
            record: of the point.
            file: the checksum of its file.
            tangent: the size and the checksum of its tangent's file, if that is kept.
            facts: what is known from now on.
        """
        text = json.dumps(to_json(record))
        seal = _seal(record.id, record.parent, text, file)
        row = (record.id, record.parent, text, record.name, record.note, record.star, file, seal)
        with self._guarded("write"), self._connection:
            if self._execute(f"SELECT {_COUNT} FROM points").fetchone() != (record.id,):
                raise self._exchanged()
            self._execute(
                "INSERT INTO points (id, parent, record, name, note, star, file, seal) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *row,
            )
            if tangent is not None:
                self._set_tangent(record.id, *tangent)
            self._set(facts)

    def annotate(self, record: Record) -> None:
        """Set a point's name, note and star."""
        said = (record.name, record.note, record.star, record.id)
        with self._guarded("write"), self._connection:
            self._execute("UPDATE points SET name = ?, note = ?, star = ? WHERE id = ?", *said)

    def exchange(self, files: Mapping[int, str], **facts: Any) -> None:
        """Note that points have other files, by their checksums, and set facts, all or nothing."""
        with self._guarded("write"), self._connection:
            for point_id, file in files.items():
                query = "SELECT parent, record FROM points WHERE id = ?"
                parent, text = self._execute(query, point_id).fetchone()
                seal = _seal(point_id, parent, text, file)
                self._execute("UPDATE points SET file = ?, seal = ? WHERE id = ?", file, seal, point_id)
            self._set(facts)

    def file(self, point_id: int) -> str:
        """The checksum of a point's file; empty if none was taken."""
        rows = self._rows("SELECT file FROM points WHERE id = ?", point_id)
        return str(rows[0][0]) if rows else ""

    def tangents(self) -> dict[int, int]:
        """Point -> bytes of its tangent, for those that are kept, the oldest first."""
        rows = self._rows("SELECT id, bytes FROM tangents ORDER BY id")
        with self._guarded("read"):
            return {int(key): int(size) for key, size in rows}

    def tangent_bytes(self) -> int:
        """What all of them take."""
        return int(self._rows("SELECT coalesce(sum(bytes), 0) FROM tangents")[0][0])

    def tangent(self, point_id: int) -> str | None:
        """The checksum of a tangent's file, if it is kept."""
        rows = self._rows("SELECT file FROM tangents WHERE id = ?", point_id)
        return str(rows[0][0]) if rows else None

    def set_tangent(self, point_id: int, size: int, file: str) -> None:
        """Note that a tangent is kept."""
        with self._guarded("write"), self._connection:
            self._set_tangent(point_id, size, file)

    def drop_tangents(self, point_ids: Iterable[int]) -> None:
        """Note that tangents are kept no longer."""
        with self._guarded("write"), self._connection:
            for point_id in point_ids:
                self._execute("DELETE FROM tangents WHERE id = ?", point_id)

    @property
    def generation(self) -> int:
        """A number that changes when another connection has written."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def copy_to(self, path: Path) -> None:
        """Write a table with the same content, as it is at one moment, to another file."""
        with self._guarded("read"):
            other = sqlite3.connect(path)
            try:
                self._connection.backup(other)
            finally:
                other.close()

    def only_read(self) -> None:
        """Write nothing from now on."""
        self._connection.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        """Neither read nor write from now on."""
        self._connection.close()

    def __del__(self) -> None:
        if hasattr(self, "_connection"):
            self.close()

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._guarded("read"):
            return self._connection.execute(query, values).fetchall()

    def _record(
        self, point_id: int, parent: int, text: str, name: str, note: str, star: int, file: str, seal: str
    ) -> Record:
        sealed = bool(seal) and seal == _seal(point_id, parent, text, file)
        try:
            if seal and not sealed:
                raise SessionError("it is not what was written")
            return from_json(json.loads(_text(text)), _text(name), _text(note), bool(star))
        except (SessionError, ValueError, RecursionError) as error:
            raise SessionError(
                f"point {point_id!r} in {self._file} is as it was written, but this version of paretonav cannot read "
                f"it: {error}; install the version that wrote it"
                if sealed
                else f"point {point_id!r} in {self._file} is damaged: {error}; restore it from a backup"
            ) from error

    def _set(self, facts: dict[str, Any]) -> None:
        for key, value in facts.items():
            self._execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                key,
                json.dumps(value),
            )

    def _set_tangent(self, point_id: int, size: int, file: str) -> None:
        self._execute(
            "INSERT OR REPLACE INTO tangents (id, bytes, file) VALUES (?, ?, ?)", point_id, size, file
        )

    def _prepare(self, writable: bool) -> None:
        """Check what the file is, and make it a session's if it is empty."""
        self._connection.execute("PRAGMA trusted_schema = OFF")
        if is_empty(self._connection, self._file):
            if not writable:
                raise SessionError(
                    f"there is no session in {str(self.path.parent)!r} yet: its database is empty"
                )
            make_tables(self._connection)
        if not writable:
            self.only_read()

    def _execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Write, in the file that was opened; the caller begins and ends the transaction."""
        if _identity(self.path) != self._opened:
            raise self._exchanged()
        return self._connection.execute(statement, values)

    def _take_back(self) -> None:
        """Undo what was broken off before it was complete, even before Python could do so itself."""
        if hasattr(self, "_connection") and self._connection.in_transaction:
            self._connection.rollback()

    def _exchanged(self) -> SessionError:
        return SessionError(
            f"{self._file} was exchanged or removed while it was in use; nothing was written: put the right one back, "
            "and open the session again"
        )

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        try:
            self._take_back()
            yield
        except (sqlite3.Error, ValueError, OverflowError, RecursionError) as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it are details
            remedy = _REMEDIES.get(code, "restore it from a backup, or give another folder")
            length = len(os.fsencode(self.path))
            if code == sqlite3.SQLITE_CANTOPEN and length > _LONG:
                remedy = f"give a shorter path: this one has {length} characters, and SQLite takes about 500"
            raise SessionError(
                f"cannot {what} {self._file}: {printable(str(error))[:300]}; {remedy}"
            ) from error


def _connect(path: Path, writable: bool) -> sqlite3.Connection:
    # Readers may write, too, where they can: they clear up after a writer that was killed, and nothing else.
    mode = "rwc" if writable else "rw"
    connection = _opened(path, mode)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:
        connection.close()
        if writable:
            raise
        connection = _opened(path, "ro")
    except BaseException:
        connection.close()
        raise
    # After a commit the folder is flushed, too: without that, the last one could be lost with the power.
    try:
        connection.execute("PRAGMA synchronous = EXTRA")
    except BaseException:
        connection.close()
        raise
    return connection


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is, whatever its name; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_WAIT, check_same_thread=False)


def _text(stored: object) -> str:
    """SQLite keeps anything in any column."""
    if not isinstance(stored, str):
        raise ValueError(f"a {type(stored).__name__} stands where a text belongs")
    return stored


def _seal(point_id: int, parent: int | None, text: str, file: str) -> str:
    return hashlib.sha256(f"{point_id} {parent} {file} {text}".encode()).hexdigest()
