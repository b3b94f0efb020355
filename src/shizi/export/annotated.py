"""A picture to look at: the page with the boxes of its lines, and beside it what was read, in the same places.

How sure a line is shows by colour and by the stroke of its box, so that nobody needs to tell colours apart.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shizi.errors import InvalidRequest
from shizi.export.base import Original, required
from shizi.export.fonts import find_font
from shizi.export.original import original_pages
from shizi.export.pieces import printable
from shizi.types import Document, Line, Page, Point, Polygon

MOST_PAGES = 20
MOST_PIXELS = 60_000_000  # of the whole picture
LONG_SIDE = 2000  # pixels of a page in the picture, where the file has as many
SHORT_ENOUGH = 900  # smaller pages are enlarged to this long side
MOST_ENLARGEMENT = 3.0
MARGIN = 16
NO_FONT = "no font with Chinese characters was found, so the text is not drawn (Debian: fonts-noto-cjk)"

_PAPER = (255, 255, 255)
_INK = (32, 33, 36)
_GROUND = (236, 238, 241)

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Style:
    """How lines of a score look; `dash` is the lengths of stroke and gap in widths of the stroke."""

    least: float
    name: str
    colour: _Colour
    dash: tuple[int, int] | None


# Colours of Okabe and Ito (2008), which colour-blind people can tell apart.
STYLES = (
    Style(0.9, "score 0.90 and above", (0, 114, 178), None),
    Style(0.7, "0.70 to 0.90", (196, 120, 0), (5, 3)),
    Style(-math.inf, "below 0.70", (213, 50, 0), (1, 2)),
)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A page as it is drawn: upright, scaled."""

    page: Page
    scale: float
    size: tuple[int, int]
    font: tuple[str, int] | None

    def points(self, polygon: Polygon) -> tuple[Point, ...]:
        """Corners of the page's polygon in this sheet."""
        page, scale = self.page, self.scale
        if page.angle == 90:
            polygon = tuple((y, page.width - x) for x, y in polygon)
        elif page.angle == 180:
            polygon = tuple((page.width - x, page.height - y) for x, y in polygon)
        elif page.angle == 270:
            polygon = tuple((page.height - y, x) for x, y in polygon)
        return tuple((x * scale, y * scale) for x, y in polygon)

    def letters(self, size: float) -> _Font:
        """The font at a size in pixels; Pillow's own where there is no Chinese one, for notes and numbers."""
        whole = max(round(size), 6)
        if self.font is None:
            return ImageFont.load_default(whole)
        return ImageFont.truetype(self.font[0], whole, self.font[1], layout_engine=ImageFont.Layout.BASIC)


def render(document: Document, original: Original | None) -> bytes:
    """A PNG; several pages stand below each other, all of them turned upright.

    Raises:
        InvalidRequest: no original or another than the document's, no page, or more than MOST_PAGES pages.
        ShiziError: as in decoding.
    """
    original = required(original, "annotated")
    count = len(document.pages)
    if not 1 <= count <= MOST_PAGES:
        raise InvalidRequest(
            f"the document has {count} pages, a picture shows 1 to {MOST_PAGES}: choose some (--pages)"
        )
    font = find_font()
    numbers = {page.number for page in document.pages}
    images = original_pages(original, numbers)
    parts = []
    for page, image in zip(document.pages, images, strict=True):
        _check_shape(page, image.width, image.height)
        if image.pixels is None:
            raise AssertionError("pages are rendered unless only the text layer is asked for")
        parts.append(_draw_page(_sheet(page, count, font), image.pixels))
    parts.append(_legend(max(part.width for part in parts), font))
    picture = Image.new("RGB", (max(part.width for part in parts), sum(part.height for part in parts)), _GROUND)
    top = 0
    for part in parts:
        picture.paste(part, (0, top))
        top += part.height
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _check_shape(page: Page, width: int, height: int) -> None:
    # The same PDF may have been rendered at another resolution; its shape stays.
    if abs(page.width * height - page.height * width) > 0.02 * page.width * height:
        raise InvalidRequest(
            f"page {page.number} was read from {page.width} x {page.height} pixels, the original "
            f"has {width} x {height}: give the file that the document was read from"
        )


