"""Files that are expected to be files: a pipe or a device of that name would block for ever, or never end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Literal


def open_regular(path: Path, mode: Literal["rb", "ab"]) -> BinaryIO:
    """Opens a file, through links, if it is one; "ab" makes it where there is none.

    Raises:
        OSError: it cannot be opened, or is a pipe, a device or a folder.
    """
    return open(path, mode, opener=_open)


def _open(path: str, flags: int) -> int:
    # Looked at when it is open, so that nobody can put something else there in between; not blocking, for a pipe without a
    # writer would block already here.
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file")
    return descriptor
