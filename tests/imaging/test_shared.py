"""Pixels that another process maps by name, and blocks that nobody forgets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from shizi.errors import InvalidRequest, NotFound, OutOfMemory
from shizi.imaging import shared
from shizi.imaging.shared import FOLDER, Block, SharedPixels, new_name, remove_stale

pytestmark = pytest.mark.alone

OTHER = """
import sys
from shizi.imaging.shared import SharedPixels
with SharedPixels(sys.argv[1], 2, 3).array() as pixels:
    print(pixels.tolist(), pixels.flags.writeable)
"""
LEAVE = """
import os, signal
from shizi.imaging.shared import Block, SharedPixels, new_name
block = Block(SharedPixels(new_name(), 10, 10), print)
print(block.pixels.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60)


def fill(block: Block, value: int) -> None:
    os.pwrite(block.descriptor, bytes([value]) * block.pixels.size, 0)


@pytest.fixture
def block() -> Iterator[Block]:
    block = Block(SharedPixels(new_name(), 2, 3), lambda _: None)
    yield block
    block.release()


def test_another_process_maps_it_by_name_and_leaves_it(block: Block) -> None:
    fill(block, 7)
    block.close_descriptor()
    for _ in range(2):
        other = run(OTHER, block.pixels.name)
        assert other.stdout == f"{[[[7] * 3] * 3] * 2} False\n"
        assert other.stderr == ""  # nobody tracks it, nobody warns
    with block.pixels.array() as pixels:
        assert pixels.shape == (2, 3, 3)
        assert pixels.max() == 7


def test_a_block_is_for_its_user_alone(block: Block) -> None:
    assert (FOLDER / block.pixels.name).stat().st_mode & 0o777 == 0o600


def test_it_is_mapped_within_the_context_only(block: Block) -> None:
    def mapped() -> int:
        return Path("/proc/self/maps").read_text().count(block.pixels.name)

    fill(block, 5)
    with block.pixels.array() as pixels:
        assert mapped() == 1
        assert not pixels.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            pixels[0, 0, 0] = 1
        outlives = pixels[1:, :, 0]
        del pixels
    assert outlives.tolist() == [[5, 5, 5]]  # no crash: what outlives the context holds the mapping
    del outlives
    assert mapped() == 0


def test_after_release_there_is_nothing() -> None:
    freed: list[int] = []
    block = Block(SharedPixels(new_name(), 4, 5), freed.append)
    fill(block, 1)
    with block.pixels.array() as pixels:
        block.release()
        block.release()
        assert pixels.sum() == 60  # who has it keeps it
    assert freed == [60]
    assert block.is_released
    with pytest.raises(NotFound, match="released"), block.pixels.array():
        pass


def test_names_and_sizes_that_are_none(block: Block) -> None:
    for name in ("psm_1", "shizi-", "shizi-../../etc/passwd", "shizi-A", "shizi-" + "a" * 100):
        with pytest.raises(InvalidRequest, match="no block of ours"):
            SharedPixels(name, 1, 1)
    for height, width in ((0, 1), (1, -1), (2**40, 1)):
        with pytest.raises(InvalidRequest, match="pixels is none"):
            SharedPixels("shizi-1", height, width)
    fill(block, 0)
    with pytest.raises(InvalidRequest, match="smaller"), SharedPixels(block.pixels.name, 2000, 3000).array():
        pass


def test_more_than_there_is() -> None:
    room = os.statvfs(FOLDER)
    side = int((room.f_bavail * room.f_frsize) ** 0.5) + 1000
    name = new_name()
    with pytest.raises(OutOfMemory, match=r"/dev/shm more room"):
        Block(SharedPixels(name, side, side), lambda _: None)
    assert not (FOLDER / name).exists()


def test_what_dead_processes_left_is_removed_and_nothing_else(block: Block) -> None:
    left = run(LEAVE).stdout.strip()
    assert (FOLDER / left).exists()
    namespace, process, started = new_name().split("-")[1:4]
    reborn = FOLDER / f"shizi-{namespace}-{process}-{int(started, 16) - 1:x}-0"  # our number, but another's start
    elsewhere = FOLDER / f"shizi-1-{2**22}-1-0"  # of another namespace, where that process may live
    strange = FOLDER / "shizi-strange"
    paths = (reborn, elsewhere, strange)
    try:
        for path in paths:
            path.write_bytes(b"x")
        assert remove_stale() >= 2
        assert not (FOLDER / left).exists()
        assert [path.exists() for path in paths] == [False, True, True]
        assert (FOLDER / block.pixels.name).exists()
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


def test_without_proc_nothing_is_taken_for_dead(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_namespace", lambda: None)
    remove_stale()
    assert (FOLDER / block.pixels.name).exists()
    assert new_name().startswith(f"shizi-{os.getpid()}-")


def test_many_blocks_leave_no_descriptor() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for value in range(50):
        block = Block(SharedPixels(new_name(), 8, 8), lambda _: None)
        fill(block, value)
        with block.pixels.array() as pixels:
            assert np.all(pixels == value)
        del pixels
        block.release()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
