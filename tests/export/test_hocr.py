"""hOCR is well-formed XHTML, and says the text and its places."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from shizi.export.hocr import render
from shizi.export.pieces import printable
from shizi.types import Document, Line, Page, Polygon, Word

XHTML = "{http://www.w3.org/1999/xhtml}"


def box(x: float, y: float, width: float, height: float) -> Polygon:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def parse(*pages: Page) -> dict[str, list[ET.Element]]:
    root = ET.fromstring(render(Document(pages)))
    found: dict[str, list[ET.Element]] = {}
    for element in root.iter():
        found.setdefault(element.get("class", element.tag.removeprefix(XHTML)), []).append(element)
    return found


@given(
    st.lists(
        st.text(st.characters(exclude_categories=()) | st.sampled_from("<>&\"'\x00\x1b😀\u05d0\u202e"), max_size=12)
    )
)
def test_any_text_comes_back(texts: list[str]) -> None:
    lines = tuple(Line(text, 0.5, box(10, 30.0 * index, 90, 20)) for index, text in enumerate(texts))
    found = parse(Page(1, 200, 1000, lines=lines)).get("ocr_line", [])
    assert ["".join(line.itertext()).strip() for line in found] == [" ".join(printable(text).split()) for text in texts]


def test_words_boxes_and_confidence() -> None:
    words = (
        Word("发票", 0.987, box(10.4, 20, 40, 20)),
        Word("No.", 0.5, box(60, 20, 40, 20)),
        Word("7", 1, box(99, 20, 9, 20)),
    )
    found = parse(Page(3, 200, 100, lines=(Line("发票 No.7", 0.9, box(10.4, 20, 97.6, 20), words=words),)))
    assert found["ocr_page"][0].get("title") == "bbox 0 0 200 100; ppageno 2"
    assert found["ocr_line"][0].get("title") == "bbox 10 20 108 40"
    assert "".join(found["ocr_line"][0].itertext()) == "发票 No.7"
    assert [word.get("title") for word in found["ocrx_word"]] == [
        "bbox 10 20 51 40; x_wconf 99", "bbox 60 20 100 40; x_wconf 50", "bbox 99 20 108 40; x_wconf 100",
    ]  # fmt: skip


def test_slanted_lines_have_their_polygon_and_angle_and_nothing_leaves_the_page() -> None:
    line = Line("a", 1, ((-5.0, 10.0), (95.0, 27.6), (91.5, 47.3), (-8.5, 29.7)), 10.0)
    title = parse(Page(1, 90, 100, lines=(line,)))["ocr_line"][0].get("title")
    assert title == "bbox 0 10 90 48; poly 0 10 90 28 90 47 0 30; textangle 350.00"


def test_ids_are_unique_and_capabilities_declared() -> None:
    pages = tuple(
        Page(n, 200, 100, lines=(Line("a b", 1, box(0, 0, 50, 20)), Line("c", 1, box(0, 70, 50, 20)))) for n in (1, 2)
    )
    found = parse(*pages)
    ids = [name for elements in found.values() for element in elements if (name := element.get("id"))]
    assert len(ids) == len(set(ids)) == 2 + 2 * (2 + 2 + 2 + 2)
    content = next(meta.get("content", "") for meta in found["meta"] if meta.get("name") == "ocr-capabilities")
    assert {kind for kind in found if re.match("ocrx?_", kind)} <= set(content.split())
