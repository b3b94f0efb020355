"""Opens the database, brings its tables up to date, and gives out transactions."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from shizi.database.migrations import migrate
from shizi.database.write_ahead import write_ahead
from shizi.errors import InvalidRequest, StorageUnavailable

FILE: Final = "shizi.sqlite3"
_BUSY_MS: Final = 10_000
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {_BUSY_MS}",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what a tenant deletes is overwritten
)
_POSTGRES: Final = ("postgresql", "postgresql+psycopg")
_POSTGRES_OPTIONS: Final = (
    "-c statement_timeout=60000 -c lock_timeout=15000 -c idle_in_transaction_session_timeout=60000"
)
_CONNECTIONS: Final = 16
_WAIT_S: Final = 10
_WRITING: Final = "shizi_writing"
_SOON_S: Final = 2.0
# InternalError: a PostgreSQL that has become a standby, and takes no changes.
_AWAY: Final = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError, sa.exc.TimeoutError)


class Database:
    """A database whose tables are as this version knows them; thread-safe, and blocking.

    Attributes:
        engine: SQLAlchemy's.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(**{_WRITING: True})
        self._reading = engine.execution_options(**{_WRITING: False})

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine's."""
        return self.engine.dialect.name == "sqlite"

    def begin(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """A transaction that may write; it is rolled back where the context ends with an error.

        Raises:
            StorageUnavailable: the database cannot be reached or written, or stayed locked.
        """
        return _transaction(self._writing)

    def read(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """A transaction that only reads; in SQLite it waits for nobody.

        Raises:
            StorageUnavailable: the database cannot be reached.
        """
        return _transaction(self._reading)

    def now(self, connection: sa.Connection) -> float:
        """Seconds since 1970, by the clock of the database, so that machines whose clocks differ agree on it."""
        if self.is_sqlite:
            return time.time()
        return float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()


def connect(url: str | None, data_dir: Path) -> Database:
    """Opens the database and brings it up to date; several processes may do so at once.

    Args:
        url: `postgresql://…`; None for the file `shizi.sqlite3` in `data_dir`.
        data_dir: made where it is not there yet, for its owner alone.

    Raises:
        InvalidRequest: the address is none of PostgreSQL, or the database is one of a newer version of shizi.
        StorageUnavailable: it cannot be reached, or the folder cannot be written.
    """
    engine = _sqlite(data_dir) if url is None else _postgresql(url)
    database = Database(engine)
    try:
        with database.begin() as connection:
            migrate(connection)
    except BaseException:
        database.close()
        raise
    return database


def default_data_dir() -> Path:
    """The user's folder for data, which nothing clears like a cache."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        configured = Path(os.environ.get("XDG_DATA_HOME", ""))
        base = configured if configured.is_absolute() else Path.home() / ".local" / "share"
    return base / "shizi"


@contextlib.contextmanager
def _transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    try:
        with engine.begin() as connection:
            yield connection
    except _AWAY as error:
        raise StorageUnavailable(
            f"the database cannot be used now ({_reason(error)}); try again later, or look at its log and its disk",
            _SOON_S,
        ) from error


def _sqlite(folder: Path) -> sa.Engine:
    folder = folder.expanduser().absolute()
    path = folder / FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # the files beside it get its mode
    except OSError as error:
        raise StorageUnavailable(
            f"the folder for data, {folder}, cannot be written ({error.strerror}); name another one with --data-dir"
        ) from error
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        connect_args={"timeout": _BUSY_MS / 1000},
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101
    connection.isolation_level = None  # transactions are begun below, not by the library where it thinks fit
    is_new = connection.execute("PRAGMA page_count").fetchone() == (0,)
    if is_new:  # later it means nothing, and waits for whoever writes
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL").close()
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()
    write_ahead(connection, _BUSY_MS / 1000)


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later could not be given the right to write without breaking another's.
    immediate = connection.get_execution_options().get(_WRITING, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _postgresql(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):  # the second for a port that is no number
        raise InvalidRequest(
            "the address of the database is none; write postgresql://user:password@host/name"
        ) from None
    if parsed.drivername not in _POSTGRES:
        raise InvalidRequest(
            f"the address of the database begins with {parsed.drivername!r}; allowed is postgresql://…, and no address "
            "for a file of SQLite"
        )
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": _WAIT_S, "options": _POSTGRES_OPTIONS, "application_name": "shizi"},
    )


def _reason(error: Exception) -> str:
    """What the library says, on one line; never the statement or its values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = " ".join(str(cause).split())
    return f"{type(cause).__name__}: {words[:200]}" if words else type(cause).__name__
