"""Reading order: what a person reads first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.geometry import Quads, turn_page
from shizi.pipeline.layout import join, reading_rows

WIDTH, HEIGHT = 1000, 1400
Box = tuple[float, float, float, float]


def quads(boxes: Sequence[Box]) -> Quads:
    corners = [[(left, top), (right, top), (right, bottom), (left, bottom)] for left, top, right, bottom in boxes]
    return np.array(corners, dtype=np.float32).reshape(-1, 4, 2)


def rows(boxes: Sequence[Box], *, quarters: int = 0, slant: float = 0, vertical: bool = False) -> list[list[int]]:
    """Rows of boxes that were drawn on an upright page, after the page was turned clockwise and slanted."""
    placed = turn_page(quads(boxes), quarters, WIDTH, HEIGHT)
    cos, sin = np.cos(np.radians(slant)), np.sin(np.radians(slant))
    placed = (placed @ np.array([[cos, sin], [-sin, cos]])).astype(np.float32)
    sides = (WIDTH, HEIGHT) if quarters % 2 == 0 else (HEIGHT, WIDTH)
    return reading_rows(placed, quarters, *sides, vertical)


def column(left: float, right: float, count: int, top: float = 100, pitch: float = 40) -> list[Box]:
    return [(left, top + pitch * k, right, top + pitch * k + 25) for k in range(count)]


def flat(found: list[list[int]]) -> list[int]:
    return [index for row in found for index in row]


coordinate = st.floats(0, 1000, width=32)
box = st.tuples(coordinate, coordinate, st.floats(0, 400), st.floats(0, 100)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(st.lists(box, max_size=60), st.integers(0, 3), st.booleans())
def test_every_line_is_read_exactly_once(boxes: list[Box], quarters: int, vertical: bool) -> None:
    found = reading_rows(quads(boxes), quarters, WIDTH, HEIGHT, vertical)
    assert sorted(flat(found)) == list(range(len(boxes)))
    assert all(found)


@given(st.lists(box, max_size=60))
def test_lines_of_a_row_stand_beside_each_other(boxes: list[Box]) -> None:
    for row in rows(boxes):
        for one, other in pairwise(row):
            left, _, right, _ = boxes[one]
            start, _, end, _ = boxes[other]
            assert left <= start
            assert min(right, end) - start <= 0.5 * min(right - left, end - start) + 0.01


def test_a_row_of_thousands_does_not_take_many_times_as_long_as_so_many_rows() -> None:
    across = [(20.0 * k, 100.0, 20.0 * k + 15, 112.0) for k in range(2000)]
    down = [(100.0, 20.0 * k, 115.0, 20.0 * k + 12) for k in range(2000)]
    assert len(rows(across)) == 1
    assert len(rows(down)) == 2000
    assert _seconds(across) < 20 * _seconds(down)


def _seconds(boxes: Sequence[Box]) -> float:
    def once() -> float:
        start = time.process_time()
        rows(boxes)
        return time.process_time() - start

    return min(once() for _ in range(3))


@given(st.integers(4, 9), st.integers(4, 9), st.integers(0, 3), st.randoms(use_true_random=False))
def test_columns_come_whole_in_whatever_order_they_were_found(
    left: int, right: int, quarters: int, random: object
) -> None:
    boxes = [*column(80, 460, left), *column(540, 930, right)]
    order = list(range(len(boxes)))
    random.shuffle(order)  # type: ignore[attr-defined]
    found = flat(rows([boxes[index] for index in order], quarters=quarters))
    assert [order[index] for index in found] == list(range(len(boxes)))


@given(
    st.lists(
        st.tuples(st.integers(50, 300), st.integers(20, 600), st.integers(12, 40), st.integers(2, 60)), min_size=1
    ),
    st.integers(0, 3),
)
def test_a_single_column_is_read_from_top_to_bottom(lines: list[tuple[int, int, int, int]], quarters: int) -> None:
    boxes: list[Box] = []
    top = 30.0
    for left, width, height, gap in lines:
        boxes.append((left, top, left + max(width, 2 * height), top + height))
        top += height + gap
    assert flat(rows(boxes, quarters=quarters)) == list(range(len(boxes)))


@pytest.mark.parametrize("slant", [-8, -2, 0, 2, 8])
def test_what_stands_side_by_side_is_one_row_also_on_a_slanted_page(slant: float) -> None:
    boxes = [
        box for k in range(6) for box in ((80, 100 + 60 * k, 200, 125 + 60 * k), (600, 100 + 60 * k, 720, 125 + 60 * k))
    ]
    assert rows(boxes, slant=slant) == [[2 * k, 2 * k + 1] for k in range(6)]


def test_a_title_over_two_columns_comes_first_and_a_footer_last() -> None:
    boxes = [(80.0, 20.0, 930.0, 70.0), *column(80, 460, 6), *column(540, 930, 6), (80.0, 900.0, 930.0, 930.0)]
    assert flat(rows(boxes)) == list(range(14))


def test_a_heading_across_the_page_parts_what_is_above_from_what_is_below() -> None:
    above = [*column(80, 460, 5), *column(540, 930, 5)]
    below = [*column(80, 460, 5, top=500), *column(540, 930, 5, top=500)]
    assert flat(rows([*above, (80, 400, 930, 440), *below])) == list(range(21))


def test_three_columns() -> None:
    boxes = [*column(40, 320, 6), *column(370, 650, 6), *column(700, 960, 6)]
    assert flat(rows(boxes)) == list(range(18))


def test_columns_whose_lines_do_not_stand_at_the_same_height() -> None:
    boxes = [*column(80, 460, 7), *column(540, 930, 6, top=118)]
    assert flat(rows(boxes)) == list(range(13))


def test_the_cells_of_a_form_are_read_row_by_row() -> None:
    boxes: list[Box] = []
    for k in range(8):
        boxes += [(80, 100 + 60 * k, 170, 125 + 60 * k), (300, 98 + 60 * k, 480, 127 + 60 * k)]
        boxes += [(700, 102 + 60 * k, 790, 124 + 60 * k)]
    assert rows(boxes) == [[3 * k, 3 * k + 1, 3 * k + 2] for k in range(8)]


def test_line_numbers_and_bullets_stay_with_their_lines() -> None:
    boxes = [
        box for k in range(8) for box in ((80, 100 + 40 * k, 100, 125 + 40 * k), (130, 100 + 40 * k, 900, 125 + 40 * k))
    ]
    assert rows(boxes) == [[2 * k, 2 * k + 1] for k in range(8)]


@pytest.mark.parametrize("slant", [-4, 0, 4])
def test_vertical_lines_are_read_from_right_to_left(slant: float) -> None:
    boxes: list[Box] = [(800 - 100 * k, 100, 840 - 100 * k, 900) for k in range(7)]
    assert flat(rows(boxes, vertical=True, slant=slant)) == list(range(7))


def test_no_lines_are_no_rows() -> None:
    assert reading_rows(quads([]), 0, WIDTH, HEIGHT, False) == []


def test_joining() -> None:
    assert join([["Item ", " Price"], ["", "tea"], [" "], [], ["two", "", "cups"]]) == "Item Price\ntea\ntwo cups"
    assert join([]) == ""
