"""The setting reaches the C library: in a process of its own, for it cannot be taken back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Threads that are alive at the same time, each with something allocated, make an arena each unless there is a bound.
PROGRAM = """
import ctypes, threading
from shizi.runtime.memory import share_arenas

shared = share_arenas() if {share} else None
libc = ctypes.CDLL(None)
all_there = threading.Barrier(4)

def work():
    held = bytearray(100_000), [object() for _ in range(10_000)]
    libc.malloc(5000)
    all_there.wait()

threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
out = libc.fopen(b"{path}", b"w")
libc.malloc_info(0, out)
libc.fclose(out)
print(shared)
"""


def heaps(path: str, share: bool) -> tuple[int, str]:
    program = PROGRAM.format(share=share, path=path)
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return Path(path).read_text(encoding="utf-8").count("<heap nr="), printed.strip()


def test_all_threads_share_two_arenas(tmp_path: Path) -> None:
    shared, said = heaps(f"{tmp_path}/one.xml", True)
    assert (shared, said) == (2, "True")
    several, _ = heaps(f"{tmp_path}/many.xml", False)
    assert several > 2
