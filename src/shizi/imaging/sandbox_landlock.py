"""Which files a sandbox may open: none but fonts and program code, by Landlock (Linux 5.13); no file may be changed.

Constants are those of linux/landlock.h; the system calls have the same numbers on all architectures.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from shizi.imaging.sandbox_seccomp import UnavailableError

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1  # flag of _CREATE
_BENEATH = 1
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_FIRST_RIGHTS = (1 << 13) - 1
_LATER_RIGHTS = ((2, 1 << 13), (3, 1 << 14), (5, 1 << 15))  # from which version there is which: refer, truncate, ioctl


def allow_only_reading(folders: Iterable[str]) -> None:
    """Forbids the calling thread, and those it starts, to open anything but files below these folders, for reading.

    Folders that do not exist are passed over; what is open already stays open. `forbid_new_privileges` comes first.

    Raises:
        UnavailableError: with the reason.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.uname().sysname != "Linux":
        raise UnavailableError(f"there is no Landlock on {os.uname().sysname}")
    version = _call(libc, _CREATE, None, 0, _VERSION)
    rights = _FIRST_RIGHTS
    for since, right in _LATER_RIGHTS:
        rights |= right if version >= since else 0
    ruleset = _call(libc, _CREATE, struct.pack("=Q", rights), 8, 0)
    try:
        for folder in folders:
            _add(libc, ruleset, folder)
        _call(libc, _RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _add(libc: ctypes.CDLL, ruleset: int, folder: str) -> None:
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY)
    except OSError:
        return
    try:
        _call(libc, _ADD, ruleset, _BENEATH, struct.pack("=Qi", _READ_FILE | _READ_FOLDER, descriptor), 0)
    finally:
        os.close(descriptor)


def _call(libc: ctypes.CDLL, number: int, *arguments: int | bytes | None) -> int:
    values = (argument if not isinstance(argument, int) else ctypes.c_long(argument) for argument in arguments)
    result = int(libc.syscall(ctypes.c_long(number), *values))
    if result < 0:
        raise UnavailableError(os.strerror(ctypes.get_errno()))
    return result
