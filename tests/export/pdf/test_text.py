"""Runs cover the boxes of words, whatever way these lie."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.export.pdf.font import Charset
from shizi.export.pdf.text import Run, content, runs
from shizi.types import Line, Point, Polygon, Word


def rectangle(x: float, y: float, width: float, height: float, angle: float) -> Polygon:
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    corners = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    return tuple((x + px * cosine - py * sine, y + px * sine + py * cosine) for px, py in corners)


def corners(run: Run) -> list[Point]:
    """The box that a run covers: the font's descent is a fifth of its size."""
    (x, y), (dx, dy), size, width = run.origin, run.direction, run.size, run.width
    left = [(x + dy * 0.8 * size, y - dx * 0.8 * size), (x - dy * 0.2 * size, y + dx * 0.2 * size)]
    right = [(px + dx * width, py + dy * width) for px, py in left]
    return [left[0], right[0], right[1], left[1]]


boxes = st.builds(
    rectangle, st.floats(0, 5000), st.floats(0, 5000), st.floats(1, 2000), st.floats(1, 300), st.floats(0, 360)
)


@given(boxes)
def test_a_run_covers_its_word(polygon: Polygon) -> None:
    (run,) = runs(Line("发票", 1, polygon))
    for actual, expected in zip(corners(run), polygon, strict=True):
        assert actual == pytest.approx(expected, abs=0.01)


@given(boxes)
def test_a_vertical_run_covers_its_word_from_its_top_right_corner(polygon: Polygon) -> None:
    (run,) = runs(Line("竖排", 1, polygon, vertical=True))
    for actual, expected in zip(corners(run), polygon[1:] + polygon[:1], strict=True):
        assert actual == pytest.approx(expected, abs=0.01)


@given(st.floats(0, 360), st.floats(-3, 200))
def test_a_space_fills_the_gap_between_two_words(angle: float, gap: float) -> None:
    one = rectangle(500, 500, 80, 20, angle)
    step = 80 + gap
    shift = (step * math.cos(math.radians(angle)), step * math.sin(math.radians(angle)))
    other = tuple((x + shift[0], y + shift[1]) for x, y in one)
    first, space, second = runs(Line("a b", 1, one, angle, (Word("a", 1, one), Word("b", 1, other))))
    assert (first.text, space.text, second.text) == ("a", " ", "b")
    assert space.width == pytest.approx(max(gap, 0.5), abs=0.01)
    end = (space.origin[0] + space.direction[0] * gap, space.origin[1] + space.direction[1] * gap)
    assert end == pytest.approx(second.origin, abs=0.01)


def test_the_operators_scale_the_text_to_its_box() -> None:
    (run,) = runs(Line("ab", 1, rectangle(100, 200, 30, 20, 0)))
    written = content([[run]], Charset(["ab"]), 800)
    assert written.splitlines() == ["BT", "3 Tr", "/F 20 Tf 1 0 0 1 100 584 Tm 150 Tz <00020003> Tj", "ET"]
