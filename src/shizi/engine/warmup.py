"""Batches that are run before anybody waits for them: a runtime prepares itself for every shape when it first meets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.engine.reader import PageReader
from shizi.imaging.pages import PageImage
from shizi.pipeline.options import ReadOptions

# Widths of the recogniser's input (pixels, at a height of 48) that lines of documents meet most, those first; wider ones are rare.
_WIDTHS: Final = (320, 256, 384, 448, 512, 192, 640, 768, 576, 896, 160, 224, 288, 1024, 128, 1152, 1280, 96, 64, 32)
_LINE_HEIGHT = 48
# A4 at 150 dpi, upright and lying, and a receipt: the shapes of the detector's input.
_PAGES: Final = ((1754, 1240), (1240, 1754), (1180, 620))
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WORD = "The quick brown fox jumps over the lazy dog 0123456789 "


def warm_up(reader: PageReader, batches: int, side_by_side: int) -> None:
    """Reads drawn pages, so that the first real one takes no longer than the others.

    Args:
        reader: what is to be warmed.
        batches: single lines of the commonest widths to be read, each `side_by_side` times; 0 does nothing.
        side_by_side: lines that are read in the same moment: each thread that reads them keeps its own of what a shape needs.
    """
    if not batches:
        return
    with ThreadPoolExecutor(side_by_side, "shizi-warm") as pool:
        for _ in pool.map(_task(reader, ReadOptions()), _pages()):
            pass
        lines = (line for line in _lines(batches) for _ in range(side_by_side))
        for _ in pool.map(_task(reader, ReadOptions(detect=False, classify=False)), lines):
            pass


def _task(reader: PageReader, options: ReadOptions) -> Callable[[NDArray[np.uint8]], None]:
    def read(pixels: NDArray[np.uint8]) -> None:
        reader.read_page(PageImage(1, pixels, pixels.shape[1], pixels.shape[0]), options)

    return read


def _lines(count: int) -> Iterator[NDArray[np.uint8]]:
    for width in islice(cycle(_WIDTHS), count):
        line = np.full((_LINE_HEIGHT, width, 3), 255, dtype=np.uint8)
        cv2.putText(line, _WORD * 2, (4, 34), _FONT, 0.9, (0, 0, 0), 2, cv2.LINE_AA)
        yield line


def _pages() -> Iterator[NDArray[np.uint8]]:
    """Lines and columns of words of many lengths, so that batches of several lines come up too."""
    for height, width in _PAGES:
        page = np.full((height, width, 3), 255, dtype=np.uint8)
        for row, top in enumerate(range(60, height - 30, 60)):
            columns = 1 + row % 3
            for column in range(columns):
                letters = max((width // columns - 80) // 20 - 5 * (row % 4), 2)
                place = (40 + column * width // columns, top)
                cv2.putText(page, (_WORD * 3)[row : row + letters], place, _FONT, 0.8, (0, 0, 0), 2, cv2.LINE_AA)
        yield page
