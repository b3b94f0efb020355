"""Pages that the tests draw: what stands on them, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FONTS = {
    "zh": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "serif": "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "en": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
}
_SIMPLIFIED = 2  # the face of the collection that draws simplified Chinese

Box = tuple[float, float, float, float]


class Piece(NamedTuple):
    """A line of text, its left end, the top of its letters' height, and how it is set."""

    x: int
    y: int
    text: str
    size: int = 30
    font: str = "zh"


@cache
def face(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS[name], size, index=_SIMPLIFIED if name != "en" else 0)


@dataclass(frozen=True)
class Drawing:
    """A page and the boxes (left, top, right, bottom) of the words on it, line by line."""

    image: Image.Image
    words: tuple[tuple[Box, ...], ...]


def draw(width: int, height: int, pieces: Sequence[Piece], paper: str = "white", ink: str = "black") -> Drawing:
    image = Image.new("RGB", (width, height), paper)
    pen = ImageDraw.Draw(image)
    words = []
    for piece in pieces:
        font = face(piece.font, piece.size)
        pen.text((piece.x, piece.y), piece.text, font=font, fill=ink)
        words.append(tuple(_word_boxes(piece, font)))
    return Drawing(image, tuple(words))


def page(width: int, height: int, pieces: Sequence[Piece], paper: str = "white", ink: str = "black") -> Image.Image:
    return draw(width, height, pieces, paper, ink).image


def column(x: int, y: int, texts: Sequence[str], size: int = 30, pitch: int = 56, font: str = "zh") -> list[Piece]:
    """Lines one below the other."""
    return [Piece(x, y + pitch * row, text, size, font) for row, text in enumerate(texts)]


def standing(pen: ImageDraw.ImageDraw, x: int, y: int, text: str, size: int) -> None:
    """A vertical line: upright characters from top to bottom, (x, y) the top left of the first."""
    for row, character in enumerate(text):
        pen.text((x, y + row * (size + 4)), character, font=face("zh", size), fill="black")


def turned(image: Image.Image, degrees: int) -> Image.Image:
    """A page turned clockwise by quarter-turns."""
    if degrees == 0:
        return image
    return image.transpose(
        {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180}.get(degrees, Image.Transpose.ROTATE_90)
    )


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _word_boxes(piece: Piece, font: ImageFont.FreeTypeFont) -> list[Box]:
    boxes, start = [], 0
    for word in piece.text.split():
        at = piece.text.index(word, start)
        left, top, right, bottom = font.getbbox(word)
        shift = piece.x + font.getlength(piece.text[:at])
        boxes.append((shift + left, piece.y + top, shift + right, piece.y + bottom))
        start = at + len(word)
    return boxes
