"""Lines that stand on their head are told from the others."""

from __future__ import annotations

import numpy as np
import pytest

from shizi.errors import OutOfMemory
from shizi.imaging.crop import Pixels
from shizi.models.direction import DirectionClassifier
from shizi.runtime.base import Batch
from shizi.runtime.fake import out_of_memory
from tests.models import fakes, real
from tests.pipeline.drawn import Piece, face, page, pixels


def shade(batch: Batch) -> Batch:
    """The first pixel's shade as the probability of standing on the head."""
    turned = (batch[:, 0, 0, 0] + 1) / 2
    return np.stack([1 - turned, turned], axis=1)


def grey(value: int, width: int = 100) -> Pixels:
    return np.full((48, width, 3), value, dtype=np.uint8)


def test_every_crop_gets_its_own_answer() -> None:
    classify = DirectionClassifier(fakes.of_pixels(shade), fakes.card("direction"))
    values = list(range(0, 250, 5))
    found = classify([grey(value, 10 + value) for value in values])
    assert found == pytest.approx([value / 255 for value in values], abs=1e-3)


def test_batches_are_bounded_and_of_one_size() -> None:
    shapes: list[tuple[int, ...]] = []

    def answer(batch: Batch) -> Batch:
        shapes.append(batch.shape)
        return shade(batch)

    classify = DirectionClassifier(fakes.of_pixels(answer), fakes.card("direction", input={"height": 48, "width": 192}))
    assert len(classify([grey(9, width) for width in (1, 5, 3000)] * 40)) == 120
    assert {shape[1:] for shape in shapes} == {(3, 48, 192)}
    assert max(shape[0] for shape in shapes) <= 64


def test_nothing_is_asked_about_no_crops() -> None:
    assert DirectionClassifier(fakes.of_pixels(out_of_memory), fakes.card("direction"))([]).shape == (0,)


def test_want_of_memory_is_not_hidden() -> None:
    with pytest.raises(OutOfMemory):
        DirectionClassifier(fakes.of_pixels(out_of_memory), fakes.card("direction"))([grey(1)])


@pytest.mark.parametrize(("text", "font"), [("Total amount due", "en"), ("请在三日内付款并保留收据", "zh")])
def test_the_real_model_tells_a_line_on_its_head(text: str, font: str) -> None:
    width = round(face(font, 32).getlength(text)) + 16
    crop = pixels(page(width, 48, [Piece(8, 3, text, 32, font)]))
    upright, turned = real.direction()([crop, np.ascontiguousarray(crop[::-1, ::-1])])
    assert upright < 0.2
    assert turned > 0.8
