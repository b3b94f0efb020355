"""What the tests of the page view see of it, and pages that are drawn for them."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.page.harness import give

SERIF: Final = "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"
Json = Mapping[str, Any]


def view(page: Page) -> Locator:
    """The part of the view that scrolls."""
    return page.get_by_role("region", name="Page view").get_by_role("group", name="text panel")


def box(page: Page, key: str) -> Locator:
    """The box of a line on the image; keys are "page:line", both counted from 1."""
    return page.locator(f'[data-part="boxes"] polygon[data-key="{key}"]')


def key_of(document: Json, text: str) -> str:
    """The key of the first line that contains a text."""
    return next(
        f"{each['number']}:{index}"
        for each in document["pages"]
        for index, line in enumerate(each["lines"], 1)
        if text in line["text"]
    )


def shown(page: Page, lines: int) -> None:
    """Waits until the picture and all boxes of a page are there, of the whole reading and not of the quick one before it."""
    expect(page.locator("nav [data-state=done]")).to_be_attached()
    expect(page.locator('[data-part="boxes"] polygon')).to_have_count(lines)
    expect(page.locator(".sheet canvas").first).to_be_attached()


def answered(page: Page, document: Json, name: str, content: bytes) -> None:
    """Gives a picture that the server is not asked about: the document is its answer."""

    def answer(route: Route) -> None:
        route.fulfill(json=document)

    page.route("**/v1/ocr", answer)
    page.route("**/v1/preview", answer)
    kind = "image/png" if name.endswith(".png") else "application/pdf"
    field = page.locator("input[type=file]:not([webkitdirectory]):not([capture])").first
    field.set_input_files({"name": name, "mimeType": kind, "buffer": content})


def read(page: Page, document: Json, name: str) -> None:
    """Gives a sample and waits for all that was read on its first page."""
    give(page, name)
    shown(page, len(document["pages"][0]["lines"]))


def document_of(*pages: Sequence[Json], width: int, height: int) -> Json:
    """A document of the schema shizi/1 with these lines on its pages."""
    return {
        "schema": "shizi/1",
        "text": "\f".join("\n".join(line["text"] for line in lines) for lines in pages),
        "pages": [
            {
                "number": number,
                "width": width,
                "height": height,
                "angle": 0,
                "lines": list(lines),
                "text": "\n".join(line["text"] for line in lines),
                "tables": [],
                "fields": [],
                "quality": {},
                "warnings": [],
            }
            for number, lines in enumerate(pages, 1)
        ],
        "models": [],
        "timings_ms": {},
    }


def line_of(text: str, corner: tuple[float, float], size: tuple[float, float], score: float = 0.99) -> Json:
    """An upright line whose words divide its width evenly."""
    (x, y), (width, height) = corner, size

    def rectangle(left: float, right: float) -> list[list[float]]:
        return [[left, y], [right, y], [right, y + height], [left, y + height]]

    words = text.split()
    step = width / len(words)
    return {
        "text": text,
        "score": score,
        "polygon": rectangle(x, x + width),
        "angle": 0.0,
        "vertical": False,
        "source": "ocr",
        "words": [
            {"text": word, "score": score, "polygon": rectangle(x + k * step, x + (k + 0.9) * step)}
            for k, word in enumerate(words)
        ],
    }


def blank_png(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (width, height), 255).save(stream, "PNG")
    return stream.getvalue()


def columns_png(columns: Sequence[str]) -> bytes:
    """Chinese in columns, from right to left, as in old books."""
    font = ImageFont.truetype(SERIF, 44)
    image = Image.new("L", (150 + 110 * len(columns), 800), 255)
    draw = ImageDraw.Draw(image)
    for number, column in enumerate(columns):
        for row, character in enumerate(column):
            draw.text((image.width - 160 - 110 * number, 90 + 60 * row), character, font=font, fill=0)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def pdf_of(pages: int) -> bytes:
    """A PDF whose pages say their numbers, in a font that it does not bring along."""
    kids = " ".join(f"{4 + 2 * k} 0 R" for k in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {pages} /Kids [{kids}] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number in range(1, pages + 1):
        objects += _page(len(objects) + 2, "/Font << /F 3 0 R >>", f"BT /F 60 Tf 120 600 Td (Page {number}) Tj ET")
    return _pdf(objects)


def scan_pdf(picture: Image.Image) -> bytes:
    """A PDF of one page, which is a picture in JPEG 2000, as scanners and archives make them."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG2000")
    head = (
        f"<< /Type /XObject /Subtype /Image /Width {picture.width} /Height {picture.height} /Filter /JPXDecode "
        f"/Length {stream.tell()} >>\nstream\n"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
        head.encode() + stream.getvalue() + b"\nendstream",
        *_page(5, "/XObject << /X 3 0 R >>", "q 595 0 0 842 0 0 cm /X Do Q"),
    ]
    return _pdf(objects)


def _page(content: int, resources: str, drawing: str) -> list[bytes]:
    """A page and what is drawn on it, which is object number `content`."""
    return [
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << {resources} >> "
        f"/Contents {content} 0 R >>".encode(),
        f"<< /Length {len(drawing)} >>\nstream\n{drawing}\nendstream".encode(),
    ]


def _pdf(objects: Sequence[bytes]) -> bytes:
    out, offsets = bytearray(b"%PDF-1.5\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    return bytes(out) + end.encode()


def copied(page: Page) -> str:
    """What the clipboard holds after all text of the page was selected on the image."""
    view(page).focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    return str(page.evaluate("() => navigator.clipboard.readText()"))


def share_of_words(text: str, wanted: str) -> float:
    """The share of the words wanted that stand in a text."""
    words = Counter(wanted.split())
    return (words & Counter(text.split())).total() / words.total()
