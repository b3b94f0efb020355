"""Documents that the bench draws for itself, so that it measures something anywhere, with nothing at hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_WORDS = """
account amount approved article balance before between branch carrier charge clause client contract copy
customer date delivery deposit during either enclosed entry estimate every figure final freight goods hereby
information insured invoice item labour ledger letter machine material measure minimum month notice number
office order other owner package paid party payment period person place port price product quantity rate
received record reference remain report request return sample schedule section service shipment signed since
standard state statement storage supply terms their through total transfer under unit until value vessel
warehouse weight when within without written year
"""
_INK, _PAPER = (30, 30, 36), (252, 252, 250)


def draw_all(folder: Path) -> tuple[Path, ...]:
    """Draws the documents of the bench, always the same ones, as PNG files into a folder."""
    paths = []
    for name, draw in DRAWN.items():
        path = folder / f"{name}.png"
        draw(random.Random(name)).save(path)  # noqa: S311 (no secret)
        paths.append(path)
    return tuple(paths)


def draw_letter(source: random.Random, width: int = 1240, height: int = 1754, size: int = 30) -> Image.Image:
    """A page of lines, by default an A4 page at 150 dots per inch."""
    page = Image.new("RGB", (width, height), _PAPER)
    pen, face = ImageDraw.Draw(page), _face(size)
    margin, pitch = width // 12, round(1.75 * size)
    for row, top in enumerate(range(margin, height - margin - pitch, pitch)):
        if row % 9 == 8:
            continue  # between two paragraphs
        share = 0.55 if row % 9 == 7 else 1.0
        pen.text((margin, top), _line(source, face, share * (width - 2 * margin)), font=face, fill=_INK)
    return page


def draw_receipt(source: random.Random) -> Image.Image:
    """Short pieces in three columns on a narrow sheet."""
    page = Image.new("RGB", (620, 1180), _PAPER)
    pen, face = ImageDraw.Draw(page), _face(24)
    pen.text((310, 50), "GENERAL STORE", font=_face(40), fill=_INK, anchor="mt")
    for top in range(140, 1100, 44):
        price = f"{source.randint(1, 99)}.{source.randint(0, 99):02}"
        pen.text((40, top), _line(source, face, 260), font=face, fill=_INK)
        pen.text((400, top), str(source.randint(1, 12)), font=face, fill=_INK, anchor="ra")
        pen.text((580, top), price, font=face, fill=_INK, anchor="ra")
    return page


def draw_screen(source: random.Random) -> Image.Image:
    """Light text of several sizes on a dark ground, as on a screen."""
    page = Image.new("RGB", (960, 600), (28, 32, 44))
    pen = ImageDraw.Draw(page)
    for column, size in enumerate((15, 20, 28)):
        face = _face(size)
        for top in range(40, 560, 4 * size):
            pen.text((30 + 310 * column, top), _line(source, face, 270), font=face, fill=(222, 226, 232))
    return page


DRAWN: dict[str, Callable[[random.Random], Image.Image]] = {
    "letter": draw_letter,
    "receipt": draw_receipt,
    "screen": draw_screen,
}


def _face(size: int) -> ImageFont.FreeTypeFont:
    """The face that comes with Pillow: a machine need not have any font."""
    face = ImageFont.load_default(size)
    if not isinstance(face, ImageFont.FreeTypeFont):
        raise RuntimeError(
            "this Pillow was built without FreeType, so the bench cannot draw text; give it files to read"
        )
    return face


def _line(source: random.Random, face: ImageFont.FreeTypeFont, width: float) -> str:
    """Words that fill this many pixels."""
    words = _WORDS.split()
    text = source.choice(words).capitalize()
    while face.getlength(longer := f"{text} {source.choice(words)}") <= width:
        text = longer
    return text
