"""Lines are found where they stand, on pages of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shizi.errors import OutOfMemory
from shizi.geometry import bounds
from shizi.models.dbnet import Thresholds
from shizi.models.detector import Detection, Detector, input_size
from shizi.runtime.base import Batch
from shizi.runtime.fake import out_of_memory
from tests.models import fakes, real
from tests.pipeline.drawn import Piece, column, draw, page, pixels


@given(st.integers(1, 32_000), st.integers(1, 32_000))
def test_the_input_follows_the_page_and_is_bounded(width: int, height: int) -> None:
    across, down = input_size(width, height, 1312)
    assert across % 32 == down % 32 == 0
    assert 32 <= min(across, down) <= max(across, down) <= 1312
    assert across <= width + 31
    assert down <= height + 31


def bar(width: int, height: int, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    scene = np.full((height, width, 3), 255, dtype=np.uint8)
    scene[box[1] : box[3], box[0] : box[2]] = 0
    return scene


@pytest.mark.parametrize(("width", "height", "scale"), [(640, 320, 1), (1000, 700, 1), (5000, 2500, 4), (700, 4000, 3)])
def test_boxes_are_in_pixels_of_the_page(width: int, height: int, scale: int) -> None:
    box = (100 * scale, 50 * scale, 100 * scale + width // 2, 80 * scale)
    found = Detector(fakes.of_pixels(fakes.dark_is_text))(bar(width, height, box))
    assert len(found.quads) == len(found.scores) == 1
    assert found.quads[0].mean(axis=0) == pytest.approx([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], abs=4 * scale)
    left, top, right, bottom = bounds(found.quads)[0]
    assert left < box[0] < box[2] < right
    assert top < box[1] < box[3] < bottom


@pytest.mark.parametrize(("width", "height"), [(1217, 865), (2501, 1753), (3007, 2001), (1999, 2999), (4999, 3511)])
def test_boxes_keep_their_place_on_pages_of_odd_sizes(width: int, height: int) -> None:
    scene = np.full((height, width, 3), 255, dtype=np.uint8)
    wide, high = width // 20, height // 40
    places = [(width * k // 10, height * k // 10) for k in range(1, 9)]
    for x, y in places:
        scene[y : y + high, x : x + wide] = 0
    found = Detector(fakes.of_pixels(fakes.dark_is_text))(scene)
    middles = sorted(found.quads.mean(axis=1).tolist())
    assert np.array(middles) == pytest.approx(np.array([(x + wide / 2, y + high / 2) for x, y in places]), abs=2)


def test_boxes_do_not_leave_the_page() -> None:
    found = Detector(fakes.of_pixels(fakes.dark_is_text))(np.zeros((100, 300, 3), dtype=np.uint8))
    assert bounds(found.quads)[0] == pytest.approx([0, 0, 300, 100])


def test_no_page_is_too_large_for_the_model() -> None:
    shapes: list[tuple[int, ...]] = []

    def answer(batch: Batch) -> Batch:
        shapes.append(batch.shape)
        return fakes.dark_is_text(batch)

    detect = Detector(fakes.of_pixels(answer))
    for width, height in [(1, 1), (1, 9000), (9000, 1), (9000, 6000)]:
        detect(np.full((height, width, 3), 255, dtype=np.uint8))
    assert all(shape[0] * shape[2] * shape[3] <= 4_000_000 for shape in shapes)


def print_of(height: int, upright: bool = False) -> NDArray[np.uint8]:
    """A sheet of 4000 x 3000 pixels, 30 % of the height of which the detector sees, with dark bars of this height (or width)."""
    scene = np.full((3000, 4000, 3), 255, dtype=np.uint8)
    for y in range(100, 2800, 200):
        for x in range(100, 3600, 800):
            scene[y : y + height, x : x + 600] = 0
    return np.ascontiguousarray(scene.transpose(1, 0, 2)) if upright else scene


@pytest.mark.parametrize("upright", [False, True])
def test_small_print_is_looked_at_again_in_strips_along_its_lines(upright: bool) -> None:
    shapes: list[tuple[int, ...]] = []

    def answer(batch: Batch) -> Batch:
        shapes.append(batch.shape[2:])
        return fakes.dark_is_text(batch)

    scene = print_of(14, upright)
    found = Detector(fakes.of_pixels(answer))(scene)
    assert shapes[0] == ((1184, 896) if upright else (896, 1184))
    assert len(shapes) > 2
    assert len(set(shapes[1:])) == 1
    # Strips are as long as the page's lines, and larger than on the whole page.
    assert shapes[1][0 if upright else 1] > 1.3 * 1184
    places = np.array([(x + 300, y + 7) for y in range(100, 2800, 200) for x in range(100, 3600, 800)])
    middles = found.quads.mean(axis=1)[:, ::-1] if upright else found.quads.mean(axis=1)
    order = np.lexsort((middles[:, 0], np.rint(middles[:, 1] / 200)))
    assert middles[order] == pytest.approx(places, abs=2)


@pytest.mark.parametrize(
    "scene", [print_of(60), print_of(14)[:800, :1200], np.full((3000, 4000, 3), 255, dtype=np.uint8)]
)
def test_what_is_seen_well_or_shows_nothing_is_looked_at_once(scene: NDArray[np.uint8]) -> None:
    assert len(looks_at(scene)) == 1


def looks_at(scene: NDArray[np.uint8], thresholds: Thresholds | None = None) -> list[tuple[int, int]]:
    """(Height, width) of what the network saw, one after the other."""
    shapes: list[tuple[int, int]] = []

    def answer(batch: Batch) -> Batch:
        shapes.append((batch.shape[2], batch.shape[3]))
        return fakes.dark_is_text(batch)

    Detector(fakes.of_pixels(answer), thresholds=thresholds)(scene)
    return shapes


@pytest.mark.parametrize("size", [(3000, 4000), (3508, 4961), (7016, 9933), (1600, 2400)])
def test_a_second_look_is_bounded(size: tuple[int, int]) -> None:
    scene = np.full((*size, 3), 255, dtype=np.uint8)
    thick = max(4, size[1] // 300)
    scene[100:-100, 100:-100][:: 8 * thick] = 0
    for row in range(1, thick):
        scene[100 + row : -100, 100:-100][:: 8 * thick] = 0
    shapes = looks_at(scene)
    assert 3 <= len(shapes) <= 7
    assert max(height * width for height, width in shapes) <= 1.06 * 1216 * 864


def test_figures_in_columns_do_not_turn_the_strips_across_long_lines() -> None:
    scene = print_of(14)
    for y in range(140, 2800, 100):
        for x in range(100, 3600, 100):
            scene[y : y + 14, x : x + 9] = 0
    shapes = looks_at(scene)
    assert len(shapes) > 2
    assert all(width > 1.3 * height for height, width in shapes[1:])


def test_a_page_full_of_specks_is_not_looked_at_again() -> None:
    assert len(looks_at(print_of(14), Thresholds(max_boxes=20))) == 1


def test_the_real_model_finds_small_print_on_a_large_sheet() -> None:
    """Letters of 16 pixels on a sheet of 4961 (A3 at 300 dpi, less than 4 points): on the whole page they are four high."""
    texts = ["Terms of delivery and payment", "合同自双方签字之日起生效", "Place of jurisdiction"] * 6
    lines = [piece for x in (200, 1900, 3500) for piece in column(x, 200, texts, 16, 60)]
    found = real.detector()(pixels(page(4961, 3508, lines)))
    assert len(found.quads) == len(lines)


def test_want_of_memory_is_not_hidden() -> None:
    with pytest.raises(OutOfMemory):
        Detector(fakes.of_pixels(out_of_memory))(bar(64, 64, (5, 5, 50, 20)))


def covered(found: Detection, box: tuple[float, float, float, float]) -> bool:
    """Is there one detection whose place is that of the drawn box, give or take a third of its height?"""
    slack = (box[3] - box[1]) / 3
    return any(abs(edges - np.array(box)).max() < slack + 4 for edges in bounds(found.quads))


@pytest.mark.parametrize("scale", [1, 3])
def test_the_real_model_finds_the_drawn_lines(scale: int) -> None:
    texts = ["Delivery of the goods", "within fourteen days", "合同自签订之日起生效"]
    drawing = draw(700 * scale, 400 * scale, column(60 * scale, 60 * scale, texts, 32 * scale, 100 * scale))
    found = real.detector()(pixels(drawing.image))
    assert len(found.quads) == 3
    for words in drawing.words:
        assert covered(found, (words[0][0], min(w[1] for w in words), words[-1][2], max(w[3] for w in words)))
    assert ((found.scores > 0.5) & (found.scores <= 1)).all()


def test_the_real_model_finds_nothing_on_an_empty_page() -> None:
    assert len(real.detector()(pixels(page(800, 600, []))).quads) == 0


def test_small_text_survives_on_a_large_page() -> None:
    found = real.detector()(pixels(page(2480, 1754, [Piece(300, 300, "Paragraph seven of the agreement", 34, "en")])))
    assert len(found.quads) == 1
