"""Other engines, where they are installed: measured beside this one, never needed."""

from __future__ import annotations

import importlib.util
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shizi.bench.measure import Clock, Engine, Step, Subject

Read = Callable[[Path], int]
"""Reads an image; returns the number of characters found, white space not counted."""

_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Peer:
    """Another engine.

    Attributes:
        open: loads it.
        missing: what is not there, and how to get it; empty where it can be used.
    """

    name: str
    open: Callable[[], Read]
    missing: str


@dataclass(frozen=True, slots=True)
class PeerTimes:
    """A peer beside this engine, both read in turn.

    Attributes:
        ratio: its time ÷ ours, above 1 where ours is the faster one; None where it was not measured.
        ms_per_image: its own, the mean of the images' medians.
        characters: found by it ÷ found by us. It tells whether both did the same work, not which of them is right.
        problem: why it was not measured.
    """

    name: str
    ratio: float | None = None
    ms_per_image: float | None = None
    characters: float | None = None
    problem: str = ""


def peers() -> tuple[Peer, ...]:
    """Those that this bench knows."""
    rapid = "" if importlib.util.find_spec("rapidocr") else "not installed; in this environment: pip install rapidocr"
    tesseract = "" if shutil.which("tesseract") else "not on the PATH; on Debian: apt-get install tesseract-ocr"
    return (Peer("rapidocr", _open_rapidocr, rapid), Peer("tesseract", _open_tesseract, tesseract))


def compare(
    engine: Engine,
    peer: Peer,
    subjects: Sequence[Subject],
    rounds: int,
    step: Step,
    clock: Clock = time.perf_counter,
) -> PeerTimes:
    """Reads every image with both in turn; PDFs are left out, since the peers read none."""
    images = [subject for subject in subjects if subject.path.suffix.lower() != ".pdf"]
    if peer.missing or not images:
        return PeerTimes(peer.name, problem=peer.missing or "there is no image among the documents, only PDFs")
    try:
        read = peer.open()
        return _measure(engine, peer.name, read, images, rounds, step, clock)
    except Exception as error:  # other people's code may raise anything, and is no reason to lose our own figures
        return PeerTimes(peer.name, problem=f"it failed: {type(error).__name__}: {error}")


def _measure(
    engine: Engine, name: str, read: Read, images: Sequence[Subject], rounds: int, step: Step, clock: Clock
) -> PeerTimes:
    ours, theirs, found, known = 0.0, 0.0, 0, 0
    for image in images:
        found += read(image.path)
        known += len("".join(engine.read(image.path).text.split()))
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            start = clock()
            engine.read(image.path)
            between = clock()
            read(image.path)
            times[0].append(between - start)
            times[1].append(clock() - between)
            step()
        ours += statistics.median(times[0])
        theirs += statistics.median(times[1])
    return PeerTimes(name, theirs / ours, 1000 * theirs / len(images), found / known if known else None)


def _open_rapidocr() -> Read:
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "critical"})

    def read(path: Path) -> int:
        return sum(len("".join(text.split())) for text in engine(str(path)).txts or ())

    return read


def _open_tesseract() -> Read:
    program = shutil.which("tesseract") or "tesseract"
    command = [program, "--list-langs"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)  # noqa: S603 (no shell)
    languages = "+".join(name for name in ("eng", "chi_sim") if name in listed.stdout.split())
    choice = ["-l", languages] if languages else []

    def read(path: Path) -> int:
        command = [program, str(path.absolute()), "-", *choice]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)  # noqa: S603 (no shell)
        return len("".join(done.stdout.split()))

    return read
