"""Lines are put together to paragraphs in the upright frame."""

from __future__ import annotations

import pytest

from shizi.export.paragraphs import paragraphs, same_row, text_height, upright
from shizi.types import Line, Page, Point, Polygon

WIDTH, HEIGHT = 600, 800


def box(x: float, y: float, width: float, height: float) -> Polygon:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def turned(polygon: Polygon, angle: int) -> Polygon:
    def move(point: Point) -> Point:
        x, y = point
        return {0: (x, y), 90: (HEIGHT - y, x), 180: (WIDTH - x, HEIGHT - y), 270: (y, WIDTH - x)}[angle]

    return tuple(move(point) for point in polygon)


def page(angle: int, *lines: Line) -> Page:
    size = (HEIGHT, WIDTH) if angle in (90, 270) else (WIDTH, HEIGHT)
    moved = tuple(
        Line(line.text, line.score, turned(line.polygon, angle), (line.angle + angle) % 360, vertical=line.vertical)
        for line in lines
    )
    return Page(1, *size, angle, moved)


def groups(value: Page) -> list[str]:
    return [" ".join(line.text for line in group) for group in paragraphs(value)]


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_lines_close_together_are_one_paragraph_on_a_page_turned_any_way(angle: int) -> None:
    lines = [
        Line("title", 1, box(50, 20, 300, 60)),
        Line("one", 1, box(50, 100, 400, 20)),
        Line("two", 1, box(50, 126, 300, 20)),
        Line("far", 1, box(50, 220, 300, 20)),
        Line("column", 1, box(460, 222, 100, 20)),
    ]
    assert groups(page(angle, *lines)) == ["title", "one two", "far column"]


def test_upright_undoes_the_angle() -> None:
    for angle in (0, 90, 180, 270):
        value = page(angle, Line("a", 1, box(50, 20, 300, 60)))
        result = upright(value.lines[0].polygon, value)
        assert (result.left, result.top, result.right, result.bottom) == (50, 20, 350, 80)


def test_vertical_columns_follow_from_right_to_left() -> None:
    lines = [Line(text, 1, box(x, 50, 30, 400), vertical=True) for text, x in (("右", 500), ("中", 460), ("左", 300))]
    assert groups(page(0, *lines)) == ["右 中", "左"]
    assert text_height(lines[0]) == 30


def test_lines_of_other_slant_or_side_do_not_join() -> None:
    lines = [
        Line("flat", 1, box(50, 100, 300, 20)),
        Line("slanted", 1, box(50, 125, 300, 20), angle=30.0),
        Line("beside", 1, box(400, 150, 100, 20), angle=30.0),
    ]
    assert groups(page(0, *lines)) == ["flat", "slanted", "beside"]


def test_a_row_is_told_from_a_column() -> None:
    value = page(0, Line("a", 1, box(50, 100, 100, 20)), Line("b", 1, box(300, 104, 100, 20)))
    left, right = value.lines
    assert same_row(left, right, value)
    assert not same_row(right, left, value)
