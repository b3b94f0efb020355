"""The searchable PDF, read back by another library: every word in its place, on pages turned any way."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import pytest
from pdfminer.converter import PDFPageAggregator
from pdfminer.high_level import extract_text
from pdfminer.layout import LTChar, LTComponent, LTContainer, LTPage
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from PIL import Image

from shizi.errors import InvalidRequest
from shizi.export.base import Original
from shizi.export.pdf.searchable import render
from shizi.imaging.limits import Limits
from shizi.types import Document, Line, Page, Point, Polygon, Source, Word

WIDTH, HEIGHT = 600, 800
Bounds = tuple[float, float, float, float]


def box(x: float, y: float, width: float, height: float) -> Polygon:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def line(text: str, x: float, y: float, *, slant: float = 0.0, source: Source = "ocr") -> Line:
    """A line of words of 20 pixels height, Chinese characters being twice as wide as others."""
    cosine, sine = math.cos(math.radians(slant)), math.sin(math.radians(slant))

    def place(polygon: Polygon) -> Polygon:
        return tuple(
            (x + (px - x) * cosine - (py - y) * sine, y + (px - x) * sine + (py - y) * cosine) for px, py in polygon
        )

    words = []
    at = x
    for word in text.split(" "):
        wide = sum(19.0 if ord(character) > 0x2E80 else 9.0 for character in word)
        words.append(Word(word, 0.9, place(box(at, y, wide, 20))))
        at += wide + 7
    return Line(text, 0.9, place(box(x, y, at - 7 - x, 20)), slant % 360, tuple(words), source)


def vertical(text: str, x: float, y: float) -> Line:
    polygon = box(x, y, 24, 26.0 * len(text))
    return Line(text, 0.9, polygon, 0.0, (Word(text, 0.9, polygon),), vertical=True)


LINES = (
    line("The quick brown fox, jumps.", 60, 60),
    line("发票号码 No. 12345678 北京市", 60, 110),
    line("astral \U00020000\U0002a6df 😀 end", 60, 160),
    line("slanted 斜的 text", 60, 220, slant=7),
    line("upwards 向上", 300, 700, slant=-35),
    vertical("竖排文字在此", 540, 100),
)


def turned(point: Point, angle: int) -> Point:
    x, y = point
    return {0: (x, y), 90: (HEIGHT - y, x), 180: (WIDTH - x, HEIGHT - y), 270: (y, WIDTH - x)}[angle]


def page(angle: int, lines: tuple[Line, ...] = LINES, number: int = 1) -> Page:
    def move(polygon: Polygon) -> Polygon:
        return tuple(turned(point, angle) for point in polygon)

    def moved(value: Line) -> Line:
        words = tuple(Word(word.text, word.score, move(word.polygon)) for word in value.words)
        turn = (value.angle + angle) % 360
        return Line(value.text, value.score, move(value.polygon), turn, words, value.source, value.vertical)

    size = (HEIGHT, WIDTH) if angle in (90, 270) else (WIDTH, HEIGHT)
    return Page(number, *size, angle, tuple(map(moved, lines)))


def picture(value: Page, kind: str = "PNG") -> Original:
    out = io.BytesIO()
    Image.new("RGB", (value.width, value.height), (250, 240, 200)).save(out, kind)
    return Original(out.getvalue(), None, Limits())


def plain_pdf(rotate: int, pages: int = 1) -> Original:
    """A PDF with a crop box off the origin, pages that inherit all, and content that leaves its graphics state."""
    kids = " ".join(f"{4 + index} 0 R" for index in range(pages))
    content = b"q 2 0 0 2 10 10 cm 1 0 0 RG 10 10 50 50 re S"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} /Rotate {rotate} /MediaBox [0 0 500 600] "
        "/CropBox [50 30 350 430] /Resources << >> >>".encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        *[b"<< /Type /Page /Parent 2 0 R /Contents 3 0 R >>"] * pages,
    ]
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(bodies) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return Original(data + end % (size, table, size, len(data)), None, Limits())


def characters(component: LTComponent) -> Iterator[LTChar]:
    if isinstance(component, LTChar):
        yield component
    elif isinstance(component, LTContainer):
        for child in component:
            yield from characters(child)


def read(data: bytes) -> list[LTPage]:
    """The pages with their characters in the order of the file, not put together by pdfminer's layout analysis."""
    manager = PDFResourceManager()
    device = PDFPageAggregator(manager, laparams=None)
    interpreter = PDFPageInterpreter(manager, device)
    sheets = []
    for sheet in PDFPage.get_pages(io.BytesIO(data)):
        interpreter.process_page(sheet)
        sheets.append(device.get_result())
    return sheets


def placed(sheet: LTPage, lines: tuple[Line, ...]) -> list[tuple[str, Bounds]]:
    """Text and bounds, in parts of the page and from its top left corner, of each word, in the order of the lines."""
    found = list(characters(sheet))
    result = []
    for value in lines:
        for index, word in enumerate(value.words):
            if index:
                assert found.pop(0).get_text() == " "
            own = [found.pop(0) for _ in word.text]
            bounds = (
                min(c.x0 for c in own) / sheet.width, 1 - max(c.y1 for c in own) / sheet.height,
                max(c.x1 for c in own) / sheet.width, 1 - min(c.y0 for c in own) / sheet.height,
            )  # fmt: skip
            result.append(("".join(c.get_text() for c in own), bounds))
    assert not found
    return result


