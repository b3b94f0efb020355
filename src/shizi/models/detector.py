"""Finding text: page pixels to quadrilaterals of lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quads, sizes
from shizi.imaging.crop import Pixels
from shizi.models.dbnet import Thresholds, find_boxes
from shizi.models.tiles import Tile, stitch, strips, strips_for, tiles
from shizi.runtime.base import Batch, Session

_STRIDE = 32
_MAX_PIXELS = 1216 * 864
# Small print: where a quarter of the boxes are lower than this many pixels as the network sees them, it looks again, at strips of the
# page in which they should be so high, but at no more than so many, and only where they are seen so much larger.
_SMALL_PRINT, _LEGIBLE, _MOST_STRIPS, _WORTH_IT = 12.5, 18.0, 6, 1.25


@dataclass(frozen=True, slots=True)
class Detection:
    """Lines found on one page: quadrilaterals in its pixels (N, 4, 2) and their scores (N,)."""

    quads: Quads
    scores: NDArray[np.float32]


class Detector:
    """A DBNet behind a session that takes pixels (`SessionOptions.pixels`)."""

    def __init__(self, session: Session, *, side: int = 1312, thresholds: Thresholds | None = None) -> None:
        self._session = session
        self._side = side
        self._thresholds = thresholds or Thresholds()

    def __call__(self, pixels: Pixels) -> Detection:
        """Finds the lines of one page, (H, W, 3) RGB uint8; a very long one, or one of small print, is looked at in parts."""
        height, width = pixels.shape[:2]
        axis = 0 if width > height else 1
        places = tiles(width, height, self._side)
        quads, scores = self._find_in(pixels, places, axis, self._side)
        if len(places) == 1 and len(quads) < self._thresholds.max_boxes:
            # Seams along the lines cut fewer of them.
            widths, heights = sizes(quads)
            axis = 1 if widths.sum() >= heights.sum() else 0
            count = _strips_needed(width, height, self._side, np.minimum(widths, heights))
            if count > 1:
                places = strips(pixels.shape[1 - axis], count)
                quads, scores = self._find_in(pixels, places, axis, max(width, height))
        return Detection(_inside(quads, width, height), scores)

    def _find_in(
        self, pixels: Pixels, places: Sequence[Tile], axis: int, side: int
    ) -> tuple[Quads, NDArray[np.float32]]:
        """Boxes and scores of a page, looked at in parts along an axis (see `stitch`)."""
        parts = []
        for tile in places:
            part = pixels[:, tile.start : tile.end] if axis == 0 else pixels[tile.start : tile.end]
            quads, scores = self._find(part, side)
            offset = np.array([tile.start, 0] if axis == 0 else [0, tile.start], dtype=np.float32)
            parts.append((quads + offset, scores))
        return stitch(parts, places, axis)

    def _find(self, pixels: Pixels, side: int) -> tuple[Quads, NDArray[np.float32]]:
        """Boxes and scores of a part of a page, in its own pixels."""
        height, width = pixels.shape[:2]
        inner_width, inner_height = input_size(width, height, side)
        resized, (seen_width, seen_height) = _shrink(pixels, inner_width, inner_height)

        def boxes(output: Batch) -> tuple[Quads, NDArray[np.float32]]:
            return find_boxes(output[0, 0], self._thresholds)

        quads, scores = self._session.run(resized[None], boxes)
        return quads * np.array([seen_width / inner_width, seen_height / inner_height], dtype=np.float32), scores


def input_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height of the detector's input: multiples of 32, never enlarged.

    The longer side is at most `side` and the area at most that of an A4 page whose longer side is 1216: its memory grows by
    250 MB for a million pixels.
    """
    scale = min(1.0, side / max(width, height), (_MAX_PIXELS / (width * height)) ** 0.5)
    inner_width, inner_height = (max(_STRIDE, round(length * scale / _STRIDE) * _STRIDE) for length in (width, height))
    return inner_width, inner_height


def _strips_needed(width: int, height: int, side: int, heights: NDArray[np.float32]) -> int:
    """In how many strips a page is to be looked at again, by the heights of the boxes found on it; 1 where it was seen well."""
    inner_width, inner_height = input_size(width, height, side)
    scale = ((inner_width * inner_height) / (width * height)) ** 0.5
    seen = scale * float(np.percentile(heights, 25)) if len(heights) else math.inf
    if seen >= _SMALL_PRINT or _WORTH_IT * scale > 1:
        return 1
    wanted = min(1.0, scale * _LEGIBLE / seen) ** 2 * width * height / _MAX_PIXELS
    return min(strips_for(wanted), _MOST_STRIPS)


def _inside(quads: Quads, width: int, height: int) -> Quads:
    """Boxes clipped to the page; upright ones stay rectangles, slanted ones lose only the corners that stand outside."""
    return np.clip(quads, 0, [width, height]).astype(np.float32)


def _shrink(pixels: Pixels, width: int, height: int) -> tuple[Pixels, tuple[int, int]]:
    """Resizes to (height, width, 3), and says how much (width, height) of the page that shows: all but a pixel or two.

    Averaging by a whole factor and then linearly takes a fifth of the time of averaging by any factor, but only where the factor
    divides the sides: what is left over at the right and at the bottom is dropped.
    """
    factor = min(pixels.shape[0] // height, pixels.shape[1] // width)
    if factor > 1:
        whole = (pixels.shape[1] // factor, pixels.shape[0] // factor)
        pixels = pixels[: whole[1] * factor, : whole[0] * factor]
        seen = (pixels.shape[1], pixels.shape[0])
        pixels = np.asarray(cv2.resize(pixels, whole, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    else:
        seen = (pixels.shape[1], pixels.shape[0])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8), seen
