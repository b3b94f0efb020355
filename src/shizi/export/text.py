"""Plain text: what a person would have typed."""

from __future__ import annotations

from shizi.export.base import Original, encode
from shizi.types import Document


def render(document: Document, original: Original | None = None) -> bytes:  # noqa: ARG001 (the signature of all exporters)
    """The text in reading order, pages joined by form feeds, in UTF-8, with a line end at the end."""
    return encode(document.text + "\n")
