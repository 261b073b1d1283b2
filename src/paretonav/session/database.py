"""The session's table of points: SQLite, with a schema that has a version."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from paretonav.errors import SessionError
from paretonav.session.record import Record
from paretonav.session.record_json import from_json, to_json

APPLICATION = 0x5061726E  # "Parn": tells the database from that of any other program

# The step from each version of the schema to the next.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE points (id INTEGER PRIMARY KEY, parent INTEGER, record TEXT NOT NULL)",
    ),
    (
        "ALTER TABLE points ADD COLUMN note TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE points ADD COLUMN star INTEGER NOT NULL DEFAULT 0",
    ),
)


class Database:
    """The records of a session, and facts about it.

    Args:
        path: of the file; made if it is not there and may be written.
        writable: False leaves everything as it is.

    Raises:
        SessionError: the file is something else, is damaged, or comes from a later version of paretonav.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path, self.writable = path, writable
        if not writable and not path.is_file():
            raise SessionError(f"there is no session in {str(path.parent)!r}; is that the right folder?")
        with self._guarded("read"):
            self._connection = _connect(path, writable)
            self._prepare()

    def facts(self) -> dict[str, Any]:
        """What is known of the session as a whole."""
        with self._guarded("read"):
            rows = self._connection.execute("SELECT key, value FROM meta").fetchall()
            return {key: json.loads(value) for key, value in rows}

    def note_facts(self, **facts: Any) -> None:
        """Set facts."""
        with self._guarded("write"), self._connection:
            self._set(facts)

    def records(self) -> tuple[Record, ...]:
        """All records, in the order of their ids."""
        with self._guarded("read"):
            rows = self._connection.execute(
                "SELECT id, record, note, star FROM points ORDER BY id"
            ).fetchall()
            records = tuple(from_json(json.loads(record), note, star) for _, record, note, star in rows)
        if [row[0] for row in rows] != list(range(len(rows))) or not all(
            record.id == i and (record.parent is None if i == 0 else record.parent in range(i))
            for i, record in enumerate(records)
        ):
            raise SessionError(f"the points in {str(self.path)!r} make no tree; restore it from a backup")
        return records

    def add(self, record: Record, **facts: Any) -> None:
        """Add a record and set facts, both or neither."""
        with self._guarded("write"), self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO points (id, parent, record, note, star) VALUES (?, ?, ?, ?, ?)",
                (record.id, record.parent, json.dumps(to_json(record)), record.note, record.star),
            )
            self._set(facts)

    def annotate(self, point_id: int, note: str, star: bool) -> None:
        """Set a point's note and star."""
        with self._guarded("write"), self._connection:
            self._connection.execute(
                "UPDATE points SET note = ?, star = ? WHERE id = ?", (note, star, point_id)
            )

    @property
    def generation(self) -> int:
        """A number that changes when another connection has written."""
        with self._guarded("read"):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def only_read(self) -> None:
        """Write nothing from now on."""
        self.writable = False
        self._connection.execute("PRAGMA query_only = ON")

    def __del__(self) -> None:
        if hasattr(self, "_connection"):
            self._connection.close()

    def _set(self, facts: dict[str, Any]) -> None:
        for key, value in facts.items():
            self._connection.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, json.dumps(value)),
            )

    def _prepare(self) -> None:
        """Check what the file is, and bring its schema up to date."""
        execute = self._connection.execute
        execute("PRAGMA trusted_schema = OFF")
        (check,) = execute("PRAGMA quick_check(1)").fetchone()
        (application,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        (others,) = execute("SELECT count(*) FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()
        if check != "ok":
            raise SessionError(f"{str(self.path)!r} is damaged: {check}; restore it from a backup")
        if tables and application != APPLICATION:
            raise SessionError(f"{str(self.path)!r} is a database of another program; give another folder")
        if others:
            raise SessionError(
                f"{str(self.path)!r} has triggers or views, which paretonav does not make; give another"
            )
        if version > len(MIGRATIONS):
            raise SessionError(
                f"{str(self.path)!r} has schema version {version}, and this paretonav knows those up to "
                f"{len(MIGRATIONS)}; install a later paretonav"
            )
        if version < len(MIGRATIONS):
            if not self.writable:  # a copy of the old one is brought up to date
                copy = sqlite3.connect(":memory:", check_same_thread=False)
                self._connection.backup(copy)
                self._connection.close()
                self._connection = copy
            self._migrate(version)
        if not self.writable:
            self.only_read()

    def _migrate(self, version: int) -> None:
        self._connection.isolation_level = None  # a schema is changed in one transaction, too
        execute = self._connection.execute
        execute("BEGIN EXCLUSIVE")
        try:
            for statement in (s for step in MIGRATIONS[version:] for s in step):
                execute(statement)
            execute(f"PRAGMA application_id = {APPLICATION}")
            execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                execute("ROLLBACK")
            raise
        self._connection.isolation_level = "DEFERRED"

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, RecursionError, SessionError) as error:
            if isinstance(error, SessionError) and str(self.path) in str(error):
                raise
            raise SessionError(f"cannot {what} {str(self.path)!r}: {error}; {_remedy(error)}") from error


def _connect(path: Path, writable: bool) -> sqlite3.Connection:
    # Readers may write, too: they clear up after a writer that was killed, and nothing else (query_only).
    modes = ("rwc",) if writable else ("rw", "ro")
    for mode in modes:
        with suppress(sqlite3.OperationalError):
            connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode={mode}",
                uri=True,
                timeout=10,
                check_same_thread=False,
            )
            connection.execute("PRAGMA schema_version")
            break
    else:
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode={modes[-1]}", uri=True, timeout=10
        )
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _remedy(error: Exception) -> str:
    text = str(error)
    if "full" in text or "disk I/O" in text:
        return "free some space and try again"
    if "locked" in text:
        return "another program has it open; try again"
    if "readonly" in text or "unable to open" in text:
        return "check the permissions of the folder"
    return "restore it from a backup, or give another folder"