def _sheet(page: Page, count: int, font: tuple[str, int] | None) -> _Sheet:
    width, height = (page.height, page.width) if page.angle in (90, 270) else (page.width, page.height)
    longest = max(width, height)
    scale = min(max(SHORT_ENOUGH / longest, 1.0), MOST_ENLARGEMENT, LONG_SIDE / longest)
    scale = min(scale, math.sqrt(MOST_PIXELS / (2 * width * height * count)))
    return _Sheet(page, scale, (max(round(width * scale), 1), max(round(height * scale), 1)), font)


def _draw_page(sheet: _Sheet, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Image.Image:
    upright = np.ascontiguousarray(np.rot90(pixels, sheet.page.angle // 90))
    left = Image.fromarray(upright).resize(sheet.size, Image.Resampling.LANCZOS)
    _draw_boxes(left, sheet)
    panels = [left]
    if sheet.font is not None:
        right = Image.new("RGB", sheet.size, _PAPER)
        _draw_texts(right, sheet)
        panels.append(right)
    width = MARGIN + sum(panel.width + MARGIN for panel in panels)
    letters = sheet.letters(_note_size(width))
    head = _note_size(width) + 2 * MARGIN
    part = Image.new("RGB", (width, head + sheet.size[1]), _GROUND)
    ImageDraw.Draw(part).text((MARGIN, head / 2), _headline(sheet.page), _INK, letters, anchor="lm")
    at = MARGIN
    for panel in panels:
        part.paste(panel, (at, head))
        at += panel.width + MARGIN
    return part


def _note_size(width: int) -> int:
    """Height of notes in a picture of this width, which will be looked at as a whole."""
    return min(max(width // 90, 16), 26)


def _headline(page: Page) -> str:
    count = len(page.lines)
    parts = [f"page {page.number}", f"{count} {'line' if count == 1 else 'lines'}"]
    if count:
        parts.append(f"mean score {sum(line.score for line in page.lines) / count:.2f}")
    if page.angle:
        parts.append(f"was turned by {page.angle}° clockwise")
    return "  |  ".join(parts)


def style_of(score: float) -> Style:
    """The style of lines with a score."""
    return next((style for style in STYLES if score >= style.least), STYLES[-1])


def _draw_boxes(image: Image.Image, sheet: _Sheet) -> None:
    draw = ImageDraw.Draw(image)
    stroke = max(round(max(sheet.size) / 700), 2)
    tags = []
    for number, line in enumerate(sheet.page.lines, start=1):
        corners = sheet.points(line.polygon)
        style = style_of(line.score)
        _outline(draw, corners, style, stroke)
        tags.append((corners, str(number), style))
    # After all boxes, so that no box crosses a number.
    for corners, label, style in tags:
        _tag(draw, corners, label, style, sheet)


def _outline(draw: ImageDraw.ImageDraw, corners: tuple[Point, ...], style: Style, stroke: int) -> None:
    for start, end in zip(corners, (*corners[1:], *corners[:1]), strict=True):
        for piece in _strokes(start, end, style.dash, stroke):
            draw.line(piece, style.colour, stroke)


def _strokes(start: Point, end: Point, dash: tuple[int, int] | None, stroke: int) -> Iterator[tuple[Point, Point]]:
    length = math.dist(start, end)
    if dash is None or length == 0:
        yield start, end
        return
    on, period = dash[0] * stroke, sum(dash) * stroke
    for index in range(math.ceil(length / period)):
        begin = index * period
        yield _between(start, end, begin / length), _between(start, end, min((begin + on) / length, 1.0))


def _between(start: Point, end: Point, part: float) -> Point:
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def _tag(draw: ImageDraw.ImageDraw, corners: tuple[Point, ...], label: str, style: Style, sheet: _Sheet) -> None:
    """The number in reading order, outside of the box at the start of its text where there is room."""
    height = min(math.dist(corners[0], corners[3]), math.dist(corners[0], corners[1]))
    size = min(max(0.5 * height, 11), 20)
    letters = sheet.letters(size)
    wide, tall = draw.textlength(label, letters) + 0.5 * size, 1.15 * size
    x = min(max(corners[0][0] - wide - 2, 0), sheet.size[0] - wide)
    y = min(max(corners[0][1], 0), sheet.size[1] - tall)
    draw.rounded_rectangle((x, y, x + wide, y + tall), 0.25 * size, style.colour)
    draw.text((x + wide / 2, y + tall / 2), label, _PAPER, letters, anchor="mm")


def _draw_texts(image: Image.Image, sheet: _Sheet) -> None:
    for line in sheet.page.lines:
        corners = sheet.points(line.polygon)
        style = style_of(line.score)
        tile = _tile(line, corners, sheet)
        across = math.degrees(math.atan2(corners[1][1] - corners[0][1], corners[1][0] - corners[0][0]))
        if abs(across) > 0.5:
            tile = tile.rotate(-across, Image.Resampling.BICUBIC, expand=True)
        middle = (sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4)
        place = (round(middle[0] - tile.width / 2), round(middle[1] - tile.height / 2))
        _outline(ImageDraw.Draw(image), corners, Style(0, "", _pale(style.colour), style.dash), 1)
        image.paste(_INK if style is STYLES[0] else style.colour, place, tile)


def _pale(colour: _Colour) -> _Colour:
    red, green, blue = (value + (255 - value) * 3 // 5 for value in colour)
    return red, green, blue


def _tile(line: Line, corners: tuple[Point, ...], sheet: _Sheet) -> Image.Image:
    """The line's text as a mask of the size of its box, not yet turned."""
    width = max(round((math.dist(corners[0], corners[1]) + math.dist(corners[3], corners[2])) / 2), 1)
    height = max(round((math.dist(corners[0], corners[3]) + math.dist(corners[1], corners[2])) / 2), 1)
    tile = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(tile)
    text = " ".join(printable(line.text).split())
    if not text:
        return tile
    if line.vertical:
        step = height / len(text)
        letters = sheet.letters(min(0.95 * width, step))
        for index, character in enumerate(text):
            draw.text((width / 2, (index + 0.5) * step), character, 255, letters, anchor="mm")
        return tile
    size = 0.82 * height
    length = draw.textlength(text, sheet.letters(size))
    letters = sheet.letters(min(size, size * width / max(length, 1)))
    draw.text((0, height / 2), text, 255, letters, anchor="lm")
    return tile


def _legend(width: int, font: tuple[str, int] | None) -> Image.Image:
    size = _note_size(width)
    letters = _Sheet(Page(1, 1, 1), 1.0, (1, 1), font).letters(size)
    texts = ["boxes are numbered in reading order", *([NO_FONT] if font is None else [])]
    image = Image.new("RGB", (width, 2 * MARGIN + round(1.6 * size) * (1 + len(texts))), _GROUND)
    draw = ImageDraw.Draw(image)
    x, y = float(MARGIN), MARGIN + 0.8 * size
    for style in STYLES:
        right, top, bottom = x + 2.5 * size, y - 0.5 * size, y + 0.5 * size
        _outline(draw, ((x, top), (right, top), (right, bottom), (x, bottom)), style, 2)
        draw.text((right + 0.5 * size, y), style.name, _INK, letters, anchor="lm")
        x = right + 2 * size + draw.textlength(style.name, letters)
    for text in texts:
        y += 1.6 * size
        draw.text((MARGIN, y), text, _INK, letters, anchor="lm")
    return image
