"""What may be asked of the engine, and of what."""

from __future__ import annotations

import io
import unicodedata
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shizi import OCR, Document
from shizi.errors import CorruptDocument, ImageTooLarge, InvalidRequest, NotFound, UnsupportedFormat
from shizi.geometry import bounds
from shizi.imaging.decode import Source
from shizi.imaging.limits import Limits
from shizi.models.detector import Detection
from shizi.pipeline.draft import Draft
from shizi.pipeline.options import ReadOptions
from shizi.pipeline.reader import LineReader
from tests.imaging.conftest import Sheet, write_pdf
from tests.pipeline.drawn import Piece, column, page, pixels, turned

LINES = ["合同编号：20260042", "Thank you for your order"]
DRAWN = "BT /F1 24 Tf 30 140 Td (Invoice for March) Tj 0 -60 Td (Total 1234 EUR) Tj ET"


@pytest.fixture(scope="module")
def image() -> Image.Image:
    return page(700, 220, column(60, 50, LINES, 34, 80))


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def grey(text: str) -> tuple[int, int, bytes]:
    """A scan of one line, for a drawn PDF."""
    scan = page(600, 100, [Piece(20, 20, text, 44, "en")]).convert("L")
    return scan.width, scan.height, scan.tobytes()


def test_every_kind_of_source_gives_the_same(ocr: OCR, image: Image.Image, tmp_path: Path) -> None:
    data, path = png(image), tmp_path / "page.png"
    path.write_bytes(data)
    sources: list[Source] = [path, str(path), data, io.BytesIO(data), image, pixels(image)]
    documents = [ocr.read(source) for source in sources]
    assert documents[0].text.split("\n") == LINES
    assert all(document.pages == documents[0].pages for document in documents)


def test_a_grey_array_is_read_like_its_colours(ocr: OCR, image: Image.Image) -> None:
    assert ocr.read(np.asarray(image.convert("L"))).pages == ocr.read(image).pages


@pytest.mark.parametrize(
    "source",
    [
        np.zeros((5, 5, 4), dtype=np.uint8),
        np.zeros((5, 5, 3), dtype=np.float32),
        np.zeros((0, 5, 3), dtype=np.uint8),
        np.zeros(5, dtype=np.uint8),
        42,
        io.StringIO("text"),
    ],
)
def test_what_is_no_source_is_refused(ocr: OCR, source: Source) -> None:
    with pytest.raises(InvalidRequest, match=r"source is|text; open it in binary mode"):
        ocr.read(source)


def test_what_cannot_be_decoded_is_refused(ocr: OCR, image: Image.Image, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"absent\.png"):
        ocr.read(tmp_path / "absent.png")
    with pytest.raises(UnsupportedFormat, match="GIF"):
        ocr.read(b"GIF89a" + bytes(50))
    with pytest.raises(CorruptDocument):
        ocr.read(png(image)[:300])


def test_only_the_asked_languages_are_read(ocr: OCR, image: Image.Image) -> None:
    english = ocr.read(image, languages=("en",)).text
    assert LINES[1] in english
    assert not any("CJK" in unicodedata.name(character, "") for character in english)
    assert ocr.read(image, languages=("zh", "en")).text == ocr.read(image).text


def test_an_unknown_language_is_refused_with_the_known_ones(ocr: OCR, image: Image.Image) -> None:
    with pytest.raises(InvalidRequest, match=r"'tlh'.*\ben\b.*\bzh\b"):
        ocr.read(image, languages=("en", "tlh"))


@pytest.mark.parametrize("languages", ["zh", "", [], ()])
def test_languages_are_a_list_that_is_not_empty(ocr: OCR, image: Image.Image, languages: list[str]) -> None:
    with pytest.raises(InvalidRequest, match=r"languages is .*; give a list of tags such as \['zh', 'en'\], or None"):
        ocr.read(image, languages=languages)


def test_a_region_of_a_language_does_not_matter(ocr: OCR, image: Image.Image) -> None:
    assert ocr.read(image, languages=["zh-CN", "en_US"]).text.split("\n") == LINES


def test_detection_alone(ocr: OCR, image: Image.Image) -> None:
    whole, places = ocr.read(image).pages[0], ocr.read(image, recognize=False).pages[0]
    assert [line.text for line in places.lines] == ["", ""]
    assert places.text == ""
    assert [line.polygon for line in places.lines] == [line.polygon for line in whole.lines]
    assert all(0 < line.score <= 1 for line in places.lines)


