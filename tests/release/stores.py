"""Corrections for tests, and pictures of lines."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, PngImagePlugin

from shizi.release.correction import Correction

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OTHER_HASH = "0" * 64
BOX = ((120.0, 80.5), (410.0, 80.5), (410.0, 112.0), (120.0, 112.0))


def correction(**changed: str | int) -> Correction:
    values: dict[str, Any] = {
        "document": HASH,
        "page": 1,
        "line": 3,
        "polygon": BOX,
        "original": "Total l20.00",
        "correction": "Total 120.00 元",
        "model": "small-rec",
        "model_version": "6",
    }
    return Correction(**values | changed)


def png(width: int = 60, height: int = 20, comment: str = "") -> bytes:
    out = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    if comment:
        info.add_text("Comment", comment)
    Image.new("RGB", (width, height), "white").save(out, "PNG", pnginfo=info)
    return out.getvalue()
