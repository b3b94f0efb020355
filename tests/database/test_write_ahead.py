from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from shizi.database.write_ahead import write_ahead


def opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def test_who_writes_a_new_file_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite3"
    with opened(path) as other, opened(path) as file:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE something (number INTEGER)")
        end = threading.Timer(0.2, other.execute, ["COMMIT"])
        end.start()
        write_ahead(file, 30)
        end.join()
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    file.close()


def test_but_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite3"
    other, file = opened(path), opened(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        write_ahead(file, 0.05)
    other.close()
    file.close()


def test_a_file_that_cannot_be_written_is_no_matter_of_waiting(tmp_path: Path) -> None:
    opened(tmp_path / "new.sqlite3").close()
    file = sqlite3.connect(f"file:{tmp_path / 'new.sqlite3'}?mode=ro", uri=True, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        write_ahead(file, 1000)
    file.close()
