"""The ratios that `benchmarks.floors` looks at, and what they are measured on."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.naive import NaiveReader
from benchmarks.rss import rss_mb
from shizi import OCR
from shizi.bench.documents import draw_letter, draw_receipt, draw_screen
from shizi.bench.measure import Engine, Records, Subject, measure
from shizi.bench.recording import Recorder
from shizi.runtime.choose import Choice, choose, load_runtime

ROUNDS = 5
COLD_ROUNDS = 5
MODULES = {"onnx": "onnxruntime", "openvino": "openvino"}


@dataclass(frozen=True, slots=True)
class Bed:
    """What is measured: an engine that records its runs, and a few drawn pages, the first of them the one that is read most."""

    engine: Engine
    records: Records
    choice: Choice
    pages: tuple[Path, ...]

    @classmethod
    @contextmanager
    def made(cls, folder: Path) -> Iterator[Bed]:
        """With the default engine; pages are drawn into the folder."""
        choice = choose()
        recorder = Recorder(load_runtime(choice.runtime))
        with OCR(runtime=recorder) as ocr:
            yield cls(ocr, recorder, choice, draw_pages(folder))


def draw_pages(folder: Path) -> tuple[Path, ...]:
    """A half page of twenty lines, a receipt and a screen."""
    drawn = {
        "half": draw_letter(random.Random(1), 1100, 800, 26),
        "receipt": draw_receipt(random.Random(2)),
        "screen": draw_screen(random.Random(3)),
    }
    for name, page in drawn.items():
        page.save(folder / f"{name}.png")
    return tuple(folder / f"{name}.png" for name in drawn)


def reading_over_models(bed: Bed) -> float:
    """Time of reading a page ÷ its models alone on the same batches: what stands around the models."""
    subject = Subject("page", bed.pages[0], 1)
    bed.engine.read(subject.path)
    ratio = measure(bed.engine, bed.records, subject, ROUNDS, lambda: None).ratio
    if ratio is None:
        raise RuntimeError("no model ran on the drawn page")
    return ratio


def naive_over_reading(bed: Bed) -> float:
    """Time of reading a page the plain way ÷ the engine's: what batches, widths and streams bring."""
    naive = NaiveReader(bed.choice)
    plain, ours = 0.0, 0.0
    for page in bed.pages[:2]:  # the plain way finds no light text on a dark ground
        _same_work(naive, bed, page)
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            start = time.perf_counter()
            naive.read(page)
            between = time.perf_counter()
            bed.engine.read(page)
            times[0].append(between - start)
            times[1].append(time.perf_counter() - between)
        plain += statistics.median(times[0])
        ours += statistics.median(times[1])
    return plain / ours


def memory_growth(bed: Bed) -> float:
    """Resident memory after 30 more pages ÷ after the first six."""
    for page in bed.pages * 2:
        bed.engine.read(page)
    before = rss_mb()
    for page in bed.pages * 10:
        bed.engine.read(page)
    return rss_mb() / before


def start_over_imports(bed: Bed) -> float:
    """Time of `shizi read` of a small page in a new process ÷ that of importing the libraries that no way leads around."""
    # OpenVINO would call home without the first line, as it does not where shizi loads it.
    code = f"import sys; sys.modules['openvino_telemetry'] = None; import numpy, cv2, {MODULES[bed.choice.runtime]}"
    imports = [sys.executable, "-c", code]
    read = [sys.executable, "-m", "shizi", "read", "--offline", str(bed.pages[-1])]
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(COLD_ROUNDS + 1):
        for command, kept in zip((imports, read), times, strict=True):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if number:  # the first of each finds cold files
                kept.append(time.perf_counter() - start)
    return statistics.median(times[1]) / statistics.median(times[0])


CHECKS: dict[str, Callable[[Bed], float]] = {
    "reading_over_models": reading_over_models,
    "naive_over_reading": naive_over_reading,
    "memory_growth": memory_growth,
    "start_over_imports": start_over_imports,
}


def _same_work(naive: NaiveReader, bed: Bed, page: Path) -> None:
    """Warms both up, and makes sure that there is something to compare."""
    plain = set(" ".join(naive.read(page)).split())
    ours = set(bed.engine.read(page).text.split())
    if len(plain & ours) < 0.8 * len(ours):
        raise RuntimeError(f"the plain way reads {sorted(plain)[:20]}…, the engine {sorted(ours)[:20]}…")
