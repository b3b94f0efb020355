"""Long pages in parts: a chat screenshot or a strip of tape would lose its text if it were shrunk as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quads, min_area_quad

# A page up to this much longer than wide is seen as a whole; a tile is as long as an A4 page is against its width.
_MAX_ASPECT, _TILE_ASPECT = 3.0, 1.4142
_OVERLAP = 0.2
# Pixels of the page within which a box touches the edge of its tile.
_TOUCH = 4.0


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
    count = -(-(long - length) // round(length * (1 - _OVERLAP))) + 1
    starts = np.linspace(0, long - length, count).round().astype(int)
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
        seam = (tile.start + before.end) / 2
        joined: set[int] = set()
        kept: list[int] = []
        for index, quad in enumerate(quads):
            low, high = quad[:, axis].min(), quad[:, axis].max()
            cut = high >= before.end - _TOUCH
            mates = [k for k in range(len(later)) if cut and _continues(quad, later[k], tile.start, axis)]
            if mates:
                joined.update(mates)
                quads[index] = min_area_quad(np.concatenate([quad, *later[mates]]))
                scores[index] = min(scores[index], *later_scores[mates])
            if mates or (low + high) / 2 < seam:
                kept.append(index)
        middles = (later[:, :, axis].min(axis=1) + later[:, :, axis].max(axis=1)) / 2 if len(later) else np.zeros(0)
        new = [k for k in range(len(later)) if k not in joined and middles[k] >= seam]
        quads = [quads[k] for k in kept] + [later[k] for k in new]
        scores = [scores[k] for k in kept] + [later_scores[k] for k in new]
    return np.array(quads, dtype=np.float32).reshape(-1, 4, 2), np.array(scores, dtype=np.float32)


def _continues(quad: NDArray[np.float32], other: NDArray[np.float32], start: int, axis: int) -> bool:
    """Does `other`, cut off at the start of its tile, lie in line with `quad`?"""
    if other[:, axis].min() > start + _TOUCH:
        return False
    across = 1 - axis
    shared = min(quad[:, across].max(), other[:, across].max()) - max(quad[:, across].min(), other[:, across].min())
    thinner = min(np.ptp(quad[:, across]), np.ptp(other[:, across]))
    return bool(shared > 0.5 * thinner)
