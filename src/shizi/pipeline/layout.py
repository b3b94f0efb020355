"""From lines to text: reading order on pages of one or many columns, and what stands in one row."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import chain, islice, takewhile
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quads, angles, bounds, sizes, turn_page

Indices = NDArray[np.intp]
Boxes = NDArray[np.float32]  # (N, 4): left, top, right, bottom, upright and deskewed
_Span = tuple[float, float, int]  # where a line begins, where it ends, its index

# What makes a gutter between columns of running text, and not between the cells of a form: the lines on both sides are many, long
# against their height, and fill their column.
_MIN_LINES, _MIN_ASPECT, _MIN_FILL, _MAX_CROSSING = 4, 6.0, 0.5, 0.25
# Candidates for a gutter that are looked at closely.
_TRIES = 32
# A line pokes over a gutter by less than this share of its height; one that reaches further crosses it.
_POKE = 0.5
# A line between others that covers less than this share of a column is an island (a caption), and does not part the columns.
_SPAN = 0.3
# Beside a column of so many long lines, anything whose lines stand at other heights is a column too (the bar beside a report).
_LONG_LINES, _MAX_ALIGNED = 8, 0.6


def reading_rows(
    quads: Quads, quarters: int, width: float, height: float, vertical: bool, aside: NDArray[np.bool_] | None = None
) -> list[list[int]]:
    """Indices of lines in reading order, those of one row together.

    Args:
        quads: lines on the original page, (N, 4, 2).
        quarters: clockwise quarter-turns by which the page's content is turned.
        width: of the original page.
        height: of the original page.
        vertical: the text runs from top to bottom, columns from right to left.
        aside: lines that run across the page's direction, such as a stamp in the margin; they come last, for in a row they
            would stand in the middle of a sentence. None for none.
    """
    if not len(quads):
        return []
    # Columns from right to left become rows from top to bottom on a page turned counter-clockwise.
    turns = -quarters - (1 if vertical else 0)
    upright = turn_page(quads, turns, width, height)
    boxes = bounds(_deskew(upright))
    if aside is None:
        aside = np.zeros(len(quads), dtype=np.bool_)
    rows = [*_split(boxes, np.flatnonzero(~aside)), *_rows(boxes, np.flatnonzero(aside))]
    return [row.tolist() for row in rows]


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
    part = boxes[lines]
    gutter = _gutter(part)
    if gutter is None:
        return _rows(boxes, lines)
    left, right, crossing = (side[:, 0] for side in _sides(part, np.array([gutter], dtype=np.float32)))
    spanning = _spans(part, gutter, float(np.median(part[left, 0])), float(np.median(part[right, 2])))
    bars = crossing & (spanning | ~_beside(part, part[~crossing]))
    islands = crossing & ~bars
    centres = (part[:, 1] + part[:, 3]) / 2
    ordered: list[Indices] = []
    # A line between bar k - 1 and bar k is in band k; a bar closes its own band.
    edges = np.sort(centres[bars])
    band = np.searchsorted(edges, centres)
    for index in range(len(edges) + 1):
        inside = band == index
        for side in (left, right):
            members = lines[inside & side]
            if len(members):
                ordered.extend(_split(boxes, members))
        for others in (islands, bars):
            ordered.extend(_rows(boxes, lines[inside & others]))
    return ordered


def _sides(boxes: Boxes, gutters: NDArray[np.float32]) -> tuple[NDArray[np.bool_], ...]:
    """Which lines stand to the left of each gutter, to the right, and across it: three (N, G)."""
    poke = _POKE * (boxes[:, 3] - boxes[:, 1])
    middles = (boxes[:, 0] + boxes[:, 2]) / 2
    crossing = ((boxes[:, 0] + poke)[:, None] < gutters) & ((boxes[:, 2] - poke)[:, None] > gutters)
    left = ~crossing & (middles[:, None] < gutters)
    return left, ~crossing & ~left, crossing


def _spans(boxes: Boxes, gutter: float, left: float, right: float) -> NDArray[np.bool_]:
    """Lines that reach far into the columns on both sides, which begin at `left` and end at `right`: headings, not captions."""
    far_left, far_right = _SPAN * (gutter - left), _SPAN * (right - gutter)
    spans: NDArray[np.bool_] = np.logical_and(gutter - boxes[:, 0] > far_left, boxes[:, 2] - gutter > far_right)
    return spans


def _beside(boxes: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Which lines have one of the others at their height."""
    shared = np.minimum(boxes[:, 3, None], others[:, 3]) - np.maximum(boxes[:, 1, None], others[:, 1])
    beside: NDArray[np.bool_] = np.any(shared > 0.2 * (boxes[:, 3] - boxes[:, 1])[:, None], axis=1)
    return beside


