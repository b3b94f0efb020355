"""How long one-line requests take beside pages of 400 lines, which arrive as one request in a hundred.

    python -m benchmarks.fairness [--requests 1000] [--rate 10] [--threads 16] [--json FILE]

Requests arrive at drawn moments (a Poisson process, the same ones with and without pages) whatever is still being read, so a
slow answer is counted with its wait. Exit code 1 where the 99th percentile with pages is more than `--most` times that without.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from shizi import OCR
from shizi.batching.claim import Claim
from shizi.bench.documents import draw_letter
from shizi.imaging.pages import PageImage
from shizi.pipeline.options import ReadOptions
from shizi.pipeline.tuning import Tuning

EVERY = 100  # requests, of which one is a page
LINES = 400
BANNERS = 50  # different one-line pictures
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Latencies:
    """Milliseconds from the moment a one-line request arrived to its answer."""

    requests: int
    p50: float
    p90: float
    p99: float
    most: float


def banner(source: random.Random) -> Image.Image:
    """One line of text, some 180 to 420 pixels wide."""
    size = source.choice((18, 22, 26))
    face = ImageFont.load_default(size)
    text = (
        f"Delivery {source.randint(1000, 9999)} of {source.choice(('pears', 'apples and plums', 'grapes, 12 boxes'))}"
    )
    picture = Image.new("RGB", (round(face.getlength(text)) + 40, 2 * size + 8), (252, 252, 250))
    ImageDraw.Draw(picture).text((20, size // 2), text, font=face, fill=(30, 30, 36))
    return picture


def page(source: random.Random) -> Image.Image:
    """Four columns of a hundred short lines."""
    sheet = Image.new("RGB", (2000, 2900), (252, 252, 250))
    for column in range(4):
        sheet.paste(draw_letter(source, 480, 2900, 14), (20 + 490 * column, 0))
    return sheet


def arrivals(requests: int, rate: float, source: random.Random) -> list[float]:
    """Seconds at which requests arrive."""
    now, moments = 0.0, []
    for _ in range(requests):
        now += source.expovariate(rate)
        moments.append(now)
    return moments


def serve(read: Callable[[Pixels], object], moments: Sequence[float], pages: bool, threads: int) -> Latencies:
    """Answers all requests and says how long the one-line ones took."""
    source = random.Random(1)
    banners = [np.asarray(banner(source)) for _ in range(BANNERS)]
    large = np.asarray(page(source))
    taken: list[float] = []
    start = time.monotonic() + 0.2

    def answer(number: int) -> None:
        small = number % EVERY != EVERY // 2
        if small or pages:
            read(banners[number % BANNERS] if small else large)
        if small:
            taken.append(1000 * (time.monotonic() - start - moments[number]))

    with ThreadPoolExecutor(threads) as pool:
        jobs = []
        for number, moment in enumerate(moments):
            time.sleep(max(0.0, start + moment - time.monotonic()))
            jobs.append(pool.submit(answer, number))
        for job in jobs:
            job.result()
    p50, p90, p99 = (float(np.percentile(taken, share)) for share in (50, 90, 99))
    return Latencies(len(taken), p50, p90, p99, max(taken))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10.0, help="requests a second (default: 10)")
    parser.add_argument("--threads", type=int, default=16, help="requests that are read at a time (default: 16)")
    parser.add_argument("--rounds", type=int, default=1, help="with and without, in turn, so often (default: 1)")
    parser.add_argument("--one-detector", action="store_true", help="without the one for small pictures")
    parser.add_argument("--most", type=float, default=1.5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    moments = arrivals(options.requests, options.rate, random.Random(0))
    results: dict[str, list[Latencies]] = {"without": [], "with": []}
    with OCR(tuning=Tuning(small_aside=not options.one_detector)) as ocr:

        def read(pixels: Pixels) -> object:
            image = PageImage(1, pixels, pixels.shape[1], pixels.shape[0])
            return ocr.read_page(image, ReadOptions(), Claim(deadline=time.monotonic() + 60))

        serve(read, [0.0] * BANNERS, False, 4)
        first, times = ocr.read_page(_page_image(np.asarray(page(random.Random(1)))), ReadOptions())
        print(f"a page has {len(first.lines)} lines and takes {sum(times.values()):.0f} ms alone")
        for _ in range(options.rounds):
            for name, pages in (("without", False), ("with", True)):
                found = serve(read, moments, pages, options.threads)
                results[name].append(found)
                print(f"{name:>8} pages: " + ", ".join(f"{key} {value:.1f}" for key, value in asdict(found).items()))
    ratio = float(np.median([r.p99 for r in results["with"]]) / np.median([r.p99 for r in results["without"]]))
    print(f"p99 with pages / without: {ratio:.2f}")
    if options.json:
        kept = {name: [asdict(one) for one in found] for name, found in results.items()}
        options.json.write_text(json.dumps({"ratio": ratio, **kept}, indent=1) + "\n", encoding="utf-8")
    return 1 if ratio > options.most else 0


def _page_image(pixels: Pixels) -> PageImage:
    return PageImage(1, pixels, pixels.shape[1], pixels.shape[0])


if __name__ == "__main__":
    sys.exit(main())
