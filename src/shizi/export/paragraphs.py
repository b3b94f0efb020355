"""Lines of a page put together to paragraphs, by geometry alone.

Everything is decided in the upright frame: the page turned back by its angle, y downwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from shizi.types import Line, Page, Polygon

MOST_HEIGHT_RATIO = 1.4
MOST_GAP = 0.9  # heights of a line, between two lines of a paragraph
LEAST_OVERLAP = 0.3  # of the shorter line
MOST_TURN = 8.0  # degrees


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box."""

    left: float
    top: float
    right: float
    bottom: float


def bounds(polygon: Polygon) -> Box:
    """The box around a polygon."""
    xs, ys = zip(*polygon, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))


def upright(polygon: Polygon, page: Page) -> Box:
    """The box around a polygon in the upright frame."""
    if page.angle == 90:
        polygon = tuple((y, page.width - x) for x, y in polygon)
    elif page.angle == 180:
        polygon = tuple((page.width - x, page.height - y) for x, y in polygon)
    elif page.angle == 270:
        polygon = tuple((page.height - y, x) for x, y in polygon)
    return bounds(polygon)


def text_height(line: Line) -> float:
    """Height of the characters in pixels, whatever way the line lies."""
    top_left, top_right, bottom_right, bottom_left = line.polygon
    if line.vertical:
        return (math.dist(top_left, top_right) + math.dist(bottom_left, bottom_right)) / 2
    return (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2


def paragraphs(page: Page) -> Iterator[tuple[Line, ...]]:
    """The lines of a page in reading order, in groups that belong together."""
    group: list[Line] = []
    for line in page.lines:
        if group and not _continues(group[-1], line, page):
            yield tuple(group)
            group = []
        group.append(line)
    if group:
        yield tuple(group)


def same_row(before: Line, after: Line, page: Page) -> bool:
    """Whether a line stands to the right of another, at the same height, as the cells of a form do."""
    one, other = upright(before.polygon, page), upright(after.polygon, page)
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    least = min(one.bottom - one.top, other.bottom - other.top)
    return not (before.vertical or after.vertical) and shared > 0.6 * least and other.left >= one.right - 0.5 * least


def _continues(before: Line, after: Line, page: Page) -> bool:
    heights = sorted((text_height(before), text_height(after)))
    turn = abs((before.angle - after.angle + 180) % 360 - 180)
    if before.vertical != after.vertical or turn > MOST_TURN or heights[1] > MOST_HEIGHT_RATIO * heights[0]:
        return False
    if same_row(before, after, page):
        return True
    one, other = upright(before.polygon, page), upright(after.polygon, page)
    if before.vertical:  # columns follow from right to left
        gap = one.left - other.right
        shared, least = min(one.bottom, other.bottom) - max(one.top, other.top), min(_tall(one), _tall(other))
    else:
        gap = other.top - one.bottom
        shared, least = min(one.right, other.right) - max(one.left, other.left), min(_wide(one), _wide(other))
    return -0.5 * heights[0] <= gap <= MOST_GAP * heights[1] and shared >= LEAST_OVERLAP * least


def _tall(box: Box) -> float:
    return box.bottom - box.top


def _wide(box: Box) -> float:
    return box.right - box.left
