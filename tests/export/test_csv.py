"""CSV reads back, and no cell runs."""

from __future__ import annotations

import csv
import io
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.export.csv import COLUMNS, guarded, render
from shizi.types import Document, Line, Page

SQUARE = ((10.0, 20.0), (110.0, 20.0), (110.0, 50.0), (10.0, 50.5))


def rows(texts: list[str]) -> list[list[str]]:
    lines = tuple(Line(text, 0.5, SQUARE, 90.0) for text in texts)
    data = render(Document((Page(3, 600, 800, lines=lines),)))
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def unguarded(cell: str) -> str:
    """As anybody who knows the rule takes the apostrophes away: inside, and then before it all."""
    places = re.compile(r"([\s\"';]+)(?=[=+\-@＝＋－＠])(?![+-]?[0-9][0-9.,]*%?([;\t\r\n]|\Z))")
    text = places.sub(lambda run: run[1][:-1] if re.search(r"[;\t\r\n]", run[1]) else run[1], cell)
    return text[1:] if text.startswith("'") and guarded(text[1:]) == cell else text


@given(st.lists(st.text(st.characters(codec="utf-8") | st.sampled_from("='+-@,\"\n\r\t;0"), max_size=12), max_size=5))
def test_texts_come_back_after_the_guard_is_taken_away(texts: list[str]) -> None:
    header, *body = rows(texts)
    assert tuple(header) == COLUMNS
    assert [unguarded(row[2]) for row in body] == texts


def test_a_row_says_where_the_line_is() -> None:
    corners = ["10.00", "20.00", "110.00", "20.00", "110.00", "50.00", "10.00", "50.50"]
    assert rows(["发票"])[1] == ["3", "1", "发票", "0.5000", "90.00", "ocr", *corners]


def test_excel_is_told_that_it_is_utf8() -> None:
    assert render(Document(())).startswith(b"\xef\xbb\xbfpage,line,text")


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-2+3", "@SUM(1)", " =1", "＝1", "-A1", "'=1", "=cmd|'/c'!A0"])
def test_formulas_are_guarded(text: str) -> None:
    assert guarded(text) == "'" + text


@pytest.mark.parametrize("text", ["-12.50", "+3%", "-1,234.00", "发票", "a=b", "'quoted'", "", "12-3"])
def test_numbers_and_texts_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("\t=1", "'\t'=1"),
        (";=cmd|'/c'!A0", ";'=cmd|'/c'!A0"),
        ('a; "=1', "a; \"'=1"),
        ("a;'=1;b", "a;''=1;b"),
        ("a;-2+3;-5;b", "a;'-2+3;-5;b"),
        ("a\n@SUM(1)", "a\n'@SUM(1)"),
        ("a;b=c; 7", "a;b=c; 7"),
        ("a '=b", "a '=b"),
    ],
)
def test_formulas_are_guarded_where_cells_are_parted_otherwise(text: str, cell: str) -> None:
    assert guarded(text) == cell
    assert unguarded(cell) == text


def test_long_texts_are_guarded_quickly() -> None:
    begin = time.perf_counter()
    assert guarded("\t" * 200_000 + "x" + ";'" * 100_000).startswith("'\t")
    assert time.perf_counter() - begin < 2
