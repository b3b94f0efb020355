"""The words of a line, and the parts of it that show them."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.geometry import Quad, bounds
from shizi.models.ctc import Reading
from shizi.pipeline.words import words_of
from shizi.types import Word
from tests.pipeline.readings import reading

LINE = np.array([[10, 20], [210, 20], [210, 40], [10, 40]], dtype=np.float32)


def words(read: Reading, sideways: Quad, *, vertical: bool = False) -> tuple[Word, ...]:
    """Of one line."""
    (found,) = words_of([read], sideways[None], np.array([vertical]))
    return found


def spans(words: tuple[Word, ...]) -> list[tuple[float, float]]:
    return [(round(w.polygon[0][0], 2), round(w.polygon[1][0], 2)) for w in words]


def test_words_have_the_part_of_the_line_that_shows_them() -> None:
    found = words(reading("ab cde f"), LINE)
    assert [word.text for word in found] == ["ab", "cde", "f"]
    assert spans(found) == [(10, 60), (85, 160), (185, 210)]
    assert [word.score for word in found] == pytest.approx([0.9] * 3)


@given(st.text(alphabet="ab 字", max_size=20))
def test_words_are_those_of_the_text_and_stand_in_order_inside_the_line(text: str) -> None:
    found = words(reading(text), LINE)
    assert [word.text for word in found] == text.split()
    edge = 10.0
    for start, end in spans(found):
        assert edge - 0.05 <= start <= end <= 210.05
        edge = end


def test_each_line_of_a_page_has_the_words_that_it_has_alone() -> None:
    texts = ["ab cde f", "", "春眠 不觉", " x "]
    quads = np.stack([LINE + np.float32(40 * row) for row in range(len(texts))])
    vertical = np.array([False, False, True, False])
    alone = [words(reading(text), quads[row], vertical=bool(vertical[row])) for row, text in enumerate(texts)]
    assert words_of([reading(text) for text in texts], quads, vertical) == alone


def one_by_one(read: Reading) -> list[tuple[str, float, float, float]]:
    """Text, score, begin and end of each word of a line, worked out a word at a time."""
    middles = [(start + end) / 2 for start, end in zip(read.starts, read.ends, strict=True)]
    spaces = [-1, *(at for at, character in enumerate(read.characters) if character.isspace()), len(middles)]
    groups = [(before + 1, after) for before, after in pairwise(spaces) if after > before + 1]
    found: list[tuple[str, float, float, float]] = []
    for number, (first, stop) in enumerate(groups):
        own = middles[first:stop] if stop - first > 1 else middles
        half = median([after - before for before, after in pairwise(own)]) / 2 if len(own) > 1 else 0.5
        begin = max(found[-1][3] if found else 0.0, middles[first] - half)
        end = min(middles[stop - 1] + half, 1.0)
        if number + 1 < len(groups):
            end = min(end, (middles[stop - 1] + middles[groups[number + 1][0]]) / 2)
        score = sum(read.scores[first:stop]) / (stop - first)
        found.append(("".join(read.characters[first:stop]), score, begin, end))
    return found


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Characters anywhere on the line, one after the other."""
    text = draw(st.text(alphabet="ab 字", max_size=12))
    edges = sorted(draw(st.lists(st.floats(0, 1), min_size=2 * len(text), max_size=2 * len(text))))
    scores = draw(st.lists(st.floats(0, 1), min_size=len(text), max_size=len(text)))
    return Reading(tuple(text), tuple(scores), tuple(edges[::2]), tuple(edges[1::2]))


@given(st.lists(readings(), max_size=4))
def test_words_are_those_that_are_worked_out_one_by_one(lines: list[Reading]) -> None:
    found = words_of(lines, np.stack([LINE] * len(lines) or [LINE])[: len(lines)], np.zeros(len(lines), np.bool_))
    assert len(found) == len(lines)
    for words_found, read in zip(found, lines, strict=True):
        expected = one_by_one(read)
        assert [word.text for word in words_found] == [text for text, *_ in expected]
        assert [word.score for word in words_found] == pytest.approx([score for _, score, _, _ in expected])
        assert [word.polygon[0][0] for word in words_found] == pytest.approx([10 + 200 * x for _, _, x, _ in expected])
        assert [word.polygon[1][0] for word in words_found] == pytest.approx([10 + 200 * x for _, _, _, x in expected])


def test_words_of_a_vertical_line_stand_below_each_other() -> None:
    sideways = np.array([[60, 10], [60, 210], [40, 210], [40, 10]], dtype=np.float32)  # read downwards
    first, second = words(reading("春眠 不觉"), sideways, vertical=True)
    assert (first.text, second.text) == ("春眠", "不觉")
    assert first.polygon[0] == pytest.approx((40, 10))
    assert first.polygon[1] == pytest.approx((60, 10))
    assert second.polygon[3] == pytest.approx((40, 210))
    assert first.polygon[2][1] <= second.polygon[1][1]


def test_words_of_slanted_lines_are_slanted() -> None:
    slanted = np.array([[0, 40], [200, 0], [204, 20], [4, 60]], dtype=np.float32)
    found = words(reading("ab cd"), slanted)
    boxes = bounds(np.array([word.polygon for word in found], dtype=np.float32))
    assert boxes[0, 1] > boxes[1, 1]
    assert found[0].polygon[0] == (0.0, 40.0)
    assert found[-1].polygon[2] == (204.0, 20.0)