def _gutter(boxes: Boxes) -> float | None:
    """The x of the best gutter between two columns of running text; None where there is none.

    The best has the most text on its poorer side and the least across it; of several nearly as good, those with the least across
    them, and of these the leftmost: the left edge of a column is straight, and what stands before it (numbers, bullets)
    belongs to it.
    """
    if len(boxes) < 2 * _MIN_LINES:
        return None
    widths = boxes[:, 2] - boxes[:, 0]
    edges = np.unique(np.concatenate([boxes[:, 0], boxes[:, 2]]))
    middles = (edges[1:] + edges[:-1]) / 2
    on_left, on_right, crossing = _sides(boxes, middles)
    across = widths @ crossing
    worth = np.minimum(widths @ on_left, widths @ on_right) - across
    candidates = np.flatnonzero((crossing.sum(axis=0) <= _MAX_CROSSING * len(boxes)) & (worth > 0))
    good: list[int] = []
    for index in candidates[np.argsort(-worth[candidates])][:_TRIES].tolist():
        if good and worth[index] < 0.9 * worth[good[0]]:
            break
        if _are_columns(boxes[on_left[:, index]], boxes[on_right[:, index]]):
            good.append(index)
    return float(min((across[index], middles[index]) for index in good)[1]) if good else None


def _are_columns(left: Boxes, right: Boxes) -> bool:
    """Two columns of running text, or one and something beside it that does not stand in rows with it, as the cells of a form do."""
    columns = [side for side in (left, right) if _is_column(side)]
    if len(columns) == 2:
        return True
    if not columns or min(len(left), len(right)) < _MIN_LINES:
        return False
    widths, heights = columns[0][:, 2] - columns[0][:, 0], columns[0][:, 3] - columns[0][:, 1]
    return bool((widths >= _MIN_ASPECT * heights).sum() >= _LONG_LINES and _aligned(left, right) < _MAX_ALIGNED)


def _aligned(left: Boxes, right: Boxes) -> float:
    """Share of the lines of either side that stand at the height of one on the other side, of the side where it is more."""
    heights = np.minimum((left[:, 3] - left[:, 1])[:, None], right[:, 3] - right[:, 1])
    shift = abs((left[:, 1] + left[:, 3])[:, None] - (right[:, 1] + right[:, 3])) / 2
    near = shift < 0.2 * heights
    return float(max(near.any(axis=1).mean(), near.any(axis=0).mean()))


def _is_column(boxes: Boxes) -> bool:
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    long = widths[widths >= _MIN_ASPECT * heights]
    # By width, not by count: line numbers and bullets beside the text are many but narrow.
    if len(long) < _MIN_LINES or long.sum() < 0.7 * widths.sum():
        return False
    # Their ninth decile; `np.quantile` takes as long as all the rest of this.
    width = np.interp(0.9 * (len(long) - 1), np.arange(len(long)), np.sort(long))
    return bool(2 * np.count_nonzero(long >= _MIN_FILL * width) >= len(long))


def _rows(boxes: Boxes, lines: Indices) -> list[Indices]:
    """Groups lines whose middles stand at the same height, from top to bottom, each group from left to right."""
    # Numbers of Python: a page has hundreds of lines, and for one of them a call of numpy takes longer than all the rest.
    order = lines[np.argsort(boxes[lines, 1] + boxes[lines, 3], kind="stable")]
    rows: list[list[_Span]] = []
    middle, reach = 0.0, 0.0
    for line, (left, top, right, bottom) in zip(order.tolist(), boxes[order].tolist(), strict=True):
        centre, size = (top + bottom) / 2, bottom - top
        if rows and abs(centre - middle) < 0.5 * min(reach, size) and not _overlaps(left, right, rows[-1]):
            insort(rows[-1], (left, right, line))
        else:
            rows.append([(left, right, line)])
            middle, reach = centre, size
    return [np.array([line for _, _, line in row], dtype=np.intp) for row in rows]


def _overlaps(left: float, right: float, row: list[_Span]) -> bool:
    """Does a line stand above or below one of a row rather than beside it?

    Only its neighbours are looked at: lines that stand beside each other end in the order in which they begin.
    """
    at = bisect_left(row, left, key=itemgetter(0))
    before = takewhile(lambda span: span[1] > left, (row[index] for index in range(at - 1, -1, -1)))
    after = takewhile(lambda span: span[0] < right, islice(row, at, None))
    return any(
        min(right, end) - max(left, start) > 0.5 * min(right - left, end - start)
        for start, end, _ in chain(before, after)
    )
