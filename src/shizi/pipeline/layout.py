"""From lines to text: reading order on pages of one or many columns, and what stands in one row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quads, angles, bounds, sizes, turn_page

Indices = NDArray[np.intp]
Boxes = NDArray[np.float32]  # (N, 4): left, top, right, bottom, upright and deskewed

# What makes a gutter between columns of running text, and not between the cells of a form: the lines on both sides are many, long
# against their height, and fill their column.
_MIN_LINES, _MIN_ASPECT, _MIN_FILL, _MAX_CROSSING = 4, 6.0, 0.5, 0.25
# Candidates for a gutter that are looked at closely.
_TRIES = 32


def reading_rows(quads: Quads, quarters: int, width: float, height: float, vertical: bool) -> list[list[int]]:
    """Indices of lines in reading order, those of one row together.

    Args:
        quads: lines on the original page, (N, 4, 2).
        quarters: clockwise quarter-turns by which the page's content is turned.
        width: of the original page.
        height: of the original page.
        vertical: the text runs from top to bottom, columns from right to left.
    """
    if not len(quads):
        return []
    # Columns from right to left become rows from top to bottom on a page turned counter-clockwise.
    turns = -quarters - (1 if vertical else 0)
    upright = turn_page(quads, turns, width, height)
    boxes = bounds(_deskew(upright))
    return [row.tolist() for row in _split(boxes, np.arange(len(quads)))]


def join(rows: Sequence[Sequence[str]]) -> str:
    """Text as a person would have typed it: a row a line, pieces of a row with a space between them."""
    return "\n".join(filter(None, (" ".join(filter(None, (piece.strip() for piece in row))) for row in rows)))


def _deskew(quads: Quads) -> Quads:
    """Turns slanted lines level around the origin, by their median slant (at most 45° either way)."""
    widths, heights = sizes(quads)
    long = widths > 2 * heights
    slants = (angles(quads[long] if long.any() else quads) + 45) % 90 - 45
    slant = np.radians(float(np.median(slants)))
    cos, sin = np.cos(slant), np.sin(slant)
    rotation = np.array([[cos, -sin], [sin, cos]], dtype=np.float32)
    return (quads @ rotation).astype(np.float32)


def _split(boxes: Boxes, lines: Indices) -> list[Indices]:
    """Rows of a region, its columns one after the other."""
    gutter = _gutter(boxes[lines])
    if gutter is None:
        return _rows(boxes, lines)
    part = boxes[lines]
    crossing = (part[:, 0] < gutter) & (part[:, 2] > gutter)
    centres = (part[:, 1] + part[:, 3]) / 2
    ordered: list[Indices] = []
    bars = np.sort(centres[crossing])
    band = np.searchsorted(bars, centres)  # a line between bar k - 1 and bar k is in band k; a bar closes its own band
    for index in range(len(bars) + 1):
        inside = band == index
        for side in ((part[:, 2] <= gutter), (part[:, 0] >= gutter)):
            members = lines[inside & side]
            if len(members):
                ordered.extend(_split(boxes, members))
        ordered.extend(_rows(boxes, lines[inside & crossing]))
    return ordered


def _gutter(boxes: Boxes) -> float | None:
    """The x of the best gutter between two columns of running text; None where there is none.

    The best has the most text on its poorer side and the least across it; of several as good, the leftmost: the left edge of a
    column is straight, and what stands before it (numbers, bullets) belongs to it.
    """
    if len(boxes) < 2 * _MIN_LINES:
        return None
    widths = boxes[:, 2] - boxes[:, 0]
    edges = np.unique(np.concatenate([boxes[:, 0], boxes[:, 2]]))
    middles = (edges[1:] + edges[:-1]) / 2
    on_left, on_right = boxes[:, 2, None] <= middles, boxes[:, 0, None] >= middles
    left, right = widths @ on_left, widths @ on_right
    worth = np.minimum(left, right) - (widths.sum() - left - right)
    crossing = (~on_left & ~on_right).sum(axis=0)
    candidates = np.flatnonzero((crossing <= _MAX_CROSSING * len(boxes)) & (worth > 0))
    best = candidates[np.argsort(-worth[candidates])][:_TRIES]
    fit = [index for index in best if _is_column(boxes[on_left[:, index]]) and _is_column(boxes[on_right[:, index]])]
    if not fit:
        return None
    return float(min(middles[index] for index in fit if worth[index] >= 0.9 * worth[fit[0]]))


def _is_column(boxes: Boxes) -> bool:
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    long = widths[widths >= _MIN_ASPECT * heights]
    # By width, not by count: line numbers and bullets beside the text are many but narrow.
    if len(long) < _MIN_LINES or long.sum() < 0.7 * widths.sum():
        return False
    return bool((long >= _MIN_FILL * np.quantile(long, 0.9)).mean() >= 0.5)


def _rows(boxes: Boxes, lines: Indices) -> list[Indices]:
    """Groups lines whose middles stand at the same height, from top to bottom, each group from left to right."""
    rows: list[list[int]] = []
    middle, reach = 0.0, 0.0
    for line in sorted(lines.tolist(), key=lambda k: float(boxes[k, 1] + boxes[k, 3])):
        centre, size = (boxes[line, 1] + boxes[line, 3]) / 2, boxes[line, 3] - boxes[line, 1]
        fits = rows and abs(centre - middle) < 0.5 * min(reach, size) and not _overlaps(boxes, line, rows[-1])
        if fits:
            rows[-1].append(line)
        else:
            rows.append([line])
            middle, reach = centre, size
    return [np.array(sorted(row, key=lambda k: float(boxes[k, 0])), dtype=np.intp) for row in rows]


def _overlaps(boxes: Boxes, line: int, row: list[int]) -> bool:
    """Does the line stand above or below one of the row rather than beside it?"""
    left, right = np.maximum(boxes[row, 0], boxes[line, 0]), np.minimum(boxes[row, 2], boxes[line, 2])
    narrower = np.minimum(boxes[row, 2] - boxes[row, 0], boxes[line, 2] - boxes[line, 0])
    return bool(((right - left) > 0.5 * narrower).any())
