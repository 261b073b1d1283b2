"""The tables of a session, and the way from each version of them to the next."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from paretonav.errors import SessionError
from paretonav.text import printable

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
    (  # checksums: of a point's file, and of its row; empty where they were not taken yet
        "ALTER TABLE points ADD COLUMN file TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE points ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
        "CREATE TABLE tangents (id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, file TEXT NOT NULL)",
    ),
)


def version_of(connection: sqlite3.Connection, file: str) -> int:
    """The version of a database's schema; 0 for an empty one.

    Nothing but the tables that paretonav makes is let in: a view or a trigger is a program of whoever wrote it.

    Args:
        connection: to the database.
        file: its name, for messages.

    Raises:
        SessionError: it is of another program or of a later version, or is damaged.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    there = _schema(connection)
    if (there or version) and application != APPLICATION:
        raise SessionError(f"{file} is a database of another program; give another folder")
    if version > len(MIGRATIONS):
        raise SessionError(
            f"{file} has schema version {version}, and this paretonav knows those up to {len(MIGRATIONS)}; install a "
            "later paretonav"
        )
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if version < 0 or there != _expected(version) or mode != "delete":
        raise SessionError(f"{file} is not as paretonav makes it; restore it from a backup")
    (check,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if check != "ok":
        what = printable(check.splitlines()[-1])
        raise SessionError(f"{file} is damaged ({what}); restore it from a backup")
    return int(version)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a schema up to date from ``version``, wholly or not at all."""
    # The statement is explicit because Python would commit before one that changes the schema.
    level, connection.isolation_level = connection.isolation_level, None
    try:
        connection.execute("BEGIN EXCLUSIVE")
        for statement in (s for step in MIGRATIONS[version:] for s in step):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.isolation_level = level


def _schema(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


def _expected(version: int) -> set[tuple[str, ...]]:
    empty = sqlite3.connect(":memory:")
    try:
        for statement in (s for step in MIGRATIONS[:version] for s in step):
            empty.execute(statement)
        return _schema(empty)
    finally:
        empty.close()
