"""What a document may cost in all."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from shizi import OCR, Line, Page
from shizi.errors import DeadlineExceeded, ImageTooLarge
from shizi.imaging.limits import Limits
from shizi.pipeline import budget
from shizi.pipeline.budget import Budget
from shizi.types import Word
from tests.imaging.conftest import Sheet, write_pdf

POLYGON = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))


def of_words(number: int, *counts: int) -> Page:
    """A page with a line of so many words each."""
    word = Word("word", 1.0, POLYGON)
    return Page(number, 100, 100, lines=tuple(Line("text", 1.0, POLYGON, words=(word,) * count) for count in counts))


def test_words_are_counted_over_all_pages() -> None:
    spent = Budget(Limits(max_words=10))
    spent.spend(of_words(1, 3, 2))
    spent.spend(of_words(2))
    spent.spend(of_words(3, 5))
    with pytest.raises(ImageTooLarge, match=r"11 words up to page 4, the limit \(max_words\) is 10: read fewer pages"):
        spent.spend(of_words(4, 1))


def test_a_line_without_words_counts_as_one() -> None:
    spent = Budget(Limits(max_words=2))
    spent.spend(of_words(1, 0, 0))
    with pytest.raises(ImageTooLarge, match="3 words up to page 2"):
        spent.spend(of_words(2, 0))


def test_time_counts_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: now))
    spent = Budget(Limits(timeout_s=7.5))
    now = 1007.5
    spent.spend(of_words(1, 1))
    now = 1007.6
    with pytest.raises(
        DeadlineExceeded, match=r"longer than 7\.5 s \(timeout_s\), it was stopped after page 2"
    ) as error:
        spent.spend(of_words(2, 1))
    assert error.value.retryable


def test_each_document_has_a_budget_of_its_own() -> None:
    one = write_pdf([Sheet("BT /F1 24 Tf 30 140 Td (Four words stand here) Tj ET")])
    two = write_pdf([Sheet("BT /F1 24 Tf 30 140 Td (Four words stand here) Tj ET")] * 2)
    with OCR(limits=Limits(max_words=5)) as ocr:
        for _ in range(3):
            assert ocr.read(one).text == "Four words stand here"
        with pytest.raises(ImageTooLarge, match="8 words up to page 2"):
            ocr.read(two)
        assert ocr.read(two, pages=[2]).text == "Four words stand here"
