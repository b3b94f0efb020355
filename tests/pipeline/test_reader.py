"""Lines are read at their turn, and no more often than needed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from shizi.batching.claim import Claim
from shizi.geometry import Quads
from shizi.imaging.crop import Crop
from shizi.models.ctc import Reading
from shizi.models.recognizer import Recognizer
from shizi.pipeline.draft import Draft
from shizi.pipeline.reader import LineReader, weight
from tests.models import real
from tests.pipeline.drawn import Piece, page, pixels, standing, turned

TEXTS = ["Total amount due in March", "请在三日内付款并保留收据"]
QUADS = np.array(
    [[[50, 46], [510, 46], [510, 94], [50, 94]], [[50, 146], [440, 146], [440, 194], [50, 194]]], dtype=np.float32
)


class Counting(Recognizer):
    """The real recogniser, and how many crops it was given."""

    def __init__(self, real: Recognizer) -> None:
        vars(self).update(vars(real))
        self.crops = 0

    def __call__(
        self, crops: Sequence[Crop], languages: frozenset[str] | None = None, claim: Claim | None = None
    ) -> list[Reading]:
        self.crops += len(crops)
        return super().__call__(crops, languages, claim)


def drafted(image: Image.Image, quads: Quads = QUADS) -> Draft:
    return Draft(pixels(image), quads, np.ones(len(quads), dtype=np.float32))


def two_lines() -> Image.Image:
    return page(560, 240, [Piece(60, 50, TEXTS[0], 32, "en"), Piece(60, 146, TEXTS[1], 30)])


def on_its_head(image: Image.Image, top: int, bottom: int) -> Image.Image:
    """The page with a strip of it turned in its place."""
    image = image.copy()
    strip = image.crop((50, top, 510, bottom)).transpose(Image.Transpose.ROTATE_180)
    image.paste(strip, (50, top))
    return image


def test_what_was_read_is_not_read_again() -> None:
    recognizer = Counting(real.recognizer())
    draft = drafted(two_lines())
    reader = LineReader(recognizer, None)
    reader.read([(draft, 0, 0), (draft, 1, 0)])
    reader.read([(draft, 0, 0), (draft, 1, 0)])
    reader.read_rest([draft])
    assert recognizer.crops == 2
    assert [draft.reading(line).text for line in (0, 1)] == TEXTS


def test_a_line_on_its_head_is_read_the_right_way_up() -> None:
    draft = drafted(on_its_head(two_lines(), 46, 94))
    LineReader(real.recognizer(), real.direction()).read_rest([draft])
    assert draft.turns.tolist() == [2, 0]
    assert [draft.reading(line).text for line in (0, 1)] == TEXTS


def test_without_the_classifier_lines_are_read_as_they_lie() -> None:
    draft = drafted(on_its_head(two_lines(), 46, 94))
    reader = LineReader(real.recognizer(), None)
    reader.read_rest([draft])
    assert draft.turns.tolist() == [0, 0]
    assert draft.reading(0).text != TEXTS[0]
    assert reader.upside_down([(draft, 0, 0)]) == [False]


def test_lines_of_several_pages_are_read_together() -> None:
    drafts = [drafted(two_lines()), drafted(turned(two_lines(), 180), 0 * QUADS[:0]), drafted(two_lines(), QUADS[1:])]
    LineReader(real.recognizer(), real.direction()).read_rest(drafts)
    assert [[draft.reading(k).text for k in range(len(draft.quads))] for draft in drafts] == [TEXTS, [], TEXTS[1:]]


def test_only_allowed_characters_are_read() -> None:
    draft = drafted(two_lines())
    LineReader(real.recognizer(), None, frozenset({"en"})).read_rest([draft])
    assert draft.reading(0).text == TEXTS[0]
    assert not any("CJK" in unicodedata.name(character) for character in draft.reading(1).text)


@pytest.mark.parametrize("vertical", [True, False])
def test_vertical_lines_are_told_from_turned_ones(vertical: bool) -> None:
    if vertical:
        image = Image.new("RGB", (200, 560), "white")
        standing(ImageDraw.Draw(image), 80, 40, "床前明月光疑是地上霜", 40)
        quad = [[76, 40], [124, 40], [124, 482], [76, 482]]
    else:
        image = turned(page(560, 200, [Piece(40, 80, "床前明月光疑是地上霜", 40)]), 90)
        quad = [[68, 36], [116, 36], [116, 446], [68, 446]]
    draft = drafted(image, np.array([quad], dtype=np.float32))
    reader = LineReader(real.recognizer(), None)
    reader.read_rest([draft])
    reader.mark_vertical([draft])
    assert draft.reading(0).text == "床前明月光疑是地上霜"
    assert draft.vertical.tolist() == [vertical]


def test_the_weight_is_the_number_of_characters_that_are_probably_right() -> None:
    draft = drafted(two_lines())
    draft.readings[0, 0] = Reading(("a", " ", "b"), (0.5, 1.0, 0.75), (0, 0.3, 0.6), (0.2, 0.5, 0.8))
    draft.readings[0, 2] = Reading()
    assert weight(draft, 0, 0) == 1.25
    assert weight(draft, 0, 2) == 0
