"""SQLite's write-ahead log: readers and a writer do not wait for each other (https://sqlite.org/wal.html)."""

from __future__ import annotations

import sqlite3
import time
from typing import Final

_AGAIN_S: Final = 0.01


def write_ahead(file: sqlite3.Connection, wait_s: float) -> None:
    """Has changes written to a log first; a file keeps to it.

    SQLite's own timeout does not hold here: while another process writes a new file or turns its log on, the answer is "locked"
    at once. So it is asked again.

    Args:
        file: outside a transaction.
        wait_s: for those who write, at most.

    Raises:
        sqlite3.OperationalError: it is still locked, or cannot be written.
    """
    give_up = time.monotonic() + wait_s
    while True:
        try:
            file.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_AGAIN_S)
        else:
            return
