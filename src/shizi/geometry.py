"""Pure functions on quadrilaterals: float32 arrays of shape (N, 4, 2), pixels, clockwise from the text's top-left corner."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.types import Polygon

Quads = NDArray[np.float32]  # (N, 4, 2)
Quad = NDArray[np.float32]  # (4, 2)


def as_polygons(quads: Quads) -> list[Polygon]:
    """Each quadrilateral as a tuple of points."""
    return [tuple(map(tuple, quad)) for quad in quads.tolist()]


def sizes(quads: Quads) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Width along the first edge and height along the second, each the mean of its two opposite edges: two (N,) arrays."""
    edges = np.linalg.norm(quads[:, [1, 2, 3, 0]] - quads, axis=2)
    return (edges[:, 0] + edges[:, 2]) / 2, (edges[:, 1] + edges[:, 3]) / 2


def angles(quads: Quads) -> NDArray[np.float32]:
    """Degrees clockwise in [0, 360) by which the text's direction (the first edge) is turned from the x axis: (N,)."""
    top = quads[:, 1] - quads[:, 0] + quads[:, 2] - quads[:, 3]
    degrees = np.degrees(np.arctan2(top[:, 1], top[:, 0])) % 360
    return np.where(degrees >= 359.995, 0.0, degrees).astype(np.float32)


def bounds(quads: Quads) -> NDArray[np.float32]:
    """Upright boxes (left, top, right, bottom): (N, 4)."""
    return np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)


def start_at_top_left(quads: Quads) -> Quads:
    """Rotates each clockwise quadrilateral so that its first edge is the upper one of the two that run most to the right.

    For text that is turned by less than 45° this makes the first corner the text's own top-left corner.
    """
    following = np.roll(quads, -1, axis=1) - quads  # edge k runs from corner k to k + 1
    direction = following[:, :, 0] / np.maximum(np.linalg.norm(following, axis=2), 1e-6)
    first = direction.argmax(axis=1)
    return np.take_along_axis(quads, ((first[:, None] + np.arange(4)) % 4)[:, :, None], axis=1)


def clockwise(quads: Quads) -> Quads:
    """Reverses those that run counter-clockwise (on a screen: y downwards)."""
    x, y = quads[:, :, 0], quads[:, :, 1]
    area = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
    return np.where((area < 0)[:, None, None], quads[:, ::-1], quads).astype(np.float32)


def turn_corners(quads: Quads, quarters: int | NDArray[np.intp]) -> Quads:
    """Renames the corners so that the text is read `quarters` quarter-turns further clockwise; the area stays where it is.

    Args:
        quads: (N, 4, 2).
        quarters: the same for all, or of each, (N,).
    """
    order = (np.reshape(quarters, (-1, 1)) + np.arange(4)) % 4
    turned: Quads = quads[np.arange(len(quads))[:, None], order]
    return turned


def turn_page(quads: Quads, quarters: int, width: float, height: float) -> Quads:
    """Where points of a (width, height) page lie after it was turned clockwise by `quarters` quarter-turns."""
    turned = quads.astype(np.float32, copy=True)
    for _ in range(quarters % 4):
        turned = np.stack([height - turned[..., 1], turned[..., 0]], axis=-1)
        width, height = height, width
    return turned


def expand(quads: Quads, distance: NDArray[np.float32]) -> Quads:
    """Moves all four edges of rectangles outwards by `distance` pixels ((N,)): the offset of a rotated rectangle."""
    along = quads[:, 1] - quads[:, 0]
    down = quads[:, 3] - quads[:, 0]
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6) * distance[:, None]
    down = down / np.maximum(np.linalg.norm(down, axis=1, keepdims=True), 1e-6) * distance[:, None]
    shift = np.stack([-along - down, along - down, along + down, down - along], axis=1)
    return quads + shift.astype(np.float32)


def slices(quads: Quads, starts: NDArray[np.float32], ends: NDArray[np.float32]) -> Quads:
    """Parts of quadrilaterals between fractions 0..1 of their widths.

    Args:
        quads: each part's own, (K, 4, 2), or one for all, (1, 4, 2).
        starts: (K,).
        ends: (K,).
    """
    top, bottom = quads[:, 1] - quads[:, 0], quads[:, 2] - quads[:, 3]
    corners = [quads[:, 0] + starts[:, None] * top, quads[:, 0] + ends[:, None] * top]
    corners += [quads[:, 3] + ends[:, None] * bottom, quads[:, 3] + starts[:, None] * bottom]
    return np.stack(corners, axis=1).astype(np.float32)


def from_top_left(quads: Quads) -> Quads:
    """Corners of rectangles in any order of turning, clockwise from the top-left one."""
    return start_at_top_left(clockwise(quads))


def min_area_quad(points: NDArray[np.int32] | NDArray[np.float32]) -> Quad:
    """Corners of the smallest rotated rectangle around points: (4, 2), clockwise from its top-left corner."""
    corners: Quad = from_top_left(np.asarray(cv2.boxPoints(cv2.minAreaRect(points)), dtype=np.float32)[None])[0]
    return corners
