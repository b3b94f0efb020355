"""From the file object that a caller hands over to a descriptor that a sandbox may read, and nothing else."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from shizi.errors import InvalidRequest, OutOfMemory
from shizi.imaging.limits import Limits, check_bytes

PART = 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Handed:
    """A file to read, from `start`, `size` bytes."""

    descriptor: int
    start: int
    size: int


@contextlib.contextmanager
def handed_over(document: BinaryIO, limits: Limits) -> Iterator[Handed]:
    """A descriptor of our own, for reading only, on what the file object would read from where it stands.

    A real file is opened once more; what has no file (bytes in memory, a pipe, a decompressor) is copied into an unnamed
    temporary one. The file object is not closed.

    Raises:
        ImageTooLarge: more than max_bytes.
        InvalidRequest: it cannot be read.
        OutOfMemory: there is no room for the copy.
    """
    handed = _reopened(document) or _copied(document, limits)
    try:
        check_bytes(handed.size, limits)
        yield handed
    finally:
        os.close(handed.descriptor)


def _reopened(document: BinaryIO) -> Handed | None:
    # Others may have a file number that is not that of their bytes (gzip).
    if not isinstance(document, io.BufferedReader | io.BufferedRandom | io.FileIO):
        return None
    try:
        if not isinstance(getattr(document, "raw", document), io.FileIO):
            return None
        number, start = document.fileno(), document.tell()
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        descriptor = os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):  # closed, no /proc, no right to open it again: read it as it is
        return None
    return Handed(descriptor, start, max(0, os.fstat(descriptor).st_size - start))


def _copied(document: BinaryIO, limits: Limits) -> Handed:
    size = 0
    with _temporary() as copy:
        while part := _part(document):
            size += len(part)
            check_bytes(size, limits)
            try:
                copy.write(part)
            except OSError as error:
                raise OutOfMemory(f"no room for a copy of the document: {error.strerror}") from error
        return Handed(os.dup(copy.fileno()), 0, size)


def _temporary() -> io.FileIO:
    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError as error:
        raise OutOfMemory(f"no temporary file for a copy of the document: {error.strerror}") from error


def _part(document: BinaryIO) -> bytes:
    try:
        part = document.read(PART)
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise InvalidRequest(f"the file object cannot be read: {error}") from error
    if not isinstance(part, bytes):
        raise InvalidRequest("the file object gives text; open it in binary mode ('rb')")
    return part
