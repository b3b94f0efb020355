"""Searchable PDF: the page as it was, and over it invisible text in the right place.

An image becomes a page with its own picture (a JPEG stream is not encoded again) that is shown upright where the text
was found to be turned. A PDF keeps its own pages, objects and encryption; only lines that were read by OCR are laid
over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shizi.errors import InvalidRequest
from shizi.export.base import Original, required
from shizi.export.pdf.font import Charset, add_font, glyphless
from shizi.export.pdf.image import Picture, dots_per_inch, jpeg_as_it_is, pack
from shizi.export.pdf.merge import lay_over
from shizi.export.pdf.text import Run, content, runs
from shizi.export.pdf.writer import PdfFile, number
from shizi.imaging.decode import is_pdf, open_pages
from shizi.types import Document, Page

POINTS = 72.0  # per inch
INVISIBLE = 3
MAX_SIDE = 14_400.0  # points; larger pages are not portable (ISO 32000-1, annex C.2)

# Where the unit square of the stored picture lies on the unit square of the page, by EXIF orientation; y upwards.
_TURNED = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}


def render(document: Document, original: Original | None, *, mode: int = INVISIBLE) -> bytes:
    """The searchable PDF of the pages of a document.

    Args:
        document: its pages must have been read from the original.
        original: the file.
        mode: text rendering mode; 1 strokes the diagonal of each character's box, to look at.

    Raises:
        InvalidRequest: no original, no page, another original than the document's, or some pages of an encrypted PDF.
        ShiziError: as in decoding.
    """
    original = required(original, "pdf")
    if not document.pages:
        raise InvalidRequest("the document has no page, and a PDF cannot have none")
    if is_pdf(original.data):
        numbers = [page.number for page in document.pages]
        return lay_over(original, numbers, _overlay_file(document.pages, mode))
    return _from_images(document.pages, original, mode)


def _lines(page: Page, *, only_ocr: bool) -> list[list[Run]]:
    return [placed for line in page.lines if (line.source == "ocr" or not only_ocr) and (placed := runs(line))]


def _overlay_file(pages: Sequence[Page], mode: int) -> bytes | None:
    """A PDF with only the text, one unit being one pixel; None where there is no text."""
    overlay = [_lines(page, only_ocr=True) for page in pages]
    if not any(overlay):
        return None
    book = _Book()
    for page, lines in zip(pages, overlay, strict=True):
        charset = Charset(run.text for line in lines for run in line)
        book.add_page((page.width, page.height), content(lines, charset, page.height, mode=mode), charset)
    return book.serialise()


def _from_images(pages: Sequence[Page], original: Original, mode: int) -> bytes:
    book = _Book()
    for page, picture in zip(pages, _pictures(pages, original), strict=True):
        lines = _lines(page, only_ocr=False)
        charset = Charset(run.text for line in lines for run in line)
        scale = POINTS / dots_per_inch(original.data, page.width, page.height)
        scale = min(scale, MAX_SIDE / max(page.width, page.height))
        width, height = page.width * scale, page.height * scale
        turned = zip(_TURNED[picture.orientation], (width, height) * 3, strict=True)
        matrix = " ".join(number(value * side) for value, side in turned)
        text = content(lines, charset, page.height, mode=mode)
        drawing = f"q {matrix} cm /I Do Q\nq {number(scale, 6)} 0 0 {number(scale, 6)} 0 0 cm\n{text}\nQ"
        book.add_page((width, height), drawing, charset, picture, -page.angle % 360)
    return book.serialise()


def _pictures(pages: Sequence[Page], original: Original) -> Iterator[Picture]:
    as_it_is = jpeg_as_it_is(original.data)
    if as_it_is is not None:
        size = (as_it_is.width, as_it_is.height)
        _check_size(pages[0], *(size if as_it_is.orientation < 5 else size[::-1]))
        if len(pages) != 1 or pages[0].number != 1:
            raise InvalidRequest(
                "the document has pages that its original, a JPEG image, does not have; give the right original"
            )
        yield as_it_is
        return
    photo = original.data.startswith(b"\xff\xd8")
    numbers = {page.number for page in pages}
    # The iterator is bound to the order of the file; a document's pages have the same one.
    images = open_pages(original.data, limits=original.limits, pages=numbers, password=original.password)
    for page, image in zip(pages, images, strict=True):
        _check_size(page, image.width, image.height)
        if image.pixels is None:
            raise AssertionError("an image page is always decoded")
        yield pack(image.pixels, photo=photo)


def _check_size(page: Page, width: int, height: int) -> None:
    if (page.width, page.height) != (width, height):
        raise InvalidRequest(
            f"page {page.number} was read from {page.width} x {page.height} pixels, the original "
            f"has {width} x {height}: give the file that the document was read from"
        )


class _Book:
    """The pages of one new PDF."""

    def __init__(self) -> None:
        self._file = PdfFile()
        self._root = self._file.reserve()
        self._tree = self._file.reserve()
        font = glyphless()
        self._font_file = self._file.stream(f"/Length1 {len(font)}", font)
        self._pages: list[int] = []

    def add_page(
        self,
        size: tuple[float, float],
        drawing: str,
        charset: Charset,
        picture: Picture | None = None,
        rotate: int = 0,
    ) -> None:
        """A page of a size in points with a font /F and, where there is one, a picture /I."""
        box = " ".join(number(side) for side in size)
        font = add_font(self._file, charset, self._font_file)
        image = ""
        if picture is not None:
            image = f"/XObject << /I {self._file.stream(picture.entries, picture.data, compressed=True)} 0 R >> "
        contents = self._file.stream("", drawing.encode("ascii"))
        self._pages.append(
            self._file.add(
                f"<< /Type /Page /Parent {self._tree} 0 R /MediaBox [0 0 {box}] /Rotate {rotate} "
                f"/Contents {contents} 0 R /Resources << {image}/Font << /F {font} 0 R >> >> >>"
            )
        )

    def serialise(self) -> bytes:
        """The file."""
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._file.put(self._tree, f"<< /Type /Pages /Kids [{kids}] /Count {len(self._pages)} >>")
        self._file.put(self._root, f"<< /Type /Catalog /Pages {self._tree} 0 R >>")
        return self._file.serialise(self._root, self._file.add("<< /Producer (shizi) >>"))
