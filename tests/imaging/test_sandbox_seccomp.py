"""The filter, run by a small machine of our own: what it allows on either architecture, whatever the kernel here."""

from __future__ import annotations

import os
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.imaging.sandbox_seccomp import _ARCHITECTURES, program

PROCESS = 4321
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000
MACHINES = ("x86_64", "aarch64")
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Of the kernel's tables: (x86_64, aarch64).
FORBIDDEN = {
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "socketpair": (53, 199), "clone": (56, 220), "clone3": (435, 435), "execve": (59, 221), "execveat": (322, 281),
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "ptrace": (101, 117), "mount": (165, 40),
    "bpf": (321, 280), "keyctl": (250, 219), "add_key": (248, 217), "unshare": (272, 97), "setns": (308, 268),
    "io_uring_setup": (425, 425), "memfd_create": (319, 279), "ftruncate": (77, 46), "fallocate": (285, 47),
    "unlinkat": (263, 35), "mkdirat": (258, 34), "renameat2": (316, 276), "fchmod": (91, 52), "openat2": (437, 437),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438), "ioctl": (16, 29),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "shmget": (29, 194), "setuid": (105, 146),
    "pkey_mprotect": (329, 288), "seccomp": (317, 277), "prctl": (157, 167), "capset": (126, 91), "chroot": (161, 51),
    "landlock_restrict_self": (446, 446), "open_by_handle_at": (304, 265), "init_module": (175, 105),
}  # fmt: skip
NEEDED = {
    "read": (0, 63), "pread64": (17, 67), "write": (1, 64), "close": (3, 57), "munmap": (11, 215), "brk": (12, 214),
    "futex": (202, 98), "recvmsg": (47, 212), "sendto": (44, 206), "exit_group": (231, 94), "getppid": (110, 173),
    "clock_nanosleep": (230, 115), "rt_sigreturn": (15, 139), "madvise": (28, 233), "getrandom": (318, 278),
}  # fmt: skip


def decide(machine: str, number: int, arguments: tuple[int, ...] = (), audit: int | None = None) -> int:
    """Classic BPF (McCanne and Jacobson 1993), the few instructions of it that the filter uses."""
    values = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("=IIQ6Q", number, AUDIT[machine] if audit is None else audit, 0, *values)
    code = list(struct.iter_unpack("=HBBI", program(machine, PROCESS)))
    at, held = 0, 0
    while True:
        operation, yes, no, value = code[at]
        at += 1
        if operation == 0x20:
            (held,) = struct.unpack_from("=I", data, value)
        elif operation == 0x06:
            return int(value)
        else:
            holds = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[operation]
            at += yes if holds else no


@pytest.mark.parametrize("machine", MACHINES)
def test_what_decoding_needs_is_allowed_and_the_rest_is_not(machine: str) -> None:
    column = MACHINES.index(machine)
    assert {name for name, numbers in NEEDED.items() if decide(machine, numbers[column]) != ALLOW} == set()
    assert {name for name, numbers in FORBIDDEN.items() if decide(machine, numbers[column]) != REFUSE} == set()


@pytest.mark.parametrize(("machine", "openat", "mmap", "fcntl", "prlimit", "tgkill"), [
    ("x86_64", 257, 9, 72, 302, 234),
    ("aarch64", 56, 222, 25, 261, 131),
])  # fmt: skip
def test_arguments_decide(machine: str, openat: int, mmap: int, fcntl: int, prlimit: int, tgkill: int) -> None:
    def verdict(number: int, *arguments: int) -> bool:
        return decide(machine, number, arguments) == ALLOW

    assert verdict(openat, 0, 0, os.O_RDONLY | os.O_CLOEXEC)
    for flag in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_APPEND, 0o20000000):
        assert not verdict(openat, 0, 0, flag | os.O_CLOEXEC)
    assert verdict(mmap, 0, 4096, 3)
    assert not verdict(mmap, 0, 4096, 4)
    assert verdict(fcntl, 0, 1030)
    assert not verdict(fcntl, 0, 8)  # F_SETOWN
    assert verdict(prlimit, 0)
    assert verdict(prlimit, PROCESS)
    assert not verdict(prlimit, PROCESS + 1)
    assert verdict(tgkill, PROCESS)
    assert not verdict(tgkill, 1)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_another_architecture_is_killed_whatever_it_calls(number: int, audit: int) -> None:
    for machine in MACHINES:
        if audit != AUDIT[machine]:
            assert decide(machine, number, audit=audit) == KILL


@given(st.integers(0x40000000, 2**32 - 1))
def test_calls_under_their_other_numbers_are_killed(number: int) -> None:
    assert decide("x86_64", number) == KILL


@given(st.integers(0, 2**20), st.tuples(*[st.integers(0, 2**64 - 1)] * 6))
def test_any_call_is_decided(number: int, arguments: tuple[int, ...]) -> None:
    assert decide("x86_64", number, arguments) in (ALLOW, REFUSE)
    assert decide("aarch64", number, arguments) in (ALLOW, REFUSE)


def test_there_is_a_filter_for_the_servers_of_today() -> None:
    assert set(_ARCHITECTURES) == set(MACHINES)


def test_an_unknown_architecture_is_said() -> None:
    script = (
        "import platform; platform.machine = lambda: 'm68k'\n"
        "from shizi.imaging.sandbox_seccomp import *\n"
        "try: forbid_calls()\nexcept UnavailableError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "there is no filter for Linux on m68k\n"
