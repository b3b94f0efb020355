"""A sheet of paper to draw on, which keeps the text of everything drawn as the truth to compare a reading with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

NOTO = Path("/usr/share/fonts/opentype/noto")
DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
SIMPLIFIED_CHINESE = 2  # index of the face inside the Noto CJK collections
FACES = {
    "sans": (NOTO / "NotoSansCJK-Regular.ttc", SIMPLIFIED_CHINESE),
    "bold": (NOTO / "NotoSansCJK-Bold.ttc", SIMPLIFIED_CHINESE),
    "serif": (NOTO / "NotoSerifCJK-Regular.ttc", SIMPLIFIED_CHINESE),
    "serif-bold": (NOTO / "NotoSerifCJK-Bold.ttc", SIMPLIFIED_CHINESE),
    "mono": (DEJAVU / "DejaVuSansMono.ttf", 0),
    "mono-bold": (DEJAVU / "DejaVuSansMono-Bold.ttf", 0),
}
INK = (34, 34, 38)


@cache
def font(face: str, size: int) -> ImageFont.FreeTypeFont:
    """A face of Debian's packages fonts-noto-cjk and fonts-dejavu-core, laid out without optional shaping libraries."""
    path, index = FACES[face]
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)


class Sheet:
    """White paper; `lines` holds what a person would type from it, row by row."""

    def __init__(self, width: int, height: int, paper: tuple[int, int, int] = (255, 255, 255)) -> None:
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)
        self.lines: list[str] = []

    def put(
        self,
        xy: tuple[float, float],
        text: str,
        size: int,
        face: str = "sans",
        anchor: str = "ls",
        ink: tuple[int, int, int] = INK,
    ) -> None:
        """Draw text and note it as a line of its own; `xy` is on the base line."""
        self.row([(xy[0], text, anchor)], xy[1], size, face, ink)

    def row(
        self,
        cells: Sequence[tuple[float, str, str]],
        y: float,
        size: int,
        face: str = "sans",
        ink: tuple[int, int, int] = INK,
    ) -> None:
        """Draw cells (x, text, anchor) on one base line and note them as one line."""
        for x, text, anchor in cells:
            self.draw.text((x, y), text, font=font(face, size), fill=ink, anchor=anchor)
        self.lines.append(" ".join(text for _, text, _ in cells))

    def rule(self, x0: float, x1: float, y: float, width: int = 1, ink: tuple[int, int, int] = (150, 150, 156)) -> None:
        """A horizontal line."""
        self.draw.line((x0, y, x1, y), fill=ink, width=width)

    def truth(self) -> str:
        """What stands on the sheet."""
        return "\n".join(self.lines) + "\n"
