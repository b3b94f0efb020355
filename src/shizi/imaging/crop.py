"""Cutting lines of text out of the original pixels, upright and at the height that the recogniser reads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quad, Quads

Pixels = NDArray[np.uint8]  # (H, W, 3) RGB

# A line whose edges leave the axes by less than this share of its height is cut out without a warp.
_STRAIGHT = 0.06


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page, or all of it.

    Attributes:
        pixels: (H, W, 3) RGB.
        left: where on the page its first column is.
        top: where on the page its first row is.
    """

    pixels: Pixels
    left: int = 0
    top: int = 0


@dataclass(frozen=True, slots=True)
class Crop:
    """A line that is yet to be cut out: that is done where and when it is needed.

    Attributes:
        part: what the line is on.
        quad: the line on the page, the first corner at the top left of the text.
        width: pixels that the cut line shall have.
        height: likewise.
    """

    part: Part
    quad: Quad
    width: int
    height: int

    def cut(self) -> Pixels:
        """(height, width, 3) RGB, upright."""
        offset = np.array([self.part.left, self.part.top], dtype=np.float32)
        return crop_line(self.part.pixels, self.quad - offset, self.width, self.height)


def crop_line(pixels: Pixels, quad: Quad, width: int, height: int) -> Pixels:
    """The inside of a quadrilateral, upright and resized to (height, width, 3).

    Where the text is larger than asked for, the resize averages (INTER_AREA) after the warp: a warp alone samples four
    pixels per point and would skip strokes.
    """
    box = _straight_box(pixels, quad)
    if box is not None:
        left, top, right, bottom = box
        return _resize(pixels[top:bottom, left:right], width, height)
    across = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    down = max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))
    # Enlarging happens in the warp itself; shrinking happens after it.
    inner_width, inner_height = max(width, round(across)), max(height, round(down))
    corners = np.array([[0, 0], [inner_width, 0], [inner_width, inner_height], [0, inner_height]], dtype=np.float32)
    (around,) = surroundings(pixels, quad[None])  # OpenCV's warp refuses sources wider than 32,767 pixels
    offset = np.array([around.left, around.top], dtype=np.float32)
    # Corners lie between pixels, where OpenCV counts from the middle of the first one: without the half, a turned line is cut
    # out a pixel beside its place.
    matrix = cv2.getPerspectiveTransform((quad - offset - 0.5).astype(np.float32), corners - np.float32(0.5))
    size = (inner_width, inner_height)
    warped = cv2.warpPerspective(around.pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _resize(np.asarray(warped, dtype=np.uint8), width, height)


def _straight_box(pixels: Pixels, quad: Quad) -> tuple[int, int, int, int] | None:
    """The box of an upright quadrilateral, clipped to the page; None where a warp is needed."""
    # Numbers of Python: as eight numbers of numpy they take five times as long.
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad.tolist()
    slack = _STRAIGHT * (dy - ay)
    if slack <= 0 or bx <= ax or max(abs(ay - by), abs(dy - cy), abs(ax - dx), abs(bx - cx)) > slack:
        return None
    left, top = max(math.floor(min(ax, dx)), 0), max(math.floor(min(ay, by)), 0)
    right, bottom = min(math.ceil(max(cx, bx)), pixels.shape[1]), min(math.ceil(max(cy, dy)), pixels.shape[0])
    return (left, top, right, bottom) if right > left and bottom > top else None


def surroundings(pixels: Pixels, quads: Quads) -> list[Part]:
    """The parts of the page that lines, (N, 4, 2), are cut out of, in the memory of the page."""
    last = np.array([pixels.shape[1] - 1, pixels.shape[0] - 1])
    low = np.clip(np.floor(quads.min(axis=1)) - 2, 0, last).astype(int)
    high = np.clip(np.ceil(quads.max(axis=1)) + 3, low + 1, last + 1).astype(int)
    return [
        Part(pixels[top:bottom, left:right], left, top)
        for (left, top), (right, bottom) in zip(low.tolist(), high.tolist(), strict=True)
    ]


def _resize(region: Pixels, width: int, height: int) -> Pixels:
    shrinking = region.shape[0] > height
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(region, (width, height), interpolation=method), dtype=np.uint8)
