"""From whatever a caller hands over to bytes, bounded before they are read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from shizi.errors import CorruptDocument, InvalidRequest, NotFound
from shizi.imaging.limits import Limits, check_bytes


def read_source(source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO, limits: Limits) -> bytes:
    """All bytes of a path, of bytes, or of a binary file object from where it stands; a file object is not closed.

    Raises:
        NotFound: no such file.
        InvalidRequest: a directory, a file that may not be read, or something that is no source at all.
        ImageTooLarge: more than max_bytes.
        CorruptDocument: nothing in it.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        check_bytes(len(source), limits)
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        data = _read_path(source, limits)
    elif hasattr(source, "read"):
        data = _read_stream(source, limits)
    else:
        raise InvalidRequest(
            f"source is a {type(source).__name__}; give a path, bytes, a binary file object, a PIL image or a numpy "
            "array"
        )
    if not data:
        raise CorruptDocument("the file is empty (0 bytes)")
    return data


def _read_path(source: str | os.PathLike[str], limits: Limits) -> bytes:
    try:
        path = Path(source)
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InvalidRequest(f"{str(path)!r} is a directory; give a file (the command line takes --recursive)")
        if stat.S_ISREG(status.st_mode):
            check_bytes(status.st_size, limits)
        with path.open("rb") as file:
            return _read_stream(file, limits)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {os.fspath(source)!r}") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL inside of the name
        raise InvalidRequest(f"{os.fspath(source)!r} cannot be read: {error}") from error


def _read_stream(file: BinaryIO, limits: Limits) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        while part := file.read(2**20):
            if not isinstance(part, bytes):
                raise InvalidRequest("the file object gives text; open it in binary mode ('rb')")
            parts.append(part)
            size += len(part)
            check_bytes(size, limits)
    except (OSError, ValueError) as error:  # ValueError: the file object is closed
        raise InvalidRequest(f"the file object cannot be read: {error}") from error
    return b"".join(parts)
