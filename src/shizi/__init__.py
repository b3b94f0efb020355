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
    from shizi.client.async_client import AsyncClient
    from shizi.client.client import Client
    from shizi.pipeline.engine import OCR

__all__ = ["OCR", "AsyncClient", "Client", "Document", "Line", "Page", "ShiziError", "Word"]

_LATER = {
    "OCR": "shizi.pipeline.engine",
    "Client": "shizi.client.client",
    "AsyncClient": "shizi.client.async_client",
}


def __getattr__(name: str) -> object:
    # The engine's libraries take half a second to import, a client's a fifth: only those who use them wait for them.
    if name not in _LATER:
        raise AttributeError(f"module 'shizi' has no attribute {name!r}")
    try:
        return getattr(import_module(_LATER[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "httpx":
            raise
        raise ModuleNotFoundError(f"shizi.{name} needs httpx: pip install 'shizi[client]'", name="httpx") from error
