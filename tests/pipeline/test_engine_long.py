"""Long pages and long lines, read whole."""

from __future__ import annotations

import pytest

from shizi import OCR
from tests.pipeline.drawn import Piece, draw, page, turned

SPOKEN = "The committee of our town met on Monday evening to discuss new library hours and rain fell over old bridge"
WORDS = SPOKEN.split()
CHARACTERS = "识字是自己部署的文字平台发票号码合同编号春眠不觉晓处闻啼鸟夜来风雨声花落知多少"


def sentence(count: int, step: int) -> str:
    return " ".join(WORDS[step * k % len(WORDS)] for k in range(count))


# The seams of the parts in which a strip is looked at come to lie at other letters.
@pytest.mark.parametrize("left", [40, 43, 52, 61])
def test_a_strip_with_one_line_of_sixty_words(ocr: OCR, left: int) -> None:
    text = sentence(60, 7)
    (found,) = ocr.read(page(6200, 200, [Piece(left, 70, text, 32, "en")])).pages
    assert found.text == text
    assert [word.text for line in found.lines for word in line.words] == text.split()


def test_words_of_a_strip_lie_where_they_were_drawn(ocr: OCR) -> None:
    drawing = draw(6200, 200, [Piece(40, 70, sentence(60, 7), 32, "en")])
    (found,) = ocr.read(drawing.image).pages
    words = [word for line in found.lines for word in line.words]
    for word, box in zip(words, drawing.words[0], strict=True):
        xs = [x for x, _ in word.polygon]
        assert [min(xs), max(xs)] == pytest.approx([box[0], box[2]], abs=20), word.text


@pytest.mark.parametrize("angle", [90, 180])
def test_a_strip_that_is_turned(ocr: OCR, angle: int) -> None:
    text = sentence(60, 7)
    (found,) = ocr.read(turned(page(6200, 200, [Piece(40, 70, text, 32, "en")]), angle)).pages
    assert (found.text, found.angle) == (text, angle)


@pytest.mark.parametrize("step", [1, 5])
def test_a_chinese_line_of_many_characters(ocr: OCR, step: int) -> None:
    text = "".join(CHARACTERS[step * k % len(CHARACTERS)] for k in range(230))
    (found,) = ocr.read(page(9400, 200, [Piece(40, 70, text, 40)])).pages
    read = "".join(found.text.split())
    # A piece may end within a character; no more than one is lost, and none comes twice.
    assert abs(len(read) - len(text)) <= 1
    assert longest_common(read, text) >= len(text) - 1


def longest_common(first: str, second: str) -> int:
    """Length of the longest common subsequence."""
    lengths = [0] * (len(second) + 1)
    for one in first:
        before = 0
        for k, two in enumerate(second):
            before, lengths[k + 1] = lengths[k + 1], before + 1 if one == two else max(lengths[k], lengths[k + 1])
    return lengths[-1]


def test_a_page_of_a_long_chat(ocr: OCR) -> None:
    pieces = [
        Piece(60 + k % 2 * 220, 60 + 88 * k, f"{'Boris' if k % 2 else 'Anna'}: train {100 + k} is late", 34, "en")
        if k % 3
        else Piece(60 + k % 2 * 220, 60 + 88 * k, f"第{100 + k}次列车晚点了", 34)
        for k in range(100)
    ]
    (found,) = ocr.read(page(1080, 9000, pieces)).pages
    assert found.text.split("\n") == [piece.text for piece in pieces]
    assert found.angle == 0
    for line, piece in zip(found.lines, pieces, strict=True):
        assert line.polygon[0] == pytest.approx((piece.x, piece.y + 6), abs=14)
