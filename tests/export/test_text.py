"""Plain text."""

from __future__ import annotations

from shizi.export.text import render
from shizi.types import Document, Page


def test_pages_are_joined_by_form_feeds() -> None:
    document = Document((Page(1, 10, 10, text="第一页\nInvoice"), Page(2, 10, 10, text="第二页")))
    assert render(document).decode() == "第一页\nInvoice\f第二页\n"


def test_an_empty_document_is_an_empty_line() -> None:
    assert render(Document((Page(1, 10, 10),))) == b"\n"
