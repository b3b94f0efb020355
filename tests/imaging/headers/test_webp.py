"""WebP headers."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from shizi.errors import CorruptDocument
from shizi.imaging.headers.webp import webp_frame


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0"}, {"save_all": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_size_of_every_kind(options: dict[str, object], mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (300, 7), (255, 0, 0)).save(out, "WEBP", **options)
    frame = webp_frame(out.getvalue())
    assert (frame.width, frame.height, frame.warnings) == (300, 7, ())


def test_no_size() -> None:
    with pytest.raises(CorruptDocument, match="WebP"):
        webp_frame(b"RIFF\x10\0\0\0WEBPVP8 \x04\0\0\0abcd")
