"""Pages in parts: a chat screenshot, a strip of tape or a page of small print would lose its text if it were shrunk as a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quad, Quads, min_area_quad

# A page up to this much longer than wide is seen as a whole; a tile is as long as an A4 page is against its width.
_MAX_ASPECT, _TILE_ASPECT = 3.0, 1.4142
_OVERLAP = 0.2
# Pixels of the page within which a box touches the edge of its tile, and the share of what both tiles see of a box that must agree.
_TOUCH, _SHARED = 4.0, 0.5


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a page: the pixels from `start` up to `end` along its longer side, and all of the shorter one."""

    start: int
    end: int


def tiles(width: int, height: int, side: int) -> list[Tile]:
    """Overlapping parts along the longer side, of equal length; one for a page of ordinary proportions.

    Args:
        width: of the page.
        height: of the page.
        side: up to which a page is not shrunk; no tile is shorter.
    """
    long, short = max(width, height), min(width, height)
    length = max(side, round(_TILE_ASPECT * short))
    if long <= _MAX_ASPECT * short or long <= length:
        return [Tile(0, long)]
    return _spread(long, length, -(-(long - length) // round(length * (1 - _OVERLAP))) + 1)


def strips(length: int, count: int) -> list[Tile]:
    """Overlapping parts of a side of so many pixels, so many of them and of equal length."""
    return _spread(length, math.ceil(length / (count - (count - 1) * _OVERLAP)), count)


def strips_for(times: float) -> int:
    """How many strips of one area cover, with what they overlap, so many times that area; at least two."""
    return max(2, math.ceil((times - _OVERLAP) / (1 - _OVERLAP)))


def _spread(whole: int, length: int, count: int) -> list[Tile]:
    starts = np.linspace(0, whole - length, count).round().astype(int)
    return [Tile(int(start), int(start) + length) for start in starts]


def stitch(
    parts: Sequence[tuple[Quads, NDArray[np.float32]]], places: Sequence[Tile], axis: int
) -> tuple[Quads, NDArray[np.float32]]:
    """The boxes of all tiles on one page: what two tiles saw comes once, what a seam cut is put together.

    Args:
        parts: boxes in pixels of the page and their scores, tile by tile.
        places: the tiles.
        axis: 0 where they lie beside each other, 1 where they lie below each other.
    """
    quads, scores = list(parts[0][0]), list(parts[0][1])
    for (later, later_scores), before, tile in zip(parts[1:], places, places[1:], strict=False):
        seen = Tile(tile.start, before.end)
        # Rests of lines at the edges of tiles go first: the other tile sees all of them, and they look like their neighbours.
        whole = [_whole(quad, seen, seen.end, axis) for quad in quads]
        quads, scores = list(compress(quads, whole)), list(compress(scores, whole))
        later_whole = [_whole(quad, seen, seen.start, axis) for quad in later]
        later, later_scores = later[later_whole], later_scores[later_whole]
        kept: list[int] = []
        owner: dict[int, int] = {}  # which of the kept boxes a later one became part of
        lows, highs = later.min(axis=1), later.max(axis=1)
        for index, quad in enumerate(quads):
            if quad[:, axis].max() <= seen.start:  # it ends before the later tile begins
                kept.append(index)
                continue
            meeting = ((lows < quad.max(axis=0)) & (highs > quad.min(axis=0))).all(axis=1)
            mates = [k for k in np.flatnonzero(meeting).tolist() if _same(quad, later[k], seen, axis)]
            # Words that one tile parted and the next did not all become part of the first of them.
            into = next((owner[k] for k in mates if k in owner), index)
            if into == index:
                kept.append(index)
            for k in mates:
                owner[k] = into
                scores[into] = max(scores[into], later_scores[k])
            for part in [quad, *later[mates]] if mates else []:
                quads[into] = _union(quads[into], part, axis)
        new = [k for k in range(len(later)) if k not in owner]
        quads = [quads[k] for k in kept] + [later[k] for k in new]
        scores = [scores[k] for k in kept] + [later_scores[k] for k in new]
    return np.array(quads, dtype=np.float32).reshape(-1, 4, 2), np.array(scores, dtype=np.float32)


def _whole(quad: Quad, seen: Tile, edge: int, axis: int) -> bool:
    """Is a box that one of two tiles saw more than a rest of a line at the edge of that tile?"""
    low, high = quad[:, axis].min(), quad[:, axis].max()
    beyond = low < seen.start - _TOUCH if edge == seen.end else high > seen.end + _TOUCH
    return bool(beyond or not low - _TOUCH <= edge <= high + _TOUCH)


def _same(quad: Quad, other: Quad, seen: Tile, axis: int) -> bool:
    """Are a box of one tile and one of the next, which meet, the same line?

    Of lines along the axis, which a seam may cut, what both tiles see is compared. Lines across it are whole; their neighbours may
    reach into them by a pixel or two, or stand in the wide margin of a headline's box.
    """
    lows, highs = np.minimum(quad.min(axis=0), other.min(axis=0)), np.maximum(quad.max(axis=0), other.max(axis=0))
    shared = np.ptp(quad, axis=0) + np.ptp(other, axis=0) - (highs - lows)
    along = [np.ptp(box[:, axis]) >= np.ptp(box[:, 1 - axis]) for box in (quad, other)]
    if not any(along) and shared[axis] <= _SHARED * max(np.ptp(box[:, axis]) for box in (quad, other)):
        return False
    far = 1e6
    band = np.array([[seen.start, -far], [seen.end, -far], [seen.end, far], [seen.start, far]], dtype=np.float32)
    band = band if axis == 0 else band[:, ::-1]
    areas = [
        cv2.intersectConvexConvex(box, band)[0] if is_along else cv2.contourArea(box)
        for box, is_along in zip((quad, other), along, strict=True)
    ]
    return bool(cv2.intersectConvexConvex(quad, other)[0] > _SHARED * max(min(areas), 1.0))


def _union(quad: Quad, other: Quad, axis: int) -> Quad:
    """The longer of two boxes where it covers the other, else a box around both."""
    shorter, longer = sorted((quad, other), key=lambda box: float(np.ptp(box[:, axis])))
    before, after = shorter[:, axis].min() - longer[:, axis].min(), longer[:, axis].max() - shorter[:, axis].max()
    return longer if min(before, after) >= -_TOUCH else min_area_quad(np.concatenate([quad, other]))
