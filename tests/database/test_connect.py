from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shizi.database.connect import FILE, Database, connect, default_data_dir
from shizi.database.migrations import STEPS
from shizi.errors import InvalidRequest, StorageUnavailable
from shizi.jobs.tables import METADATA
from tests.servers import PostgresServer, free_port

Open = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same database again and again."""
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.database()
    databases: list[Database] = []

    def again() -> Database:
        databases.append(connect(url, tmp_path))
        return databases[-1]

    yield again
    for database in databases:
        database.close()


def test_a_new_database_has_all_tables_with_the_columns_that_queries_name(opened: Open) -> None:
    inspector = sa.inspect(opened().engine)
    for table in METADATA.sorted_tables:
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        assert columns == {column.name for column in table.columns}, table.name


def test_every_row_of_a_tenant_names_it(opened: Open) -> None:
    inspector = sa.inspect(opened().engine)
    for table in inspector.get_table_names():
        if table != "shizi_version":
            tenant = next((column for column in inspector.get_columns(table) if column["name"] == "tenant"), None)
            assert tenant is not None, table
            assert not tenant["nullable"], table


def test_opening_again_changes_nothing(opened: Open) -> None:
    for _ in range(2):
        with opened().read() as connection:
            steps = connection.exec_driver_sql("SELECT number FROM shizi_version ORDER BY number").scalars().all()
        assert list(steps) == list(range(1, len(STEPS) + 1))


def test_of_several_that_open_a_new_database_at_once_one_makes_the_tables(opened: Open) -> None:
    errors: list[BaseException] = []

    def one() -> None:
        try:
            opened()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_a_new_file_that_another_is_just_writing_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE something (number INTEGER)")
    end = threading.Timer(0.2, other.execute, ["COMMIT"])
    end.start()
    database = connect(None, tmp_path)
    end.join()
    try:
        with database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    finally:
        database.close()
        other.close()


def test_a_newer_database_is_left_alone(opened: Open) -> None:
    with opened().begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO shizi_version VALUES ({len(STEPS) + 1})")
    with pytest.raises(InvalidRequest, match="of a newer version of shizi"):
        opened()


def test_what_ends_with_an_error_was_never_there(opened: Open) -> None:
    database = opened()
    with pytest.raises(ZeroDivisionError), database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO job_tenants VALUES ('a', 1)").rowcount // 0
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM job_tenants").scalar_one() == 0


def test_a_database_that_takes_no_changes_is_one_that_may_take_them_later(opened: Open) -> None:
    database = opened()

    def change() -> None:
        with database.begin() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON" if database.is_sqlite else "SET TRANSACTION READ ONLY")
            connection.exec_driver_sql("INSERT INTO job_tenants VALUES ('a', 1)")

    with pytest.raises(StorageUnavailable, match=r"read.?only"):
        change()


def test_readers_and_a_writer_do_not_wait_for_each_other(opened: Open) -> None:
    database = opened()
    with database.begin() as writing:
        writing.exec_driver_sql("INSERT INTO job_tenants VALUES ('a', 1)")
        with database.read() as reading:
            assert reading.exec_driver_sql("SELECT count(*) FROM job_tenants").scalar_one() == 0


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    database = connect(None, folder)
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO job_tenants VALUES ('a', 1)")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    database.close()
    assert set(modes) >= {FILE, f"{FILE}-wal"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_is_committed_is_on_the_disk_and_what_is_deleted_is_overwritten(tmp_path: Path) -> None:
    database = connect(None, tmp_path)
    with database.read() as connection:
        modes = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "secure_delete", "auto_vacuum", "foreign_keys")
        ]
    database.close()
    assert modes == ["wal", 2, 1, 2, 1]


@pytest.mark.parametrize("url", ["mysql://host/name", "no address", "sqlite:///file", "postgresql://host:port/name"])
def test_other_databases_are_refused_without_repeating_the_address(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="postgresql://"):
        connect(url, tmp_path)


def test_a_server_that_is_not_there_is_said_so_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="cannot be used now") as caught:
        connect(f"postgresql://user:hunter2@127.0.0.1:{free_port()}/name", tmp_path)
    assert "hunter2" not in str(caught.value)
    assert caught.value.retry_after


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match=r"--data-dir"):
        connect(None, tmp_path / "file" / "data")


def test_a_locked_file_is_an_error_that_may_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.database.connect._PRAGMAS", ("PRAGMA busy_timeout = 50",))
    database = connect(None, tmp_path)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StorageUnavailable, match="locked"), database.begin():
            pass
    finally:
        other.close()
        database.close()


def test_data_has_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert default_data_dir() == Path("/somewhere/shizi")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_data_dir() == Path.home() / ".local" / "share" / "shizi"
