"""Which format a client gets."""

from __future__ import annotations

import pytest

from shizi.serving.answers import chosen
from shizi.serving.refusals import NotAcceptable
from shizi.serving.schemas import ReadingForm


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/plain", "text"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "hocr"),
        ("application/*", "json"),
        ("text/*", "text"),
        ("application/json;q=0.2, text/csv;q=0.9", "csv"),
        ("application/pdf;q=0, text/markdown", "md"),
        ("TEXT/PLAIN ; Q=1.0", "text"),
        ("application/json;q=nonsense, application/xml;q=0.1", "alto"),
        ("image/png", "annotated"),
    ],
)
def test_the_header_accept_chooses(accept: str, name: str) -> None:
    assert chosen(ReadingForm(), accept) == name


def test_the_parameter_wins() -> None:
    assert chosen(ReadingForm(format="alto"), "text/plain") == "alto"


@pytest.mark.parametrize("accept", ["audio/midi", "text/plain;q=0", ",", "plain"])
def test_nothing_acceptable(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json"):
        chosen(ReadingForm(), accept)
