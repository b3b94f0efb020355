"""Pages made smaller for a quick reading, and what was read brought back to the size of the page."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from shizi.imaging.pages import TextLayer
from shizi.imaging.shared import Block, SharedPixels, new_name
from shizi.types import Page, Polygon, Word

if TYPE_CHECKING:
    from shizi.imaging.sandbox import SharedPage

_WRITE: Final = 2**24

Scale = tuple[float, float]


def reduced(page: SharedPage, longest_side: int) -> tuple[SharedPage, Block | None]:
    """A page of no more than so many pixels a side, and the shared memory that it is in, to be released by the caller.

    A page that is small enough, or has no pixels, comes back as it is, without memory of its own.

    Raises:
        OutOfMemory: there is no shared memory left.
    """
    side = max(page.width, page.height)
    if page.pixels is None or side <= longest_side:
        return page, None
    width, height = (max(1, round(length * longest_side / side)) for length in (page.width, page.height))
    block = Block(SharedPixels(new_name(), height, width), lambda _: None)
    try:
        with page.pixels.array() as pixels:
            small = np.ascontiguousarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
        _fill(block.descriptor, small.data.cast("B"))
    except BaseException:
        block.release()
        raise
    scale = (width / page.width, height / page.height)
    layer = None if page.text_layer is None else _scaled_layer(page.text_layer, scale)
    return replace(page, pixels=block.pixels, width=width, height=height, text_layer=layer, _owner=None), block


def enlarged(page: Page, width: int, height: int) -> Page:
    """What was read from a reduced page, in the coordinates of the page of that size."""
    scale = (width / page.width, height / page.height)
    lines = tuple(
        replace(
            line,
            polygon=_scaled(line.polygon, scale),
            words=tuple(_scaled_word(word, scale) for word in line.words),
        )
        for line in page.lines
    )
    tables = tuple(
        replace(
            table,
            polygon=_scaled(table.polygon, scale),
            cells=tuple(replace(cell, polygon=_scaled(cell.polygon, scale)) for cell in table.cells),
        )
        for table in page.tables
    )
    fields = tuple(replace(field, polygon=_scaled(field.polygon, scale)) for field in page.fields)
    return replace(page, width=width, height=height, lines=lines, tables=tables, fields=fields)


def _fill(descriptor: int, data: memoryview) -> None:
    done = 0
    while done < len(data):
        done += os.pwrite(descriptor, data[done : done + _WRITE], done)


def _scaled_layer(layer: TextLayer, scale: Scale) -> TextLayer:
    lines = tuple(
        replace(
            line,
            polygon=_scaled(line.polygon, scale),
            words=tuple(_scaled_word(word, scale) for word in line.words),
        )
        for line in layer.lines
    )
    return replace(layer, lines=lines, image_boxes=tuple(_scaled(box, scale) for box in layer.image_boxes))


def _scaled_word(word: Word, scale: Scale) -> Word:
    return replace(word, polygon=_scaled(word.polygon, scale))


def _scaled(polygon: Polygon, scale: Scale) -> Polygon:
    return tuple((x * scale[0], y * scale[1]) for x, y in polygon)
