"""Documents that the measurements draw or are given."""

from __future__ import annotations

import io
import random
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from shizi.bench.documents import draw_letter, draw_receipt, draw_screen

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"}


def encoded(image: Image.Image, form: str = "JPEG") -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    image.save(file, form, **({"quality": 90} if form == "JPEG" else {}))
    return file.getvalue()


def pages(count: int) -> list[bytes]:
    """Receipts, screens, and letters of several sizes, in turn; always the same ones."""
    source = random.Random(0)
    found = []
    for number in range(count):
        if number % 4 == 0:
            image = draw_receipt(source)
        elif number % 4 == 1:
            image = draw_screen(source)
        elif number % 4 == 2:
            image = draw_letter(source, 1240, 877, 30)
        else:
            image = draw_letter(source, 900, 600, 24)
        found.append(encoded(image))
    return found


def given(folder: Path, most: int) -> list[bytes]:
    """The first pictures in a folder and those below it.

    Raises:
        SystemExit: there is none.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)[:most]
    if not files:
        raise SystemExit(f"there is no picture in {folder}")
    return [path.read_bytes() for path in files]


def small(count: int) -> list[bytes]:
    """Pictures of one line."""
    return [label(f"Delivery {number:04d} of pears", 26) for number in range(count)]


def label(text: str, size: int = 30, width: int | None = None) -> bytes:
    """One line of text, dark on light, as PNG."""
    face = ImageFont.load_default(size)
    picture = Image.new("RGB", (width or round(face.getlength(text)) + 2 * size, 2 * size + 8), (252, 252, 250))
    ImageDraw.Draw(picture).text((size, size // 2), text, font=face, fill=(30, 30, 36))
    return encoded(picture, "PNG")


def mixed(count: int) -> list[bytes]:
    """Of all sizes: lines, receipts, pages, large pages, PDFs of two pages, and files that cannot be read."""
    source = random.Random(1)
    found: list[bytes] = []
    for number in range(count):
        kind = 37 * number % 50  # spread, and always the same
        if kind < 30:
            found.append(label(f"Delivery {number:05d} to the harbour", source.choice((20, 26, 34))))
        elif kind < 42:
            found.append(encoded(source.choice((draw_receipt, draw_screen))(source)))
        elif kind < 46:
            found.append(encoded(draw_letter(source, source.randint(500, 1400), source.randint(500, 1400))))
        elif kind == 46:
            found.append(encoded(draw_letter(source, 2480, 1754, 60)))
        elif kind == 47:
            found.append(_pdf([draw_letter(source, 800, 500, 24) for _ in range(2)]))
        else:
            found.append(b"GIF89a" if kind == 48 else found[0][:300])
    return found


def _pdf(images: list[Image.Image]) -> bytes:
    file = io.BytesIO()
    never = time.gmtime(0)
    images[0].save(file, "PDF", save_all=True, append_images=images[1:], creationDate=never, modDate=never)
    return file.getvalue()
