"""JSON comes back as it was, and numbers in it are short."""

from __future__ import annotations

import dataclasses
import json
import math
import string
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shizi.export.base import encode
from shizi.export.json import render, render_line, to_dict, to_json
from shizi.export.json_reading import from_json
from shizi.types import Cell, Document, Field, Line, ModelInfo, Page, Table, Word

SQUARE = ((10.0, 20.0), (110.0, 20.0), (110.0, 50.0), (10.0, 50.0))

texts = st.text(max_size=12)
coordinates = st.integers(-1_000_000, 1_000_000).map(lambda value: value / 100)
scores = st.integers(0, 10_000).map(lambda value: value / 10_000)
corners = st.tuples(*[st.tuples(coordinates, coordinates)] * 4)
words = st.builds(Word, texts, scores, corners)
lines = st.builds(
    Line, texts, scores, corners, coordinates, st.lists(words, max_size=3).map(tuple),
    st.sampled_from(["ocr", "text-layer"]), st.booleans(),
)  # fmt: skip
cells = st.builds(Cell, texts, corners, st.integers(0, 9), st.integers(0, 9), st.integers(1, 3), st.integers(1, 3))
tables = st.builds(Table, st.lists(st.tuples(coordinates, coordinates), max_size=6).map(tuple), st.tuples(cells))
pages = st.builds(
    Page,
    number=st.integers(1, 2000),
    width=st.integers(1, 30_000),
    height=st.integers(1, 30_000),
    angle=st.sampled_from([0, 90, 180, 270]),
    lines=st.lists(lines, max_size=3).map(tuple),
    text=texts,
    tables=st.lists(tables, max_size=1).map(tuple),
    fields=st.lists(st.builds(Field, texts, texts, scores, corners), max_size=2).map(tuple),
    quality=st.dictionaries(texts, scores, max_size=2),
    warnings=st.lists(texts, max_size=2).map(tuple),
)
documents = st.builds(
    Document,
    pages=st.lists(pages, max_size=3).map(tuple),
    models=st.lists(st.builds(ModelInfo, texts, texts, texts, texts), max_size=2).map(tuple),
    timings_ms=st.dictionaries(st.text(string.ascii_lowercase, max_size=5), coordinates, max_size=2),
)


def document() -> Document:
    word = Word("发票", 0.98765432, SQUARE)
    line = Line("发票", 0.98765432, ((10.126, 20.0), (110.0, 20.0), (110.0, 50.0), (10.0, 50.0)), 0.0, (word,))
    return Document((Page(1, 600, 800, lines=(line,), text="发票"), Page(2, 600, 800, text="😀")))


@given(documents)
def test_from_json_is_the_inverse_of_to_json(value: Document) -> None:
    assert from_json(to_json(value)) == value
    assert from_json(to_json(value, indent=None).encode()) == value


@given(documents, st.sampled_from([None, 0, 1, 2, 4]))
def test_parts_make_the_json_of_the_whole(value: Document, indent: int | None) -> None:
    separators = (",", ":") if indent is None else None
    whole = json.dumps(to_dict(value), ensure_ascii=False, indent=indent, separators=separators)
    assert to_json(value, indent=indent) == whole
    if indent == 2:
        assert render(value) == encode(whole + "\n")
    if indent is None:
        assert render_line(value) == encode(whole + "\n")


@pytest.mark.parametrize("write", [render, render_line])
def test_memory_stays_near_the_size_of_the_output(write: Callable[[Document], bytes]) -> None:
    page = document().pages[0]
    long = Document(tuple(dataclasses.replace(page, number=number, lines=page.lines * 100) for number in range(1, 41)))
    tracemalloc.start()
    try:
        size = len(write(long))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 900_000
    assert peak < 2 * size


def test_every_field_of_the_types_is_written_under_its_own_name() -> None:
    page = to_dict(document())["pages"][0]
    assert list(page) == [field.name for field in dataclasses.fields(Page)]
    assert list(page["lines"][0]) == [field.name for field in dataclasses.fields(Line)]
    assert list(to_dict(document())) == ["schema", "text", "pages", "models", "timings_ms"]


def test_text_is_readable_chinese_and_numbers_are_short() -> None:
    written = render(document()).decode()
    assert '"text": "发票\\f😀"' in written
    assert '"score": 0.9877' in written
    assert "10.13" in written
    assert "10.126" not in written


def test_one_line_for_streaming() -> None:
    assert "\n" not in to_json(document(), indent=None)


def test_half_a_surrogate_pair_does_not_break_the_output() -> None:
    broken = Document((Page(1, 10, 10, text="a\ud800b"),))
    assert json.loads(render(broken))["text"] == "a\ufffdb"
    assert from_json(json.dumps(to_dict(broken))).text == "a\ufffdb"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_of_json_is_never_written(number: float) -> None:
    page = document().pages[0]
    broken = dataclasses.replace(page.lines[0], score=number)
    with pytest.raises(ValueError, match="is no number of JSON"):
        render(Document((dataclasses.replace(page, lines=(broken,)),)))


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1))
@example(45035996273704.97, 0.5)
@example(1.7e308, 0.5)
def test_numbers_are_written_to_the_nearest_step(coordinate: float, score: float) -> None:
    line = Line("a", score, ((coordinate, 0.0), *SQUARE[1:]))
    written = from_json(to_json(Document((Page(1, 9, 9, lines=(line,), text="a"),)))).pages[0].lines[0]
    assert abs(written.score - score) <= 0.5e-4 + 1e-12
    assert abs(written.polygon[0][0] - coordinate) <= 0.5e-2 + 1e-12 * abs(coordinate)
    assert not math.copysign(1, written.polygon[0][0] or 1) < 0 or coordinate < 0
    again = Document((Page(1, 9, 9, lines=(written,), text="a"),))
    assert from_json(to_json(again)) == again
