"""Jobs whose right results are known: drawn pages with numbers for real workers, scripts for fake ones."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from shizi.jobs.fake import document, text_of

FONT: Final = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
MOST_PAGES: Final = 8
_SIZE: Final = (1000, 700)
_LINES: Final = 8


@dataclass(frozen=True, slots=True)
class Ordered:
    """A document and what must be read on its pages, in order."""

    data: bytes
    texts: tuple[str, ...]


Make = Callable[[int], Ordered]


def drawn(number: int) -> Ordered:
    """A PDF of a few pages, or a picture; no two pages have the same numbers."""
    source = random.Random(number)
    count = source.randrange(2, MOST_PAGES + 1) if source.random() < 0.5 else 1
    pages, texts = [], []
    for index in range(1, count + 1):
        lines = [f"{number:05d} {index:02d} {source.randrange(10**6):06d}" for _ in range(_LINES)]
        pages.append(_page(lines))
        texts.append("\n".join(lines))
    out = io.BytesIO()
    if count == 1:
        pages[0].save(out, "PNG")
    else:
        pages[0].save(out, "PDF", save_all=True, append_images=pages[1:])
    return Ordered(out.getvalue(), tuple(texts))


def scripted(number: int) -> Ordered:
    """The same for `shizi.jobs.fake`; each page takes three tenths of a second."""
    count = random.Random(number).randrange(1, 5)
    data = document(f"job {number}", pages=count, slow_ms=300)
    return Ordered(data, tuple(text_of(data, page) for page in range(1, count + 1)))


def same(read: str, expected: str) -> bool:
    """Whether it is the text of the page; spaces are left to the reader."""
    return _digits(read) == _digits(expected)


def _digits(text: str) -> str:
    return re.sub(r"\s", "", text)


def _page(lines: list[str]) -> Image.Image:
    image = Image.new("L", _SIZE, 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(FONT, 48)
    for row, line in enumerate(lines):
        draw.text((60, 40 + 78 * row), line, 0, font)
    return image
