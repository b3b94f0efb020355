"""The pages of an original, decoded again to be shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from shizi.export.base import Original
from shizi.imaging.decode import PageImage, is_pdf, open_pages


def original_pages(original: Original, numbers: Collection[int]) -> Iterator[PageImage]:
    """Pages of these numbers, in the order of the file.

    Raises:
        ShiziError: as `open_pages`.
    """
    if original.apart or not is_pdf(original.data):
        return open_pages(original.data, limits=original.limits, pages=numbers, password=original.password)
    return _pdf_pages(original, numbers)


def _pdf_pages(original: Original, numbers: Collection[int]) -> Iterator[PageImage]:
    """In this process, which is to start no other one."""
    from shizi.imaging.sandbox_decode import Pixels, Task
    from shizi.imaging.sandbox_pdf import pdf_pages

    blocks: list[Pixels] = []

    def room(height: int, width: int, _memory: int) -> Pixels:
        blocks.append(np.empty((height, width, 3), np.uint8))
        return blocks[-1]

    task = Task(original.limits, sorted(numbers), original.password, "ignore")
    for page in pdf_pages(original.data, task, room):
        yield PageImage(page["number"], blocks.pop(), page["width"], page["height"], None, tuple(page["warnings"]))
