"""Pixels in POSIX shared memory: made by the process that owns them, mapped by name from any process of the same user.

Python's multiprocessing.shared_memory is not used: up to Python 3.12 each process that maps a block believes that it owns
it, and unlinks it when it ends.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shizi.errors import InvalidRequest, NotFound, OutOfMemory

if sys.platform != "win32":
    import _posixshmem  # type: ignore[import-not-found]  # typeshed does not know it; it is in every CPython for POSIX

FOLDER = Path("/dev/shm")  # noqa: S108 (where Linux shows POSIX shared memory, not a temporary folder)
PREFIX = "shizi-"
MODE = 0o600
MOST_SIDE = 2**24  # pixels; beyond it, a size is a mistake

_NAME = re.compile(r"shizi-[0-9a-z-]{1,60}")
_OWNED = re.compile(r"shizi-([0-9a-f]+)-([0-9]+)-([0-9a-f]+)-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class SharedPixels:
    """A block of POSIX shared memory that holds (height, width, 3) uint8 RGB.

    Attributes:
        name: as for multiprocessing.shared_memory; begins with "shizi-".
        height: pixels.
        width: pixels.
    """

    name: str
    height: int
    width: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidRequest(f"{self.name!r} is no block of ours: a name is shizi- and then a-z, 0-9 and -")
        if not (0 < self.height <= MOST_SIDE and 0 < self.width <= MOST_SIDE):
            raise InvalidRequest(f"a block of {self.width} x {self.height} pixels is none")

    @property
    def size(self) -> int:
        """Bytes of the pixels."""
        return self.height * self.width * 3

    def array(self) -> AbstractContextManager[NDArray[np.uint8]]:
        """Maps the block, read-only; it is unmapped at the end of the context, or with the last view that outlives it.

        Raises:
            NotFound: it was released.
            OutOfMemory: the system gave no address space or no descriptor.
        """
        return self._mapped()

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[NDArray[np.uint8]]:
        memory = self._map()
        pixels: NDArray[np.uint8] = np.frombuffer(memory, np.uint8, self.size)
        try:
            yield pixels.reshape(self.height, self.width, 3)
        finally:
            del pixels
            with contextlib.suppress(BufferError):  # a view lives on and holds the mapping; nothing may pull it away
                memory.close()

    def _map(self) -> mmap.mmap:
        try:
            descriptor = _shm_open(self.name, os.O_RDONLY)
        except FileNotFoundError:
            raise NotFound(f"the page's pixels are gone: {self.name} was released, or its process has ended") from None
        except OSError as error:
            raise OutOfMemory(f"the page's pixels cannot be mapped: {error.strerror}") from error
        try:
            if os.fstat(descriptor).st_size < self.size:
                raise InvalidRequest(f"{self.name} is smaller than {self.width} x {self.height} pixels")
            return mmap.mmap(descriptor, self.size, mmap.MAP_SHARED, mmap.PROT_READ)
        except OSError as error:
            raise OutOfMemory(f"the page's pixels cannot be mapped: {error.strerror}") from error
        finally:
            os.close(descriptor)


class Block:
    """A block that this process made and will remove."""

    def __init__(self, pixels: SharedPixels, freed: Callable[[int], None]) -> None:
        """Makes it, with its memory reserved, so that no write to it can fail later.

        Args:
            pixels: name and shape.
            freed: called once, with its bytes, when it has been released.

        Raises:
            OutOfMemory: the system has no such memory left.
        """
        self.pixels = pixels
        self._freed = freed
        self._lock = threading.Lock()
        self._released = False
        try:
            self._descriptor = _shm_open(pixels.name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except OSError as error:
            raise _refused(pixels.size, error) from error
        try:
            _reserve(self._descriptor, pixels.size)
        except OSError as error:
            self.close_descriptor()
            _shm_unlink(pixels.name)
            raise _refused(pixels.size, error) from error

    @property
    def descriptor(self) -> int:
        """For whoever fills it; -1 after `close_descriptor`."""
        return self._descriptor

    @property
    def is_released(self) -> bool:
        """Whether `release` was called."""
        return self._released

    def close_descriptor(self) -> None:
        """The block stays, under its name."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def release(self) -> None:
        """Removes the name; the memory is free when nobody maps it any more. Harmless when repeated."""
        with self._lock:
            if self._released:
                return
            self._released = True
        self.close_descriptor()
        with contextlib.suppress(FileNotFoundError):  # a person tidied up
            _shm_unlink(self.pixels.name)
        self._freed(self.pixels.size)


def new_name() -> str:
    """A name for a block of this process; it says whose it is, so that a later process can remove what was left."""
    owner = _owner(os.getpid())
    return f"{PREFIX}{owner}-{secrets.token_hex(4)}" if owner else f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"


def remove_stale() -> int:
    """Removes the blocks of processes of ours that died without removing them; says how many.

    Only blocks of this machine's same process namespace are looked at, since numbers of processes mean nothing across
    them. Where the system does not list shared memory (macOS), nothing is found.
    """
    removed = 0
    with contextlib.suppress(OSError):
        for path in FOLDER.glob(f"{PREFIX}*"):
            found = _OWNED.fullmatch(path.name)
            if found and found[1] == _namespace() and not _is_owner_alive(found[1], int(found[2]), found[3]):
                with contextlib.suppress(OSError):  # another user's, or another process was quicker
                    path.unlink()
                    removed += 1
    return removed


def _is_owner_alive(namespace: str, process: int, started: str) -> bool:
    return _owner(process) == f"{namespace}-{process}-{started}"


def _owner(process: int) -> str | None:
    """Namespace, number and start of a process: a number alone is given again. None for no process, or no /proc."""
    namespace = _namespace()
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return f"{namespace}-{process}-{int(fields[19]):x}" if namespace else None
    except (OSError, IndexError, ValueError):
        return None


def _namespace() -> str | None:
    try:
        return f"{Path('/proc/self/ns/pid').stat().st_ino:x}"
    except OSError:
        return None


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)  # else a full /dev/shm would be a bus error at a write, far from here
    else:
        os.ftruncate(descriptor, size)


def _refused(size: int, error: OSError) -> OutOfMemory:
    return OutOfMemory(
        f"no shared memory for a page of {size / 2**20:.0f} MiB ({error.strerror}): give /dev/shm more room "
        "(docker: --shm-size), or let fewer documents be decoded at once"
    )


def _shm_open(name: str, flags: int) -> int:
    if sys.platform == "win32":
        raise InvalidRequest("pages in shared memory need Linux or macOS")
    return int(_posixshmem.shm_open(f"/{name}", flags, mode=MODE))


def _shm_unlink(name: str) -> None:
    if sys.platform != "win32":
        _posixshmem.shm_unlink(f"/{name}")
