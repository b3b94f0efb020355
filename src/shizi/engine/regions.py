"""Shared memory of the system (POSIX): opened by name, looked at in place."""

from __future__ import annotations

import importlib
import mmap
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shizi.errors import InvalidRequest, NotFound, OutOfMemory

_KEY: Final = re.compile(r"/?[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a shared memory block. It is unmapped when nothing looks at it any more.

    Attributes:
        key: name of the block.
        offset: of the first byte in the block.
        size: bytes.
        memory: (size,) uint8, not to be written to.
    """

    key: str
    offset: int
    size: int
    memory: NDArray[np.uint8]


def open_region(key: str, offset: int, size: int) -> Region:
    """Maps a part of a block.

    Raises:
        InvalidRequest: this is no name of a block, or the block is smaller.
        NotFound: there is no such block, or it belongs to somebody else.
        OutOfMemory: the system maps no more.
    """
    if not _KEY.fullmatch(key):
        raise InvalidRequest("the key of the shared memory is none; letters, digits, '.', '_' and '-' are allowed")
    if offset < 0 or size < 1:
        raise InvalidRequest(f"a region of {size} bytes from byte {offset} on is none; both must be positive")
    descriptor = _open(key)
    try:
        there = os.fstat(descriptor).st_size
        if offset + size > there:
            raise InvalidRequest(f"the shared memory has {there} bytes; the region ends at byte {offset + size}")
        mapped = mmap.mmap(descriptor, offset + size, access=mmap.ACCESS_READ)
    except OSError as error:
        raise OutOfMemory(f"the shared memory cannot be mapped: {error.strerror}; try again later") from None
    finally:
        os.close(descriptor)
    return Region(key, offset, size, np.frombuffer(mapped, dtype=np.uint8, count=size, offset=offset))


def _open(key: str) -> int:
    if sys.platform == "win32":
        raise InvalidRequest("this system has no POSIX shared memory; send pixels in the message")
    shm_open: Callable[..., int] = importlib.import_module("_posixshmem").shm_open
    try:
        return shm_open(f"/{key.removeprefix('/')}", os.O_RDONLY, mode=0)
    except OSError as error:
        raise NotFound(
            f"the shared memory cannot be opened: {error.strerror}; keep it until the answer is there"
        ) from None


class Regions:
    """Regions that clients registered under names of their own (Triton's system shared memory extension).

    Args:
        most: regions at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._regions: dict[str, Region] = {}

    def register(self, name: str, key: str, offset: int, size: int) -> None:
        """Maps a region and remembers it.

        Raises:
            InvalidRequest: the name is taken or too long, there are too many, or as `open_region`.
            NotFound: as `open_region`.
        """
        if not 0 < len(name) <= _LONGEST_NAME:
            raise InvalidRequest(f"the name of a region must have 1 to {_LONGEST_NAME} characters")
        region = open_region(key, offset, size)
        with self._lock:
            if name in self._regions:
                raise InvalidRequest("a region of this name is registered; unregister it first")
            if len(self._regions) >= self._most:
                raise InvalidRequest(f"{self._most} regions are registered, the limit (max_regions); unregister some")
            self._regions[name] = region

    def unregister(self, name: str) -> None:
        """Forgets a region, all of them when the name is empty; one that is not there is forgotten already."""
        with self._lock:
            if name:
                self._regions.pop(name, None)
            else:
                self._regions.clear()

    def status(self, name: str) -> dict[str, Region]:
        """The region of this name, all of them when the name is empty.

        Raises:
            NotFound: there is none of this name.
        """
        with self._lock:
            return {name: self._get(name)} if name else dict(self._regions)

    def view(self, name: str, offset: int, size: int) -> NDArray[np.uint8]:
        """Bytes of a region, (size,) uint8; they stay even when it is unregistered meanwhile.

        Raises:
            NotFound: there is no such region.
            InvalidRequest: it is smaller.
        """
        with self._lock:
            region = self._get(name)
        if offset < 0 or size < 1 or offset + size > region.size:
            raise InvalidRequest(f"the region has {region.size} bytes; {size} from byte {offset} on are not in it")
        return region.memory[offset : offset + size]

    def _get(self, name: str) -> Region:
        if name not in self._regions:
            raise NotFound("no region of this name is registered; register it first")
        return self._regions[name]
