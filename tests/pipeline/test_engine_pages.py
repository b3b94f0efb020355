"""Drawn pages, read as a person reads them: whichever way they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from shizi import OCR, Line, Page
from shizi.types import Polygon
from tests.pipeline.drawn import Drawing, Piece, column, draw, page, standing, turned

LINES = [
    "识字是自己部署的文字识别平台",
    "发票号码：20260042",
    "The quick brown fox jumps over",
    "the lazy dog near the river bank",
]
POEM = ["春眠不觉晓处处闻啼鸟", "夜来风雨声花落知多少", "床前明月光疑是地上霜", "举头望明月低头思故乡"]


def upright(paper: str = "white", ink: str = "black") -> Image.Image:
    return page(900, 360, column(60, 60, LINES), paper, ink)


def poem() -> Image.Image:
    image = Image.new("RGB", (700, 640), "white")
    for k, text in enumerate(POEM):
        standing(ImageDraw.Draw(image), 560 - 110 * k, 60, text, 48)
    return image


def read(ocr: OCR, image: Image.Image, **options: bool) -> Page:
    (found,) = ocr.read(image, **options).pages  # type: ignore[arg-type]
    assert (found.width, found.height) == image.size
    for polygon in polygons(found.lines):
        check_polygon(polygon, found)
    return found


def polygons(lines: Sequence[Line]) -> Iterator[Polygon]:
    for line in lines:
        yield line.polygon
        yield from (word.polygon for word in line.words)


def check_polygon(polygon: Polygon, found: Page) -> None:
    """Four corners inside the page, clockwise on the screen."""
    points = np.array(polygon)
    assert points.shape == (4, 2)
    assert (points >= -0.01).all()
    assert (points <= [found.width + 0.01, found.height + 0.01]).all()
    x, y = points.T
    assert (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() > 0


def check_words(found: Page) -> None:
    for line in found.lines:
        assert [word.text for word in line.words] == line.text.split()


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_a_page_is_read_whichever_way_it_lies(ocr: OCR, angle: int) -> None:
    found = read(ocr, turned(upright(), angle))
    assert found.text.split("\n") == LINES
    assert found.angle == angle
    check_words(found)
    for line in found.lines:
        assert abs((line.angle - angle + 180) % 360 - 180) < 2
        assert line.score > 0.9
        along = np.subtract(line.polygon[1], line.polygon[0])
        assert np.argmax([along[0], along[1], -along[0], -along[1]]) == angle // 90


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_the_first_corner_is_the_texts_own_top_left(ocr: OCR, angle: int) -> None:
    found = read(ocr, turned(upright(), angle))
    width, height = found.width, found.height
    expected = {0: (60, 66), 90: (width - 66, 60), 180: (width - 60, height - 66), 270: (66, height - 60)}[angle]
    assert found.lines[0].polygon[0] == pytest.approx(expected, abs=12)
    assert found.lines[0].words[0].polygon[0] == pytest.approx(expected, abs=20)


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_a_page_of_a_single_line(ocr: OCR, angle: int) -> None:
    found = read(ocr, turned(page(800, 300, [Piece(60, 100, "Meeting at noon", 40, "en")]), angle))
    assert (found.text, found.angle) == ("Meeting at noon", angle)


@pytest.mark.parametrize("text", ["Delivery 4878 of plums", "Delivery 4623 of grapes", "Delivery 5184 of melons"])
@pytest.mark.parametrize("size", [29, 31, 33])
def test_a_single_line_on_its_head_is_not_mistaken_for_a_poor_one(ocr: OCR, text: str, size: int) -> None:
    found = read(ocr, turned(page(800, 300, [Piece(40, 30, text, size)]), 180))
    assert (found.text, found.angle) == (text, 180)


@pytest.mark.parametrize("degrees", [-8, 8])
def test_slanted_lines(ocr: OCR, degrees: int) -> None:
    image = upright().rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    found = read(ocr, image)
    assert found.text.split("\n") == LINES
    assert found.angle == 0
    for line in found.lines:
        assert line.angle == pytest.approx(degrees % 360, abs=1.5)


def test_vertical_chinese_is_read_from_right_to_left(ocr: OCR) -> None:
    found = read(ocr, poem())
    assert found.text.split("\n") == POEM
    assert found.angle == 0
    for line in found.lines:
        assert line.vertical
        assert line.angle == pytest.approx(0, abs=2) or line.angle == pytest.approx(360, abs=2)
        (left, top), (right, _), _, (_, bottom) = line.polygon
        assert bottom - top > 5 * (right - left)


def test_a_vertical_note_beside_level_lines(ocr: OCR) -> None:
    image = page(900, 400, column(60, 60, LINES))
    standing(ImageDraw.Draw(image), 820, 60, "仅供内部参考", 30)
    found = read(ocr, image)
    assert found.angle == 0
    assert [line.text for line in found.lines if line.vertical] == ["仅供内部参考"]
    assert [line.text for line in found.lines if not line.vertical] == LINES


def test_a_line_on_its_head_on_an_upright_page(ocr: OCR) -> None:
    image = upright()
    strip = image.crop((0, 60, 900, 110)).transpose(Image.Transpose.ROTATE_180)
    image.paste(strip, (0, 60))
    found = read(ocr, image)
    assert found.text.split("\n") == LINES
    assert found.angle == 0
    assert [round(line.angle) % 360 for line in found.lines] == [180, 0, 0, 0]


def test_without_the_classifier_a_page_on_its_head_is_still_turned(ocr: OCR) -> None:
    found = read(ocr, turned(upright(), 180), classify=False)
    assert (found.text.split("\n"), found.angle) == (LINES, 180)


def test_white_on_black(ocr: OCR) -> None:
    assert read(ocr, upright("black", "white")).text.split("\n") == LINES


def test_a_small_banner(ocr: OCR) -> None:
    assert read(ocr, page(709, 132, [Piece(30, 30, "全场八折限时优惠", 60)])).text == "全场八折限时优惠"


def test_a_very_long_line(ocr: OCR) -> None:
    text = (
        "The committee of the town met on Monday evening to discuss the new library building "
        "and its opening hours for the whole year"
    )
    found = read(ocr, page(2700, 120, [Piece(30, 30, text, 40, "en")]))
    assert found.text == text
    check_words(found)


@pytest.mark.parametrize("size", [(800, 600), (1, 1), (1, 500), (700, 3)])
@pytest.mark.parametrize("detect", [True, False])
def test_an_empty_page_is_a_page_without_lines(ocr: OCR, size: tuple[int, int], detect: bool) -> None:
    found = read(ocr, Image.new("RGB", size, "white"), detect=detect)
    assert (found.lines, found.text, found.angle) == ((), "", 0)


def overlap(polygon: Polygon, box: tuple[float, float, float, float]) -> float:
    """Intersection over union of the horizontal extents: how well a word was cut out of its line."""
    left, right = min(x for x, _ in polygon), max(x for x, _ in polygon)
    return (min(right, box[2]) - max(left, box[0])) / (max(right, box[2]) - min(left, box[0]))


def test_words_lie_where_they_were_drawn(ocr: OCR) -> None:
    texts = ["Invoice number and date of delivery", "Thank you for your order of March", "Total amount 1,234.50 EUR"]
    drawing: Drawing = draw(900, 300, column(60, 40, texts, 36, 80, "en"))
    found = read(ocr, drawing.image)
    assert found.text.split("\n") == texts
    check_words(found)
    for line, boxes in zip(found.lines, drawing.words, strict=True):
        for word, box in zip(line.words, boxes, strict=True):
            ys = [y for _, y in word.polygon]
            assert min(ys) < box[1] + 4 < box[3] - 4 < max(ys)
            xs = [x for x, _ in word.polygon]
            assert [min(xs), max(xs)] == pytest.approx([box[0], box[2]], abs=12), word.text
            assert overlap(word.polygon, box) > 0.65, word.text


HARBOUR = ["The harbour was quiet at", "dawn and only two boats", "came back with any fish", "that the market wanted"]
HARBOUR += ["so the buyers went home", "before the church bell"]
PRICES = ["Prices rose again while", "the weather stayed cold", "and the ferry company", "announced that it will"]
PRICES += ["stop the night service", "from the first of March"]


@pytest.mark.parametrize("angle", [0, 90])
def test_columns_are_read_one_after_the_other(ocr: OCR, angle: int) -> None:
    title = "Notes from the coast this week"
    pieces = [Piece(60, 40, title, 44, "en"), *column(60, 130, HARBOUR, 28, 60, "en")]
    found = read(ocr, turned(page(1100, 560, [*pieces, *column(600, 130, PRICES, 28, 60, "en")]), angle))
    assert found.text.split("\n") == [title, *HARBOUR, *PRICES]


def test_a_table_is_read_row_by_row(ocr: OCR) -> None:
    table = [("Item", "Quantity", "Price"), ("Paper A4", "12", "48.00"), ("Blue ink", "30", "27.50")]
    table += [("Stapler", "10", "19.90"), ("Envelope", "200", "36.00")]
    pieces = [
        Piece(x, 60 + 70 * k, text, 30, "en")
        for k, row in enumerate(table)
        for x, text in zip((60, 420, 760), row, strict=True)
    ]
    assert read(ocr, page(1000, 460, pieces)).text.split("\n") == [" ".join(row) for row in table]


def test_a_chinese_form_is_read_row_by_row(ocr: OCR) -> None:
    form = [("姓名", "张伟明"), ("部门", "财务部"), ("电话", "010-62345678"), ("地址", "北京市海淀区中关村大街一号")]
    pieces = [
        Piece(x, 60 + 80 * k, text, 32) for k, row in enumerate(form) for x, text in zip((60, 360), row, strict=True)
    ]
    assert read(ocr, page(1000, 420, pieces)).text.split("\n") == [" ".join(row) for row in form]


def test_six_points_at_300_dots_an_inch_are_read(ocr: OCR) -> None:
    """Its letters are nine pixels high where the detector sees them."""
    lines = [f"The invoice {1000 + 37 * k} was paid in full on the second day" for k in range(12)]
    pieces = [Piece(200, 300 + 240 * k, text, 25, "en") for k, text in enumerate(lines)]
    assert read(ocr, page(2480, 3508, pieces)).text.split("\n") == lines


@pytest.mark.parametrize("size", [20, 22, 24])
def test_a_name_alone_is_written_in_the_script_of_its_page(ocr: OCR, size: int) -> None:
    """By itself it is read between 黄强 and 黃強, at some of these sizes so doubtfully that it would be left out."""
    lines = ["订单编号：20260118 发货时间：六月", "黄强", "联系人：黄强 籍贯：黑龙江"]
    found = read(ocr, page(900, 200, [Piece(20, 10 + 60 * k, text, size) for k, text in enumerate(lines)]))
    assert found.text.replace(" ", "") == "\n".join(lines).replace(" ", "")
    assert min(line.score for line in found.lines) > 0.9
