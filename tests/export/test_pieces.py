"""Words with the spaces between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shizi.export.pieces import pieces, printable
from shizi.types import Line, Polygon, Word


def at(x: float, width: float = 50) -> Polygon:
    return ((x, 0.0), (x + width, 0.0), (x + width, 20.0), (x, 20.0))


def line(text: str, *words: str) -> Line:
    return Line(text, 0.9, at(0, 400), words=tuple(Word(word, 0.8, at(60.0 * i)) for i, word in enumerate(words)))


def test_spaces_stand_where_the_line_has_them() -> None:
    found = pieces(line("发票 No.12 号", "发票", "No.", "12", "号"))
    assert [(piece.text, piece.space_after) for piece in found] == [
        ("发票", True), ("No.", False), ("12", True), ("号", False),
    ]  # fmt: skip


def test_words_that_do_not_add_up_give_way_to_the_line() -> None:
    for words in ((), ("Hello",), ("Hello", "word"), ("world", "Hello")):
        found = pieces(line("Hello  world", *words))
        assert [(piece.text, piece.polygon, piece.score) for piece in found] == [("Hello world", at(0, 400), 0.9)]


def test_a_line_without_text_has_no_pieces() -> None:
    assert pieces(line(" \x00 ")) == []


@given(st.text(st.characters(exclude_categories=())))
def test_printable_text_fits_into_utf8_and_one_line(text: str) -> None:
    cleaned = printable(text)
    assert len(cleaned) == len(text)
    assert cleaned.encode().decode() == cleaned
    assert not any(ord(character) < 32 or ord(character) == 127 for character in cleaned)
    assert printable("发票😀 a") == "发票😀 a"
