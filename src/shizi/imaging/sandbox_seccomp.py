"""Which system calls a sandbox may make: seccomp-bpf, written by hand for the two architectures that servers have.

A list of what is allowed, not of what is denied: a call that is new, or that nobody thought of, is refused with EPERM. What
decoding needs is short: read and write what is open, memory, clocks, locks between threads, and opening files for
*reading* (fonts of PDFs; Landlock says which files). So there is no socket, no connection, no new process or thread, no program,
no new or changed file (ftruncate neither: it could pull memory away below another process), no ptrace, mount, bpf, keyring,
io_uring, and no signal to another process. Numbers are those of the kernel's tables of each architecture; constants are
those of linux/seccomp.h, linux/filter.h and linux/audit.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterator

PR_SET_NO_NEW_PRIVS = 38
CAPABILITY_VERSION_3 = 0x20080522
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_TSYNC = 1  # also for the thread that watches the parent

_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _JUMP_ABOVE, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # _REFUSE carries EPERM
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0o20000000  # the last: O_TMPFILE's own bit
_PROT_EXEC = 4
_FCNTL = (1, 2, 3, 1030)  # F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC; F_SETOWN could send signals

# name: (x86_64, aarch64); None where an architecture has no such call
_PLAIN: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "lseek": (8, 62), "pread64": (17, 67), "pwrite64": (18, 68),
    "readv": (19, 65), "writev": (20, 66), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24),
    "close_range": (436, 436), "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "sendto": (44, 206), "recvfrom": (45, 207), "sendmsg": (46, 211), "recvmsg": (47, 212), "getsockopt": (55, 209),
    "stat": (4, None), "fstat": (5, 80), "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291),
    "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None),
    "readlinkat": (267, 78), "getdents64": (217, 61), "getcwd": (79, 17),
    "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216), "mincore": (27, 232), "madvise": (28, 233),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "restart_syscall": (219, 128), "futex": (202, 98), "set_robust_list": (273, 99), "rseq": (334, 293),
    "membarrier": (324, 283), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "gettimeofday": (96, 169), "time": (201, None), "getrandom": (318, 278), "sysinfo": (99, 179), "uname": (63, 160),
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "getrusage": (98, 165), "getrlimit": (97, 163),
    "setrlimit": (160, 164), "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
# name: (numbers, argument that is looked at)
_CHECKED: dict[str, tuple[tuple[int | None, int | None], int]] = {
    "open": ((2, None), 1), "openat": ((257, 56), 2),  # flags: nothing that writes
    "mmap": ((9, 222), 2), "mprotect": ((10, 226), 2),  # protection: nothing that can be executed
    "fcntl": ((72, 25), 1),  # command
    "prlimit64": ((302, 261), 0), "tgkill": ((234, 131), 0),  # process: this one
}  # fmt: skip
_ARCHITECTURES = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}  # column, audit number, seccomp(2)


class UnavailableError(Exception):
    """This kernel, architecture or container has it not; the message says why."""


def program(machine: str, process: int) -> bytes:
    """The filter for `uname -m` and a process's own number, as an array of struct sock_filter (8 bytes each)."""
    column, audit, _ = _ARCHITECTURES[machine]
    code = [(_LOAD, 0, 0, _ARCHITECTURE), (_JUMP_EQUAL, 1, 0, audit), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    if machine == "x86_64":  # the same calls under other numbers
        code += [(_JUMP_ABOVE, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for numbers in _PLAIN.values():
        if (number := numbers[column]) is not None:
            code += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for name, (numbers, argument) in _CHECKED.items():
        if (number := numbers[column]) is not None:
            checks = list(_checks(name, process))
            code += [(_JUMP_EQUAL, 0, len(checks) + 1, number), (_LOAD, 0, 0, _ARGUMENTS + 8 * argument), *checks]
    code.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _checks(name: str, process: int) -> Iterator[tuple[int, int, int, int]]:
    """Instructions that look at the low half of the argument and end the program, whatever it is."""
    if name in ("open", "openat", "mmap", "mprotect"):
        yield _JUMP_ANY_BIT, 1, 0, _PROT_EXEC if name[0] == "m" else _WRITING
        yield _RETURN, 0, 0, _ALLOW
    else:
        allowed = {"fcntl": _FCNTL, "prlimit64": (0, process), "tgkill": (process,)}[name]
        for value in allowed:
            yield _JUMP_EQUAL, 0, 1, value
            yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _REFUSE


def forbid_new_privileges() -> None:
    """No program that this process could start has more rights than it.

    Raises:
        UnavailableError: with the reason.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "prctl"):
        raise UnavailableError("the system has no prctl")
    if libc.prctl(PR_SET_NO_NEW_PRIVS, *(ctypes.c_ulong(value) for value in (1, 0, 0, 0))):
        raise UnavailableError(os.strerror(ctypes.get_errno()))


def drop_capabilities() -> None:
    """The superuser gives up what only the superuser may, such as raising a bound again; harmless for anybody else.

    Raises:
        UnavailableError: with the reason.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "capset"):
        raise UnavailableError("the system has no capset")
    if libc.capset(struct.pack("=Ii", CAPABILITY_VERSION_3, 0), bytes(24)):
        raise UnavailableError(os.strerror(ctypes.get_errno()))


def forbid_calls() -> None:
    """Puts the filter on this process, all its threads; for good. `forbid_new_privileges` comes first.

    Raises:
        UnavailableError: with the reason.
    """
    machine = platform.machine()
    if not os.path.exists("/proc/self/status") or machine not in _ARCHITECTURES:  # noqa: PTH110 (imports nothing more)
        raise UnavailableError(f"there is no filter for {platform.system()} on {machine}")
    code = program(machine, os.getpid())
    buffer = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = (_ARCHITECTURES[machine][2], SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC)
    result = libc.syscall(*(ctypes.c_long(number) for number in numbers), header)
    if result:
        raise UnavailableError(os.strerror(ctypes.get_errno()) if result < 0 else "a thread could not be bounded")
