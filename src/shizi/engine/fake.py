"""A reader that needs no model and fails on purpose, to show what a failing engine costs: name `OPENER` as the opener.

What to do with a page stands in its first pixel: `page("crash")` draws one that ends the process.
"""

from __future__ import annotations

import os
import signal
import time
import zlib
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shizi.batching.claim import Claim
from shizi.engine.options import ReaderOptions
from shizi.errors import CorruptDocument, ModelLoadFailed
from shizi.imaging.pages import PageImage
from shizi.models.counts import Batches
from shizi.pipeline.options import ReadOptions
from shizi.types import Line, ModelInfo, Page

OPENER: Final = "shizi.engine.fake:open_fake"
BROKEN_OPENER: Final = "shizi.engine.fake:open_broken"
CRASHING_OPENER: Final = "shizi.engine.fake:open_crashing"
SLOW_S: Final = 1.0
CRASH_S: Final = 0.05  # into the page; what dies at once has not yet told anybody that it had begun
HOARD: Final = 64 * 2**20
FAILURES: Final = ("read", "slow", "crash", "hang", "eat memory", "hoard", "bug", "corrupt")

Pixels = NDArray[np.uint8]


def page(failure: str = "read", seed: int = 0, height: int = 40, width: int = 60, slow_s: float = SLOW_S) -> Pixels:
    """A page, (height, width, 3) uint8, that is read as `text_of` says, after the failure.

    Args:
        failure: "read" none; "slow" after `slow_s`; "crash" ends the process as if it were killed; "hang" never ends;
            "eat memory" runs out of memory; "hoard" keeps 64 MiB for ever; "bug" raises what nobody expects;
            "corrupt" raises an error of shizi's.
        seed: makes another page.
        height: pixels.
        width: pixels.
        slow_s: seconds, in tenths, up to 25.
    """
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[0, 0] = (FAILURES.index(failure), round(10 * slow_s), 0)
    return pixels


def text_of(pixels: Pixels) -> str:
    """What the fake reads on a page: no two pages have the same."""
    return f"{pixels.shape[1]} x {pixels.shape[0]} #{zlib.crc32(pixels.tobytes()):08x}"


def open_fake(options: ReaderOptions) -> FakeReader:
    """For `ReaderOptions.opener`."""
    return FakeReader(options.tier)


def open_broken(options: ReaderOptions) -> FakeReader:
    """A reader that cannot be made."""
    raise ModelLoadFailed(f"the models of the tier {options.tier!r} are broken on purpose; use another opener")


def open_crashing(options: ReaderOptions) -> FakeReader:  # noqa: ARG001 (the signature of all openers)
    """A reader that ends the process while it is made."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


class FakeReader:
    """Reads no letter."""

    def __init__(self, version: str) -> None:
        self.models = (ModelInfo("recognize", "fake", version, "0" * 64),)
        self._hoard: list[bytearray] = []
        self._pages = 0

    @property
    def batches(self) -> Batches:
        """One line to a page, without padding."""
        return Batches(self._pages, self._pages, 100 * self._pages, 0)

    def read_page(
        self,
        image: PageImage,
        options: ReadOptions,
        claim: Claim | None = None,  # noqa: ARG002 (the signature of all readers)
    ) -> tuple[Page, Mapping[str, float]]:
        """A page with one line, of `text_of` its pixels, or of the lines of its text layer."""
        texts = [line.text for line in image.text_layer.lines] if image.text_layer is not None else []
        if image.pixels is not None:
            number, tenths = (int(value) for value in image.pixels[0, 0, :2])
            self._fail(dict(enumerate(FAILURES)).get(number, "read"), tenths / 10)
            texts.append(text_of(image.pixels))
        self._pages += 1
        box = (
            (0.0, 0.0),
            (float(image.width), 0.0),
            (float(image.width), float(image.height)),
            (0.0, float(image.height)),
        )
        lines = tuple(Line(text, options.least_score, box) for text in texts)
        return Page(image.number, image.width, image.height, lines=lines, text="\n".join(texts)), {"recognize": 1.0}

    def close(self) -> None:
        """There is nothing to free."""

    def _fail(self, failure: str, slow_s: float) -> None:
        if failure == "slow":
            time.sleep(slow_s)
        if failure == "crash":
            time.sleep(CRASH_S)
            os.kill(os.getpid(), signal.SIGKILL)
        if failure == "hang":
            time.sleep(3600)
        if failure == "eat memory":
            raise MemoryError
        if failure == "hoard":
            self._hoard.append(bytearray(os.urandom(2**20)) * (HOARD // 2**20))
        if failure == "bug":
            raise RuntimeError("the text of a page that no log may show")
        if failure == "corrupt":
            raise CorruptDocument("this page is corrupt on purpose; send another")
