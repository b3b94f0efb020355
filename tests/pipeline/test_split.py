"""Very long lines in pieces, each ending at a gap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.geometry import Quads, sizes, turn_page
from shizi.models.detector import Detection
from shizi.pipeline.split import split_long
from tests.pipeline.drawn import Piece, draw, face, page, pixels

SPOKEN = "The committee of our town met on Monday evening to discuss new library hours and rain fell over old bridge"
WORDS = SPOKEN.split()
TEXT = " ".join(WORDS[7 * k % len(WORDS)] for k in range(150))


def boxed(left: float, top: float, right: float, bottom: float) -> Quads:
    return np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], dtype=np.float32)


def found(*quads: Quads) -> Detection:
    return Detection(np.concatenate(quads), np.linspace(0.9, 0.6, len(quads)).astype(np.float32))


def test_ordinary_lines_stay_as_they_are() -> None:
    scene = np.full((300, 2000, 3), 255, dtype=np.uint8)
    detection = found(boxed(10, 10, 1990, 50), boxed(10, 100, 50, 290))
    assert split_long(scene, detection) is detection
    nothing = Detection(np.zeros((0, 4, 2), dtype=np.float32), np.zeros(0, dtype=np.float32))
    assert split_long(scene, nothing) is nothing


@given(st.integers(2500, 9000), st.integers(20, 40))
def test_pieces_cover_the_line_and_are_short(width: int, height: int) -> None:
    scene = np.full((60, width + 20, 3), 255, dtype=np.uint8)
    scene[15:40, 10::37] = 0
    line = boxed(10, 10, 10 + width, 10 + height)
    pieces = split_long(scene, found(line))
    assert len(pieces.quads) == len(pieces.scores) > 1
    assert pieces.scores == pytest.approx(0.9)
    assert pieces.quads[0, [0, 3]] == pytest.approx(line[0, [0, 3]])
    assert pieces.quads[-1, [1, 2]] == pytest.approx(line[0, [1, 2]])
    for before, after in pairwise(pieces.quads):
        assert before[[1, 2]] == pytest.approx(after[[0, 3]], abs=0.01)
    widths, heights = sizes(pieces.quads)
    assert (widths > 10 * heights).all()
    assert (widths < 60 * heights).all()


def test_only_the_long_line_is_parted_and_the_order_stays() -> None:
    scene = pixels(page(3000, 200, [Piece(20, 100, TEXT[:150], 30, "en")]))
    pieces = split_long(scene, found(boxed(20, 10, 400, 50), boxed(20, 100, 2980, 140), boxed(20, 150, 500, 190)))
    assert pieces.quads[0] == pytest.approx(boxed(20, 10, 400, 50)[0])
    assert pieces.quads[-1] == pytest.approx(boxed(20, 150, 500, 190)[0])
    assert pieces.scores.tolist() == pytest.approx([0.9, *[0.75] * (len(pieces.scores) - 2), 0.6])
    assert len(pieces.quads) == 4


@pytest.mark.parametrize("quarters", [0, 1])
def test_cuts_lie_in_the_gaps_between_words(quarters: int) -> None:
    drawing = draw(6200, 100, [Piece(40, 30, TEXT[: TEXT.index(" ", 310)], 36, "en")])
    boxes = drawing.words[0]
    line = boxed(boxes[0][0] - 5, 25, boxes[-1][2] + 5, 80)
    scene = np.ascontiguousarray(np.rot90(pixels(drawing.image), -quarters))
    pieces = split_long(scene, found(turn_page(line, quarters, 6200, 100))).quads
    assert len(pieces) > 2
    level = turn_page(pieces, -quarters, *((6200, 100) if quarters == 0 else (100, 6200)))
    cuts = np.sort(level[..., 0].mean(axis=1))
    ends = np.sort(level[..., 0].max(axis=1))[:-1]
    assert len(cuts) == len(pieces)
    for cut in ends:
        assert not any(left < cut < right for left, _, right, _ in boxes), cut


def test_cuts_do_not_go_through_chinese_characters() -> None:
    text = "识字是自己部署的文字平台合同编号" * 10
    drawing = draw(6600, 100, [Piece(40, 20, text, 40)])
    cells = [40 + face("zh", 40).getlength(text[:k]) for k in range(len(text) + 1)]
    ends = split_long(pixels(drawing.image), found(boxed(36, 18, cells[-1] + 4, 70))).quads[:-1, 1, 0]
    assert len(ends) >= 2
    for cut in ends:
        assert min(abs(cut - cell) for cell in cells) < 8
