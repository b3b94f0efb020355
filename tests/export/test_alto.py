"""ALTO is well-formed, ordered as its schema wants, and says the text and its places."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from shizi.export.alto import NAMESPACE, render
from shizi.export.pieces import printable
from shizi.types import Document, Line, ModelInfo, Page, Polygon, Word

# The children that version 4.4 of the schema allows, in its order, for the elements that are written here.
ORDER = {
    "alto": ["Description", "Layout"],
    "Description": ["MeasurementUnit", "sourceImageInformation", "Processing"],
    "Processing": ["processingCategory", "processingStepSettings", "processingSoftware"],
    "Page": ["PrintSpace"],
    "TextBlock": ["TextLine"],
    "String": ["Shape"],
}


def box(x: float, y: float, width: float, height: float) -> Polygon:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def parse(*pages: Page, models: tuple[ModelInfo, ...] = ()) -> ET.Element:
    return ET.fromstring(render(Document(pages, models)))


def named(root: ET.Element, name: str) -> list[ET.Element]:
    return list(root.iter(f"{{{NAMESPACE}}}{name}"))


@given(
    st.lists(st.text(st.characters(exclude_categories=()) | st.sampled_from("<>&\"'\x00\x1b😀\u05d0\n"), max_size=12))
)
def test_any_text_comes_back(texts: list[str]) -> None:
    lines = tuple(Line(text, 0.5, box(10, 30.0 * index, 90, 20)) for index, text in enumerate(texts))
    strings = named(parse(Page(1, 200, 1000, lines=lines)), "String")
    assert [string.get("CONTENT") for string in strings] == [" ".join(printable(text).split()) for text in texts]


def test_words_spaces_and_confidence() -> None:
    words = (
        Word("发票", 0.98765, box(10.4, 20, 40, 20)),
        Word("No.", 1.2, box(60, 20, 30, 20)),
        Word("7", 1, box(90, 20, 9, 20)),
    )
    root = parse(Page(3, 200, 100, lines=(Line("发票 No.7", 0.9, box(10.4, 20, 88.6, 20), words=words),)))
    children = [child.tag.split("}")[1] for child in named(root, "TextLine")[0]]
    assert children == ["String", "SP", "String", "String"]
    first, second, _ = named(root, "String")
    assert [first.get(key) for key in ("CONTENT", "WC", "HPOS", "VPOS", "WIDTH", "HEIGHT")] == [
        "发票", "0.9877", "10.4", "20", "40", "20",
    ]  # fmt: skip
    assert second.get("WC") == "1.0000"
    page = named(root, "Page")[0]
    assert (page.get("PHYSICAL_IMG_NR"), page.get("WIDTH"), page.get("ROTATION")) == ("3", "200", None)


def test_turned_slanted_and_vertical_lines_say_so() -> None:
    slanted = Line("a", 1, ((5.0, 10.0), (95.0, 25.87), (91.5, 45.57), (1.5, 29.7)), 10.0)
    vertical = Line("竖排", 1, box(150, 10, 20, 80), vertical=True)
    root = parse(Page(1, 200, 100, 90, (slanted, vertical)))
    assert named(root, "Page")[0].get("ROTATION") == "270"
    assert [block.get("ROTATION") for block in named(root, "TextBlock")] == ["350", "0"]
    assert named(root, "Polygon")[0].get("POINTS") == "5,10 95,25.87 91.5,45.57 1.5,29.7"
    assert [line.get("BASEDIRECTION") for line in named(root, "TextLine")] == [None, "ttb"]


def test_the_order_of_the_schema_and_unique_ids() -> None:
    lines = (Line("a b", 1, box(0, 0, 50, 20)), Line("", 1, box(0, 70, 50, 20)))
    root = parse(Page(1, 200, 100, lines=lines), Page(2, 200, 100), models=(ModelInfo("detect", "m", "1", "0"),))
    for element in root.iter():
        tag = element.tag.split("}")[1]
        if tag in ORDER and len(element):
            names = [child.tag.split("}")[1] for child in element]
            assert names == sorted(names, key=ORDER[tag].index)
    assert all(len(named(line, "String")) >= 1 for line in named(root, "TextLine"))
    ids = [name for element in root.iter() if (name := element.get("ID"))]
    assert len(ids) == len(set(ids))
    assert named(root, "MeasurementUnit")[0].text == "pixel"
    assert named(root, "processingStepSettings")[0].text == "detect: m 1"