def assert_in_place(sheet: LTPage, value: Page, shown_upright: bool) -> None:
    """Each word within two pixels of where it stands on the page as it is shown."""
    back = -value.angle % 360 if shown_upright else 0

    def shown(x: float, y: float) -> Point:
        wide, tall = value.width, value.height
        return {0: (x, y), 90: (tall - y, x), 180: (wide - x, tall - y), 270: (y, wide - x)}[back]

    size = (value.height, value.width) if back in (90, 270) else (value.width, value.height)
    words = [word for entry in value.lines for word in entry.words]
    found = placed(sheet, value.lines)
    assert [text for text, _ in found] == [word.text for word in words]
    for (_, bounds), word in zip(found, words, strict=True):
        xs, ys = zip(*(shown(x, y) for x, y in word.polygon), strict=True)
        expected = (min(xs), min(ys), max(xs), max(ys))
        actual = tuple(part * side for part, side in zip(bounds, size * 2, strict=True))
        assert actual == pytest.approx(expected, abs=2.0), word.text


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_words_stand_in_their_places_on_a_picture_that_is_shown_upright(angle: int, kind: str) -> None:
    value = page(angle)
    sheet = read(render(Document((value,)), picture(value, kind)))[0]
    assert (sheet.width < sheet.height) == (WIDTH < HEIGHT)
    assert_in_place(sheet, value, shown_upright=True)


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_words_stand_in_their_places_on_the_page_of_a_pdf(angle: int, rotate: int) -> None:
    value = page(angle)
    # The rendered page has the sides of the crop box, 3 to 4 as well, turned by /Rotate.
    if (value.width < value.height) != (rotate in (0, 180)):
        rotate = (rotate + 90) % 360
    (sheet,) = read(render(Document((value,)), plain_pdf(rotate)))
    cropped = Cropped(sheet, rotate)
    assert_in_place(cropped, value, shown_upright=False)


class Cropped(LTPage):
    """A page as readers show it: pdfminer places characters in the media box, readers show the crop box."""

    def __init__(self, sheet: LTPage, rotate: int) -> None:
        left, bottom, right, top = {0: (50, 30, 350, 430), 90: (30, 150, 430, 450), 180: (150, 170, 450, 570),
                                    270: (170, 50, 570, 350)}[rotate]  # fmt: skip
        super().__init__(sheet.pageid, (0, 0, right - left, top - bottom))
        for character in characters(sheet):
            character.set_bbox((character.x0 - left, character.y0 - bottom, character.x1 - left, character.y1 - bottom))
            self.add(character)


def test_phrases_are_found_as_they_were_written() -> None:
    value = page(0)
    text = extract_text(io.BytesIO(render(Document((value,)), picture(value))))
    for entry in LINES[:4]:
        assert entry.text in text


def test_only_ocr_lines_are_laid_over_a_pdf() -> None:
    lines = (line("already there", 60, 60, source="text-layer"), line("read 识字", 60, 100))
    value = page(0, lines)
    assert "".join(c.get_text() for c in characters(read(render(Document((value,)), plain_pdf(0)))[0])) == "read 识字"
    nothing_new = Document((page(0, lines[:1]),))
    source = plain_pdf(0)
    assert render(nothing_new, source) == source.data


def test_only_the_pages_of_the_document_are_exported() -> None:
    source = plain_pdf(0, pages=4)
    pages = (page(0, (line("second", 60, 60),), 2), page(0, (line("fourth", 60, 60),), 4))
    sheets = read(render(Document(pages), source))
    assert ["".join(c.get_text() for c in characters(sheet)) for sheet in sheets] == ["second", "fourth"]


def test_several_frames_become_several_pages() -> None:
    frames = [Image.new("L", (WIDTH, HEIGHT), shade) for shade in (100, 200, 250)]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    pages = tuple(page(0, (line(f"page {number}", 60, 60),), number) for number in (1, 3))
    sheets = read(render(Document(pages), Original(out.getvalue(), None, Limits())))
    assert ["".join(c.get_text() for c in characters(sheet)) for sheet in sheets] == ["page 1", "page 3"]


def test_characters_that_no_pdf_can_hold_do_no_harm() -> None:
    value = page(0, (line("a\x00b\ud800c", 60, 60), Line("\x01", 1, box(9, 9, 9, 9)), Line("zero", 1, box(5, 5, 0, 0))))
    text = "".join(c.get_text() for c in characters(read(render(Document((value,)), picture(value)))[0]))
    assert text == "a b\ufffdczero"


def test_another_original_is_refused() -> None:
    value = page(0)
    for source in (picture(Page(1, 500, 800)), picture(Page(1, 500, 800), "JPEG")):
        with pytest.raises(InvalidRequest, match="give the file that the document was read from"):
            render(Document((value,)), source)
    with pytest.raises(InvalidRequest, match="does not have"):
        render(Document((value, page(0, number=2))), picture(value, "JPEG"))
    with pytest.raises(InvalidRequest, match="has a page 9"):
        render(Document((page(0, number=9),)), plain_pdf(0))
    with pytest.raises(InvalidRequest, match="no page"):
        render(Document(()), plain_pdf(0))
