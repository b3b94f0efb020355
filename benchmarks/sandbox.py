"""What decoding in a sandbox costs beside decoding in the calling process: python -m benchmarks.sandbox [--rounds 60].

Both ways decode the same drawn files in turn, so that a noisy machine is noisy for both; medians in milliseconds, without touching
the pixels afterwards. The last line is the time from nothing to a process that is ready.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from shizi.imaging.decode import open_pages
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox import Sandbox, SandboxOptions

SAMPLE = Path(__file__).parents[1] / "samples" / "report.pdf"
DRAWN = (
    ("PNG, 320 x 64", "PNG", 320, 64),
    ("PNG, A4 at 150 dpi (1240 x 1754)", "PNG", 1240, 1754),
    ("JPEG, A4 at 300 dpi (2480 x 3508)", "JPEG", 2480, 3508),
    ("JPEG, 35 megapixels (7016 x 4960)", "JPEG", 7016, 4960),
)
WARM_UP = 2


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="for each small file; large ones get a quarter")
    rounds = parser.parse_args().rounds
    sandbox = Sandbox(Limits(), SandboxOptions(processes=1))
    sandbox.bounds()
    print("| file | in process | sandbox | difference |\n|---|---|---|---|")
    for name, kind, width, height in DRAWN:
        with _drawn(kind, width, height) as file:
            _row(name, sandbox, file, rounds if width < 5000 else max(1, rounds // 4))
    with SAMPLE.open("rb") as file:
        _row("PDF, 2 pages", sandbox, file, max(1, rounds // 4))
    sandbox.close()
    print(f"\nstart of a process: {statistics.median(_start() for _ in range(7)):.0f} ms")


def _row(name: str, sandbox: Sandbox, file: BinaryIO, rounds: int) -> None:
    ways: tuple[Callable[[], None], ...] = (lambda: _in_process(file), lambda: _in_sandbox(sandbox, file))
    times: tuple[list[float], ...] = ([], [])
    for _ in range(WARM_UP + rounds):
        for way, taken in zip(ways, times, strict=True):
            file.seek(0)
            started = time.perf_counter()
            way()
            taken.append((time.perf_counter() - started) * 1e3)
    one, other = (statistics.median(taken[WARM_UP:]) for taken in times)
    print(f"| {name} | {one:.1f} | {other:.1f} | {other - one:+.1f} |", flush=True)


def _in_process(file: BinaryIO) -> None:
    for _ in open_pages(file):
        pass


def _in_sandbox(sandbox: Sandbox, file: BinaryIO) -> None:
    with sandbox.open(file, deadline=time.monotonic() + 60) as pages:
        for page in pages:
            if page.pixels is not None:
                with page.pixels.array():
                    page.release()


def _start() -> float:
    started = time.perf_counter()
    sandbox = Sandbox(Limits(), SandboxOptions(processes=1))
    sandbox.bounds()
    taken = (time.perf_counter() - started) * 1e3
    sandbox.close()
    return taken


@contextlib.contextmanager
def _drawn(kind: str, width: int, height: int) -> Iterator[BinaryIO]:
    """Soft noise: neither as easy as a blank page nor as hard as none at all."""
    coarse = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(out, kind)
    with tempfile.TemporaryFile() as file:
        file.write(out.getvalue())
        yield file


if __name__ == "__main__":
    main()
