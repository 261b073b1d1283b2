"""The tables of a session."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from paretonav.errors import SessionError
from paretonav.text import printable

APPLICATION = 0x5061726E  # "Parn": tells the database from that of any other program
VERSION = 1  # of the tables, so that a later paretonav knows what it reads

# "file" is the checksum of a point's or tangent's file, "seal" that of a point's row.
TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE points (id INTEGER PRIMARY KEY, parent INTEGER, record TEXT NOT NULL, name TEXT NOT NULL, "
    "note TEXT NOT NULL, star INTEGER NOT NULL, file TEXT NOT NULL, seal TEXT NOT NULL)",
    "CREATE TABLE tangents (id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, file TEXT NOT NULL)",
)


def is_empty(connection: sqlite3.Connection, file: str) -> bool:
    """Whether a database has no tables yet; if it has some, they are those of a session.

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
    if version > VERSION:
        raise SessionError(
            f"{file} has schema version {version}, and this paretonav knows those up to {VERSION}; install a later "
            "paretonav"
        )
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if version < 0 or there != (_expected() if version else set()) or mode != "delete":
        raise SessionError(f"{file} is not as paretonav makes it; restore it from a backup")
    (check,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if check != "ok":
        what = printable(check.splitlines()[-1])
        raise SessionError(f"{file} is damaged ({what}); restore it from a backup")
    return not version


def make_tables(connection: sqlite3.Connection) -> None:
    """Make an empty database that of a session, wholly or not at all."""
    # The statement is explicit because Python would commit before one that changes the schema.
    level, connection.isolation_level = connection.isolation_level, None
    try:
        connection.execute("BEGIN EXCLUSIVE")
        for statement in TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.isolation_level = level


def _schema(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


def _expected() -> set[tuple[str, ...]]:
    empty = sqlite3.connect(":memory:")
    try:
        for statement in TABLES:
            empty.execute(statement)
        return _schema(empty)
    finally:
        empty.close()
