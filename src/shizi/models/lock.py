"""A lock between processes, held as long as a file is open, so that a killed process leaves none behind."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from shizi.errors import ModelLoadFailed

WAIT_S: Final = 3600.0
_POLL_S: Final = 0.1


@contextmanager
def locked(path: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock named by this file; threads of one process exclude each other as processes do.

    The file stays: removing it would let one process lock the old file and another the new one.

    Raises:
        ModelLoadFailed: somebody else held it for `wait_s` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        give_up = time.monotonic() + wait_s
        while not _try_lock(file):
            if time.monotonic() > give_up:
                raise ModelLoadFailed(
                    f"another process has held {path} for {wait_s:.0f} s; wait for its pull to end, or stop it"
                )
            time.sleep(_POLL_S)
        try:
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
