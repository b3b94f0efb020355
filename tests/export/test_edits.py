"""Corrections put into documents."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest
from shizi.export import EXPORTERS, from_json, to_json
from shizi.export.base import encode
from shizi.export.edits import LONGEST_TEXT, MOST_EDITS, Edit, edited, edits_from_json
from shizi.types import Cell, Document, Field, Line, Page, Polygon, Table, Word


def box(top: float, left: float = 0.0, right: float = 100.0) -> Polygon:
    return ((left, top), (right, top), (right, top + 10), (left, top + 10))


def line(text: str, top: float, left: float = 0.0, right: float = 100.0) -> Line:
    words = tuple(Word(word, 0.5, box(top, left, right)) for word in text.split())
    return Line(text, 0.6, box(top, left, right), words=words)


LINES = (line("Invoice l2", 0), line("Sum", 20, 0, 40), line("9.00", 20, 60), line("谢谢", 40))
PAGE = Page(7, 100, 100, lines=LINES, text="Invoice l2\n\nSum 9.00\n谢谢")
DOCUMENT = Document((Page(2, 50, 50, text="other"), PAGE))


def text_after(*edits: Edit) -> str:
    return edited(DOCUMENT, edits).pages[1].text


def test_a_line_is_changed_with_its_words_and_the_text() -> None:
    page = edited(DOCUMENT, [Edit(7, 1, "Invoice 12")]).pages[1]
    assert page.text == "Invoice 12\n\nSum 9.00\n谢谢"
    changed = page.lines[0]
    assert (changed.text, changed.score, changed.polygon) == ("Invoice 12", 1.0, LINES[0].polygon)
    assert [(word.text, word.score) for word in changed.words] == [("Invoice", 0.5), ("12", 1.0)]
    assert [word.polygon for word in changed.words] == [word.polygon for word in LINES[0].words]
    assert page.lines[1:] == LINES[1:]


def test_words_of_another_number_share_the_line_by_their_characters() -> None:
    page = edited(DOCUMENT, [Edit(7, 4, "谢谢 you 1")]).pages[1]
    words = {word.text: (word.polygon[0][0], word.polygon[1][0]) for word in page.lines[3].words}
    assert words == {"谢谢": (0, 40), "you": (50, 80), "1": (90, 100)}
    upright = replace(
        PAGE, lines=(replace(line("abcd", 0), vertical=True, polygon=((0, 0), (9, 0), (9, 80), (0, 80))),)
    )
    words_down = edited(Document((upright,)), [Edit(7, 1, "ab 谢")]).pages[0].lines[0].words
    assert [word.polygon for word in words_down] == [
        ((0, 0), (9, 0), (9, 32), (0, 32)),
        ((0, 48), (9, 48), (9, 80), (0, 80)),
    ]


@pytest.mark.parametrize(
    ("edits", "text"),
    [
        ((Edit(7, 1, ""),), "Sum 9.00\n谢谢"),
        ((Edit(7, 2, ""),), "Invoice l2\n\n9.00\n谢谢"),
        ((Edit(7, 3, " \n"),), "Invoice l2\n\nSum\n谢谢"),
        ((Edit(7, 4, ""),), "Invoice l2\n\nSum 9.00"),
        ((Edit(7, 2, ""), Edit(7, 3, "")), "Invoice l2\n\n谢谢"),
        (tuple(Edit(7, number, "") for number in (1, 2, 3, 4)), ""),
        ((Edit(7, None, "new", 0, box(0)),), "new\nInvoice l2\n\nSum 9.00\n谢谢"),
        ((Edit(7, None, "new", 2, box(0)),), "Invoice l2\n\nSum\nnew\n9.00\n谢谢"),
        ((Edit(7, None, "one", 4, box(0)), Edit(7, None, "two", 4, box(0))), "Invoice l2\n\nSum 9.00\n谢谢\none\ntwo"),
        ((Edit(7, None, "new", 1, box(0)), Edit(7, 1, "")), "new\n\nSum 9.00\n谢谢"),
        ((Edit(7, None, "", 1, box(0)),), PAGE.text),
        ((Edit(7, 2, "a\nb\fc"),), "Invoice l2\n\na b c 9.00\n谢谢"),
    ],
)
def test_what_stood_between_lines_stays(edits: tuple[Edit, ...], text: str) -> None:
    assert text_after(*edits) == text


def test_a_text_that_is_not_made_of_the_lines_is_composed_anew() -> None:
    page = replace(PAGE, text="something else")
    assert edited(Document((page,)), [Edit(7, 1, "A")]).pages[0].text == "A\nSum 9.00\n谢谢"


def test_lines_without_text_can_be_given_one() -> None:
    page = Page(1, 100, 100, lines=(replace(line("", 0), words=()), replace(line("", 20), words=())))
    found = edited(Document((page,)), [Edit(1, 2, "read by hand")]).pages[0]
    assert found.text == "read by hand"
    assert [each.text for each in found.lines] == ["", "read by hand"]


def test_an_added_line_lies_as_its_polygon_does() -> None:
    slanted = ((0.0, 0.0), (10.0, 10.0), (5.0, 15.0), (-5.0, 5.0))
    added = edited(DOCUMENT, [Edit(7, None, "ab cd", 4, slanted, 0.75)]).pages[1].lines[4]
    assert (added.angle, added.score, added.source) == (45, 0.75, "ocr")
    assert [word.text for word in added.words] == ["ab", "cd"]
    assert added.words[0].polygon[0] == (0, 0)
    assert added.words[0].polygon[1] == pytest.approx((4, 4))


def test_cells_and_fields_made_of_a_line_follow_it() -> None:
    table = Table(box(15), (Cell("Sum", box(18, 0, 50), 0, 0), Cell("Sum", box(60), 1, 0)))
    field = Field("total", "EUR 9.00", 0.5, box(18, 50))
    page = replace(PAGE, tables=(table,), fields=(field,))
    found = edited(Document((page,)), [Edit(7, 2, "Total"), Edit(7, 3, "9.50")]).pages[0]
    assert [cell.text for cell in found.tables[0].cells] == ["Total", "Sum"]
    assert found.fields[0].value == "EUR 9.50"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (Edit(1, 1, "x"), r"edits\[0\].page: the document has no page 1"),
        (Edit(7, 5, "x"), r"edits\[0\].line: is 5, page 7 has 4 lines"),
        (Edit(7, 0, "x"), r"edits\[0\].line: is 0"),
        (Edit(7, None, "x", 5, box(0)), r"edits\[0\].after: is 5"),
        (Edit(7, None, "x", -1, box(0)), r"edits\[0\].after: is -1"),
        (Edit(7, None, "x", 1), r"edits\[0\].polygon: four corners"),
    ],
)
def test_a_place_that_is_not_there_is_refused(edit: Edit, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        edited(DOCUMENT, [edit])
    with pytest.raises(InvalidRequest, match=r"edits\[1\].line: line 2 of page 7 is edited twice"):
        edited(DOCUMENT, [Edit(7, 2, "a"), Edit(7, 2, "b")])


GOOD = {"page": 1, "line": 1, "text": "x"}
NEW = {"page": 1, "line": None, "after": 0, "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]], "text": "x"}


def test_edits_are_read_from_json() -> None:
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    read = edits_from_json(json.dumps([GOOD | {"id": "a"}, NEW | {"score": 1, "id": None}]).encode())
    assert read == (Edit(1, 1, "x"), Edit(1, None, "x", 0, corners, 1.0))
    assert edits_from_json(b"") == edits_from_json(b" ") == edits_from_json(b"[]") == ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "a list is expected"),
        ([1], r"edits\[0\]: an object"),
        ([GOOD] * (MOST_EDITS + 1), "the limit is 20000"),
        ([GOOD, {"page": 1}], r"edits\[1\]: 'line' is missing"),
        ([GOOD | {"x" * 99: 1}], "'x{40}' is unknown"),
        ([GOOD | {"page": True}], r"edits\[0\].page: a whole number"),
        ([GOOD | {"page": -1}], r"edits\[0\].page: a whole number"),
        ([GOOD | {"line": 1.0}], r"edits\[0\].line: a whole number"),
        ([GOOD | {"line": 2**31}], r"edits\[0\].line: a whole number"),
        ([GOOD | {"text": None}], r"edits\[0\].text: a text"),
        ([GOOD | {"text": "x" * (LONGEST_TEXT + 1)}], r"edits\[0\].text: a text of at most 10000"),
        ([GOOD | {"after": 1}], r"edits\[0\].after: only an added line"),
        ([GOOD | {"id": 5}], r"edits\[0\].id"),
        ([NEW | {"score": 1.5}], r"edits\[0\].score"),
        ([NEW | {"score": True}], r"edits\[0\].score"),
        ([NEW | {"after": "1"}], r"edits\[0\].after: a whole number"),
        ([NEW | {"polygon": [[0, 0]] * 3}], r"edits\[0\].polygon: four corners"),
        ([NEW | {"polygon": [[0, 0, 0]] * 4}], r"edits\[0\].polygon: four corners"),
        ([NEW | {"polygon": [[0, 1e8]] * 4}], r"edits\[0\].polygon: four corners"),
        ([NEW | {"polygon": [[0, True]] * 4}], r"edits\[0\].polygon: four corners"),
        ([{name: item for name, item in NEW.items() if name != "after"}], r"edits\[0\]: 'after' is missing"),
        ([{name: item for name, item in NEW.items() if name != "polygon"}], r"edits\[0\].polygon: four corners"),
    ],
)
def test_edits_that_are_none_are_refused_in_words(value: object, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        edits_from_json(json.dumps(value).encode())


@pytest.mark.parametrize("data", [b"{", b"[" * 100_000, b"[NaN]", b'[{"page":1,"page":1}]', b"\xff", b"[1e999999]"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^edits|^the edits are no JSON"):
        edits_from_json(data)


@given(st.binary(max_size=60) | st.recursive(st.none() | st.integers() | st.text(max_size=3), st.lists).map(
    lambda value: json.dumps(value).encode()))  # fmt: skip
def test_nothing_else_than_ours_is_raised(data: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        edits_from_json(data)


words = st.text("ab 发票\n\x00\ud800\u2028", max_size=8)
places = st.floats(-10, 200)
edits_of = st.lists(
    st.builds(Edit, st.just(7), st.integers(1, 4), words)
    | st.builds(Edit, st.just(7), st.none(), words, st.integers(0, 4), st.tuples(*[st.tuples(places, places)] * 4)),
    max_size=6,
    unique_by=lambda edit: (edit.line, edit.after, edit.text) if edit.line is None else edit.line,
)


@given(edits_of)
def test_every_edit_gives_a_sound_document_that_every_format_takes(edits: list[Edit]) -> None:
    before = to_json(DOCUMENT)
    found = edited(DOCUMENT, edits)
    assert to_json(DOCUMENT) == before
    page = found.pages[1]
    assert found.pages[0] == DOCUMENT.pages[0]
    assert page.text.split() == " ".join(each.text for each in page.lines).split()
    assert from_json(to_json(found)).text == encode(found.text).decode()  # but for halves of surrogate pairs
    for each in page.lines:
        assert [word.text for word in each.words] == each.text.split()
    for exporter in EXPORTERS.values():
        if not exporter.needs_original and exporter.name not in ("xlsx", "docx"):
            assert exporter.render(found, None)


@given(st.sampled_from([1, 2, 3, 4]))
def test_an_edit_that_changes_nothing_only_makes_sure(number: int) -> None:
    found = edited(DOCUMENT, [Edit(7, number, LINES[number - 1].text)])
    assert found.text == DOCUMENT.text
    assert found.pages[1].lines[number - 1] == replace(LINES[number - 1], score=1.0)