@pytest.mark.parametrize("angle", [0, 180])
def test_a_ready_cut_line_is_read_without_detection(ocr: OCR, angle: int) -> None:
    crop = turned(page(420, 60, [Piece(10, 5, "发票号码20260042", 36)]), angle)
    (found,) = ocr.read(crop, detect=False).pages
    (line,) = found.lines
    assert line.text == "发票号码20260042"
    corners = [(0, 0), (420, 0), (420, 60), (0, 60)]
    assert list(line.polygon) == (corners if angle == 0 else corners[2:] + corners[:2])


def test_a_line_reads_the_same_cut_out_and_on_its_page(ocr: OCR) -> None:
    texts = ["Payment within thirty days", "请在三日内付款并保留收据", "Order 48215 of 12 May", "合计：¥1,234.50"]
    image = page(800, 360, column(60, 50, texts, 34, 80))
    found = ocr.read(image).pages[0]
    assert [line.text for line in found.lines] == texts
    for line in found.lines:
        left, top, right, bottom = bounds(np.array([line.polygon], dtype=np.float32))[0]
        crop = image.crop((int(left), int(top), int(right) + 1, int(bottom) + 1))
        assert ocr.read(crop, detect=False).text == line.text


def test_a_document_names_the_models_that_read_it(ocr: OCR, image: Image.Image) -> None:
    document = ocr.read(image)
    assert document.models == ocr.models
    assert [model.task for model in document.models] == ["detect", "recognize", "direction"]
    assert all(len(model.sha256) == 64 and model.version for model in document.models)
    assert {"decode", "detect", "recognize"} <= set(document.timings_ms)
    assert all(value >= 0 for value in document.timings_ms.values())


@pytest.mark.parametrize(
    ("use", "source", "text"),
    [
        ("auto", "text-layer", "Invoice for March\nTotal 1234 EUR"),
        ("only", "text-layer", "Invoice for March\nTotal 1234 EUR"),
        ("ignore", "ocr", "Invoice for March\nTotal 1234 EUR"),
    ],
)
def test_a_pdf_with_text(ocr: OCR, use: Literal["auto", "ignore", "only"], source: str, text: str) -> None:
    (found,) = ocr.read(write_pdf([Sheet(DRAWN)]), text_layer=use).pages
    assert found.text == text
    assert {line.source for line in found.lines} == {source}


@pytest.mark.parametrize(("use", "lines"), [("auto", 1), ("ignore", 1), ("only", 0)])
def test_a_pdf_that_is_a_scan(ocr: OCR, use: Literal["auto", "ignore", "only"], lines: int) -> None:
    sheet = Sheet("q 300 0 0 50 0 75 cm /Im Do Q", image=grey("Received with thanks"))
    (found,) = ocr.read(write_pdf([sheet]), text_layer=use).pages
    assert [(line.text, line.source) for line in found.lines] == [("Received with thanks", "ocr")] * lines


def test_a_pdf_of_text_and_a_picture_is_read_from_both(ocr: OCR) -> None:
    sheet = Sheet(
        "BT /F1 20 Tf 30 150 Td (Invoice for March) Tj ET q 240 0 0 40 30 60 cm /Im Do Q",
        image=grey("Received with thanks"),
    )
    (found,) = ocr.read(write_pdf([sheet])).pages
    assert [(line.text, line.source) for line in found.lines] == [
        ("Invoice for March", "text-layer"),
        ("Received with thanks", "ocr"),
    ]


def test_pages_of_a_pdf_are_chosen_by_number(ocr: OCR) -> None:
    names = ["first", "second", "third"]
    data = write_pdf([Sheet(f"BT /F1 24 Tf 30 140 Td (This is the {name} page) Tj ET") for name in names])
    assert ocr.read(data).text == "\f".join(f"This is the {name} page" for name in names)
    chosen = ocr.read(data, pages=[3, 1])
    assert [(p.number, p.text) for p in chosen.pages] == [(1, "This is the first page"), (3, "This is the third page")]
    with pytest.raises(InvalidRequest, match="there is no page 4: the document has 3 pages"):
        ocr.read(data, pages=[4])


