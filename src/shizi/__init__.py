"""shizi (识字): self-hosted OCR for images and PDFs.

>>> from shizi import OCR
>>> print(OCR().read("invoice.pdf").text)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from shizi.errors import ShiziError
from shizi.types import Document, Line, Page, Word

if TYPE_CHECKING:
    from shizi.pipeline.engine import OCR

__all__ = ["OCR", "Document", "Line", "Page", "ShiziError", "Word"]


def __getattr__(name: str) -> object:
    # The engine's libraries take half a second to import: only those who use it wait for them.
    if name == "OCR":
        return import_module("shizi.pipeline.engine").OCR
    raise AttributeError(f"module 'shizi' has no attribute {name!r}")
