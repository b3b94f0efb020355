"""Flame graphs of reading a page, one picture for each stage.

    python -m benchmarks.flame --output docs/profile/after [--page FILE] [--seconds 15]

A thread looks at the stacks of all threads a thousand times a second. So it sees Python, and which line called into native code
(drawn as the topmost box), but not what runs inside; `benchmarks.operations` tells that of the models. The time of a thread that only
waits for another thread is left out. Needs no right to look into other processes, and no program besides Python.
"""

from __future__ import annotations

import argparse
import linecache
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from benchmarks.flame_svg import render

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "samples" / "invoice.png"
INTERVAL_S = 0.001
# The first module, from the innermost call outwards, that belongs to a stage decides: crops are cut by imaging for the recogniser.
STAGES = {
    "recognize": ("models/recognizer", "models/head", "models/direction", "pipeline/reader", "pipeline/orientation"),
    "detect": ("models/detector", "models/dbnet", "models/tiles", "pipeline/split"),
    "decode": ("imaging/",),
}
# Waiting for another thread.
_WAITING = ("/threading.py", "/concurrent/futures/", "/selectors.py", "/subprocess.py")

Stack = tuple[str, ...]


@dataclass(slots=True)
class Samples:
    """How often each stack was seen, outermost call first, in how many looks at all threads."""

    counts: Counter[Stack] = field(default_factory=Counter)
    looks: int = 0


@contextmanager
def sampled() -> Iterator[Samples]:
    """Looks at the stacks of all other threads until the block ends."""
    samples = Samples()
    over = threading.Event()

    def look() -> None:
        own = threading.get_ident()
        while not over.wait(INTERVAL_S):
            samples.looks += 1
            for thread, frame in sys._current_frames().items():
                if thread != own and (stack := _stack(frame)):
                    samples.counts[stack] += 1

    before = sys.getswitchinterval()
    sys.setswitchinterval(INTERVAL_S / 2)
    sampler = threading.Thread(target=look, daemon=True)
    sampler.start()
    try:
        yield samples
    finally:
        over.set()
        sampler.join()
        sys.setswitchinterval(before)


def stage(stack: Stack) -> str | None:
    """Which stage a stack belongs to, by the modules of its boxes ("module: function")."""
    for name, modules in STAGES.items():
        if any(box.startswith(modules) for box in stack):
            return name
    return None


def _stack(frame: FrameType | None) -> Stack:
    """Boxes from the first one of shizi inwards; none where the thread waits for another, or does not work for shizi."""
    frames: list[FrameType] = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    if any(part in frames[0].f_code.co_filename for part in _WAITING):
        return ()
    frames.reverse()
    first = next((index for index, one in enumerate(frames) if "/shizi/" in one.f_code.co_filename), None)
    if first is None:
        return ()
    boxes = [f"{_module(one)}: {one.f_code.co_name}" for one in frames[first:]]
    last = frames[-1]
    line = linecache.getline(last.f_code.co_filename, last.f_lineno).strip()
    return (*boxes, f"line: {line}") if line else tuple(boxes)


def _module(frame: FrameType) -> str:
    name = frame.f_code.co_filename.removesuffix(".py")
    for mark in ("/shizi/", "/site-packages/"):
        if mark in name:
            return name.rpartition(mark)[2]
    return name.rpartition("/")[2]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="beginning of the pictures' names")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parser.parse_args()
    from shizi import OCR

    with OCR() as ocr:
        ocr.read(options.page)
        end, pages = time.monotonic() + options.seconds, 0
        with sampled() as samples:
            start = time.monotonic()
            while time.monotonic() < end:
                ocr.read(options.page)
                pages += 1
            passed = time.monotonic() - start
    stages: dict[str, Counter[Stack]] = {name: Counter() for name in reversed(STAGES)}
    for stack, count in samples.counts.items():
        if (name := stage(stack)) is not None:
            stages[name][stack] += count
    ms = 1000 * passed / pages / samples.looks  # of one thread, that a sample stands for
    print(f"{pages} pages in {passed:.1f} s, {samples.looks} looks")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    for name, found in stages.items():
        title = f"{name}: {ms * found.total():.0f} ms of thread time a page ({found.total()} samples, {pages} pages)"
        file = options.output.with_name(f"{options.output.name}-{name}.svg")
        file.write_text(render(found, title), encoding="utf-8", newline="\n")
        print(f"{file}: {title}")


if __name__ == "__main__":
    main()
