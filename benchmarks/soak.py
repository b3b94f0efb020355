"""Read thousands of drawn pages of mixed sizes with one engine, and say how the memory of the process grows.

    python -m benchmarks.soak [--pages 5000] [--most-slope 0.01] [--most-peak MB] [--json FILE]

Exit code 1 where memory grows by more than `--most-slope` MB a page after the warm-up, or was ever above `--most-peak`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.rss import rss_mb
from shizi import OCR
from shizi.bench.documents import draw_letter, draw_receipt, draw_screen
from shizi.bench.report import peak_mb
from shizi.bench.stats import slope

EVERY = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """Memory over the pages.

    Attributes:
        slope_mb: MB a page, by least squares over the samples after the warm-up; one sample a page.
        peak_mb: the most that the process ever had.
        rss_mb: every hundredth sample.
    """

    pages: int
    warm_up: int
    slope_mb: float
    peak_mb: float
    rss_mb: tuple[float, ...]

    def faults(self, most_slope: float, most_peak: float | None) -> list[str]:
        """What is above its bound."""
        found = []
        if self.slope_mb > most_slope:
            found.append(f"memory grows by {self.slope_mb:.4f} MB a page; the bound is {most_slope:g}")
        if most_peak is not None and self.peak_mb > most_peak:
            found.append(f"the peak is {self.peak_mb:.0f} MB; the bound is {most_peak:g}")
        return found


def draw(source: random.Random) -> Image.Image:
    """A page of any size from a banner to 300 dots per inch, with large or small text."""
    kind = source.random()
    if kind < 0.2:
        return draw_receipt(source)
    if kind < 0.4:
        return draw_screen(source)
    size = source.choice((18, 22, 26, 34, 48))
    if kind < 0.6:
        return draw_letter(source, source.randint(300, 1600), source.randint(8 * size, 12 * size), size)
    if kind < 0.98:
        return draw_letter(source, source.randint(500, 1400), source.randint(500, 1400), size)
    return draw_letter(source, 2480, 3508, 2 * size)


def soak(
    read: Callable[[NDArray[np.uint8]], object],
    pages: int,
    warm_up: int,
    memory: Callable[[], float] = rss_mb,
    say: Callable[[int, float], None] = lambda _page, _rss: None,
) -> Outcome:
    """Reads the pages, always the same ones for the same number.

    Raises:
        ValueError: fewer than two pages are left after the warm-up.
    """
    if pages - warm_up < 2:
        raise ValueError(f"{pages} pages with a warm-up of {warm_up} leave no two to measure")
    source = random.Random(0)
    samples: list[float] = []
    for number in range(1, pages + 1):
        read(np.asarray(draw(source)))
        samples.append(memory())
        say(number, samples[-1])
    return Outcome(pages, warm_up, slope(samples[warm_up:]), peak_mb() or max(samples), tuple(samples[::EVERY]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=5000)
    parser.add_argument("--warm-up", type=int, help="pages before memory counts (default: a tenth)")
    parser.add_argument("--most-slope", type=float, default=0.01, metavar="MB", help="a page (default: 0.01)")
    parser.add_argument("--most-peak", type=float, metavar="MB")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    warm_up = options.pages // 10 if options.warm_up is None else options.warm_up
    start = time.monotonic()

    def say(number: int, rss: float) -> None:
        line = (
            f"{number:>6} of {options.pages} pages, {rss:>6.0f} MB, {number / (time.monotonic() - start):.1f} pages/s"
        )
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="" if number < options.pages else "\n", file=sys.stderr, flush=True)
        elif number % EVERY == 0 or number == options.pages:
            print(line, file=sys.stderr, flush=True)

    with OCR() as ocr:
        outcome = soak(ocr.read, options.pages, warm_up, say=say)
    print(f"{outcome.slope_mb:+.4f} MB a page after the first {warm_up}, peak {outcome.peak_mb:.0f} MB")
    if options.json:
        options.json.write_text(json.dumps(asdict(outcome), indent=1) + "\n", encoding="utf-8")
    faults = outcome.faults(options.most_slope, options.most_peak)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
