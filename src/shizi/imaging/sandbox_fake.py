"""Documents that misbehave on purpose, to show what that costs: name this module as the worker of a `Sandbox`.

What to do stands in the document itself: its bytes are one of FAILURES (with " on page 2" after it: on that page), or "try" and one
of ATTEMPTS. It runs where the decoders run, with the same bounds.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from shizi.imaging.frames import Header
from shizi.imaging.sandbox_decode import Room, Task
from shizi.imaging.sandbox_worker import serve

SIDE = 4  # pixels of a page that succeeds
PAGES = 3
CHUNK = 4 * 2**20  # bytes

_hoard: list[bytearray] = []


def main() -> None:
    """Answer like the real worker, until the failure."""
    serve(_read)


def _read(data: bytes, task: Task, room: Room) -> Iterator[Header]:
    failure, _, late = data.decode().partition(" on page ")
    numbers = task.pages or range(1, PAGES + 1)
    for number in numbers:
        warnings = [f"process {os.getpid()}"]
        if failure.startswith("try "):
            warnings.append(_outcome(ATTEMPTS[failure.removeprefix("try ")]))
        elif number == int(late or 1):
            FAILURES[failure]()
        side = 10**6 if failure == "lie" else SIDE
        room(side, side, 0)[:] = number
        page = {"number": number, "width": SIDE, "height": SIDE, "pixels": True, "layer": None, "count": PAGES}
        yield {**page, "warnings": warnings, "last": number == numbers[-1]}


def _eat() -> None:
    hoard: list[bytes] = []
    while True:
        hoard.append(b"x" * CHUNK)


def _eat_and_crash() -> None:
    hoard: list[bytes] = []
    try:
        while True:
            hoard.append(b"x" * CHUNK)
    except MemoryError:
        os.abort()  # as native code does, with all that it has in its hands


def _babble(text: bytes) -> None:
    os.write(0, text)
    time.sleep(3600)


def _flood() -> None:
    for _ in range(100):
        os.write(1, b"x" * 100_000)
        os.write(2, b"x" * 100_000)


def _hush() -> None:
    os.close(0)
    time.sleep(3600)


def _spin() -> None:
    while True:
        pass


def _frame(text: bytes) -> bytes:
    return struct.pack(">L", len(text)) + text


FAILURES: Mapping[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "crash": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda: os._exit(3),
    "be killed": lambda: signal.raise_signal(signal.SIGKILL),
    "run out of processor time": lambda: signal.raise_signal(signal.SIGXCPU),
    "nap": lambda: time.sleep(0.3),
    "hang": lambda: time.sleep(3600),
    "spin": _spin,
    "eat memory": _eat,
    "eat memory and crash": _eat_and_crash,
    "keep memory": lambda: _hoard.append(bytearray(os.urandom(1)) * (16 * CHUNK)),
    "babble": lambda: _babble(b"\xff" * 1000),
    "babble in frames": lambda: _babble(_frame(b"[1]")),
    "babble deeply": lambda: _babble(_frame(b"[" * 100_000)),
    "babble of pages": lambda: _babble(_frame(b'{"page": {"number": 1, "width": "wide"}}')),
    "babble of keys": lambda: _babble(_frame(b'{"error": "UNAUTHENTICATED", "message": "x"}')),
    "babble of blocks": lambda: _babble(_frame(b'{"block": {"width": -1, "height": 1e999, "memory": 0}}')),
    "lie": lambda: None,
    "flood": _flood,
    "hush": _hush,
}


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        return f"done: {attempt()!r}"
    except (OSError, RuntimeError, ValueError) as error:  # a thread, a bound
        return f"refused: {error}"


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*(ctypes.c_long(argument) for argument in arguments)) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _thread() -> None:
    thread = threading.Thread(target=time.sleep, args=(0,))
    thread.start()
    thread.join()


ATTEMPTS: Mapping[str, Callable[[], object]] = {
    "a socket": lambda: socket.socket(socket.AF_INET),
    "a Unix socket": lambda: socket.socket(socket.AF_UNIX),
    "a process": os.fork,
    "a thread": _thread,
    "a program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606 (it is what must fail)
    "a new file": lambda: os.open("/tmp/shizi-should-not-be", os.O_CREAT | os.O_WRONLY, 0o600),  # noqa: S108
    "an old file": lambda: os.open("/dev/null", os.O_RDWR),
    "to read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "to read of the parent": lambda: os.open(f"/proc/{os.getppid()}/environ", os.O_RDONLY),
    "to list shared memory": lambda: next(Path("/dev/shm").iterdir()),  # noqa: S108
    "a font": lambda: os.close(os.open("/usr/share/fonts", os.O_RDONLY | os.O_DIRECTORY)),
    "to end the parent": lambda: os.kill(os.getppid(), 0),
    "to bound the parent": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (10**6, 10**6)),
    "to raise a bound": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
    "memory that runs": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    "a file in memory": lambda: os.memfd_create("x"),
    "to shrink what is open": lambda: os.ftruncate(0, 0),
    "to trace": lambda: _call("ptrace", 0, 0, 0, 0),
    "to mount": lambda: _call("mount", 0, 0, 0, 0, 0),
    "to unshare": lambda: _call("unshare", 0x10000000),
    "to send signals by another name": lambda: _call("fcntl", 0, 8, os.getppid()),
}
