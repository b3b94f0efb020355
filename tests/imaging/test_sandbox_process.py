"""A sandbox does not outlive its owner, and neither has what is the other's."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shizi.imaging.limits import Limits
from shizi.imaging.sandbox import Sandbox, SandboxOptions
from shizi.imaging.shared import FOLDER
from tests.processes import is_alive

pytestmark = pytest.mark.alone

PARENT = """
import io, sys, time
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox import Sandbox, SandboxOptions
sandbox = Sandbox(Limits(), SandboxOptions(processes=3, warm=3), worker="shizi.imaging.sandbox_fake")
with sandbox.open(io.BytesIO(sys.argv[1].encode()), deadline=time.monotonic() + 600) as pages:
    page = next(pages)
    print(page.pixels.name, *sandbox.processes, flush=True)
    next(pages)
"""


def test_all_end_with_a_parent_that_is_killed_and_the_next_one_tidies_up() -> None:
    command = [sys.executable, "-c", PARENT, "spin on page 2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        block, *numbers = parent.stdout.readline().split()
        workers = [int(number) for number in numbers]
        assert len(workers) == 3
        assert all(is_alive(worker) for worker in workers)
        os.kill(parent.pid, signal.SIGKILL)
    give_up = time.monotonic() + 10
    while any(is_alive(worker) for worker in workers) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert [worker for worker in workers if is_alive(worker)] == []
    assert (FOLDER / block).exists()
    sandbox = Sandbox(Limits(), SandboxOptions(warm=0))
    sandbox.close()
    assert sandbox.stats.stale_blocks >= 1
    assert not (FOLDER / block).exists()


def test_the_owner_loads_no_decoder() -> None:
    script = (
        "import sys, shizi.imaging.sandbox as s; print({'cv2', 'PIL', 'simplejpeg', 'pypdfium2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n"


def test_a_process_holds_nothing_of_its_parent() -> None:
    sandbox = Sandbox(Limits(), SandboxOptions(processes=2, warm=2))
    try:
        sandbox.bounds()
        with sandbox.open(io.BytesIO(b"hello"), deadline=time.monotonic() + 30):
            pass
        for number in sandbox.processes:
            give_up = time.monotonic() + 20
            while not _is_bounded(number) and time.monotonic() < give_up:
                time.sleep(0.02)
            assert _is_bounded(number)
            descriptors = [str(link.readlink()) for link in Path(f"/proc/{number}/fd").iterdir()]
            assert len([name for name in descriptors if name.startswith("socket:")]) == 1
            assert sorted(name for name in descriptors if not name.startswith("socket:")) == [
                "/dev/null",
                "/dev/null",
                f"/proc/{number}/statm",
            ]
            environment = Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
            assert not any(entry.startswith(b"PYTEST") for entry in environment)
    finally:
        sandbox.close()


def _is_bounded(number: int) -> bool:
    return "\nSeccomp:\t2\n" in Path(f"/proc/{number}/status").read_text()