def test_scans_saved_as_pdf_lie_each_its_own_way(ocr: OCR, image: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "scans.pdf"
    image.save(path, save_all=True, append_images=[turned(image, 90)], resolution=100)
    document = ocr.read(path)
    assert [(p.number, p.angle) for p in document.pages] == [(1, 0), (2, 90)]
    assert document.text == "\f".join(["\n".join(LINES)] * 2)


def numbered(number: int) -> Image.Image:
    return page(500, 100, [Piece(30, 25, f"Document number {1000 + number}", 36, "en")])


def test_many_documents_come_in_order(ocr: OCR) -> None:
    documents = list(ocr.read_many(numbered(k) for k in range(5)))
    assert [d.text for d in documents if isinstance(d, Document)] == [f"Document number {1000 + k}" for k in range(5)]


def test_options_hold_for_all_of_many(ocr: OCR) -> None:
    found = list(ocr.read_many([numbered(1), numbered(2)], options=ReadOptions(recognize=False)))
    assert [d.text for d in found if isinstance(d, Document)] == ["", ""]


def test_one_that_cannot_be_read_costs_only_itself(ocr: OCR) -> None:
    sources: list[Source] = [numbered(1), b"junk", numbered(2), "/nowhere/absent.png", numbered(3)]
    found = list(ocr.read_many(sources, on_error="return"))
    assert [d.text if isinstance(d, Document) else type(d) for d in found] == [
        "Document number 1001",
        UnsupportedFormat,
        "Document number 1002",
        NotFound,
        "Document number 1003",
    ]


def test_or_it_ends_the_work_where_that_is_wanted(ocr: OCR) -> None:
    results = ocr.read_many([numbered(1), b"junk", numbered(2)])
    first = next(results)
    assert isinstance(first, Document)
    assert first.text == "Document number 1001"
    with pytest.raises(UnsupportedFormat):
        next(results)


def test_sources_are_taken_as_results_are_taken(ocr: OCR) -> None:
    taken: list[int] = []

    def sources() -> Iterator[Source]:
        for k in range(50):
            taken.append(k)
            yield numbered(k)

    results = ocr.read_many(sources())
    next(results)
    assert len(taken) < 8


def test_limits_hold() -> None:
    with OCR(limits=Limits(max_pixels=10_000)) as small, pytest.raises(ImageTooLarge, match="max_pixels"):
        small.read(Image.new("RGB", (200, 100)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threads": 0}, "threads is 0; it must be between 1 and 256"),
        ({"runtime": "cuda"}, "runtime 'cuda' is unknown"),
        ({"precision": "int4"}, "precision 'int4' is unknown"),
    ],
)
def test_arguments_that_make_no_engine(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        OCR(**arguments)  # type: ignore[arg-type]


def test_a_tier_that_does_not_exist() -> None:
    with pytest.raises(NotFound, match=r"'huge'; known are .*general"):
        OCR("huge")


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PDF"])
def test_a_large_page_is_not_in_memory_while_its_lines_are_read(
    ocr: OCR, image: Image.Image, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = Image.new("RGB", (2400, 2500), "white")
    sheet.paste(image, (300, 400))
    with io.BytesIO() as out:
        sheet.save(out, form)
        file = out.getvalue()
    pages: list[weakref.ref[NDArray[np.uint8]]] = []
    gone: list[bool] = []
    detect, read = ocr._detector, LineReader.read_rest

    def remembered(found: NDArray[np.uint8]) -> Detection:
        pages.append(weakref.ref(found))
        return detect(found)

    def looked(self: LineReader, drafts: Sequence[Draft]) -> None:
        gone.append(pages[-1]() is None)
        read(self, drafts)

    monkeypatch.setattr(ocr, "_detector", remembered)
    monkeypatch.setattr(LineReader, "read_rest", looked)
    assert [line.text for line in ocr.read(file).pages[0].lines] == [
        line.text for line in ocr.read(image).pages[0].lines
    ]
    assert gone[0] is True


@pytest.mark.parametrize("options", [ReadOptions(), ReadOptions(recognize=False, classify=False)])
def test_nothing_is_copied_for_the_memory_of_another_or_without_need(
    ocr: OCR, options: ReadOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Draft, "let_page_go", None)  # whoever calls it fails
    sheet = page(2400, 2500, column(300, 400, ["识字"]))
    source: Source = pixels(sheet) if options.recognize else png(sheet)
    list(ocr.read_many([source], options=options))
