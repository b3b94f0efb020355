"""Crops become text, each its own, whatever they are read with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import OutOfMemory
from shizi.imaging.crop import Crop, Part, Pixels
from shizi.models.charset import Charset
from shizi.models.head import WholeHead
from shizi.models.recognizer import Recognizer
from shizi.models.streams import Streams
from shizi.runtime.base import Batch
from shizi.runtime.fake import Answer, out_of_memory
from tests.models import fakes, real
from tests.pipeline.drawn import Piece, face, page, pixels

MakeReader = Callable[[Answer], Recognizer]
LETTERS = "abcdefghij"
MID_GREY = 127


@pytest.fixture(scope="module")
def make_reader() -> Iterator[MakeReader]:
    charset = Charset(("", *LETTERS, " "))
    with closing(Streams(3)) as streams:
        yield lambda answer: Recognizer(fakes.of_pixels(answer), fakes.reader_card(), charset, streams)


def crop(pixels: Pixels) -> Crop:
    """All of a picture as one line."""
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    return Crop(Part(pixels), corners, width, height)


def striped(text: str) -> Crop:
    """A crop that the fake model reads as this text: a stripe of its shade for every letter, then a blank one."""
    shades = [shade for letter in text for shade in (20 * (1 + LETTERS.index(letter)), MID_GREY)]
    stripes = np.repeat(np.array(shades, dtype=np.uint8), fakes.STRIDE)
    return crop(np.ascontiguousarray(np.broadcast_to(stripes[None, :, None], (48, len(stripes), 3))))


words = st.text(alphabet="abcdeghij", min_size=1, max_size=30)  # f is too near to mid-grey to be told from a blank


@given(st.lists(words, max_size=20))
def test_every_crop_gets_its_own_reading(make_reader: MakeReader, texts: list[str]) -> None:
    readings = make_reader(fakes.shade_is_class)([striped(text) for text in texts])
    assert [reading.text for reading in readings] == texts


def test_places_are_fractions_of_the_crop_and_not_of_its_padding(make_reader: MakeReader) -> None:
    for text in ("abc", "abcde", "a" * 21):
        (reading,) = make_reader(fakes.shade_is_class)([striped(text)])
        assert reading.starts == pytest.approx([k / len(text) for k in range(len(text))])
        assert reading.ends == pytest.approx([(k + 0.5) / len(text) for k in range(len(text))])


def test_only_the_characters_of_the_languages_are_read() -> None:
    charset = Charset(("", "a", "б", "c", "г"))
    with closing(Streams(1)) as streams:
        reader = Recognizer(fakes.of_pixels(fakes.shade_is_class), fakes.reader_card(), charset, streams, WholeHead)
        (everything,) = reader([striped("abcda")])
        (reading,) = reader([striped("abcda")], frozenset({"en"}))
    assert everything.text == "aбcгa"
    assert reading.text == "aca"


def test_batches_are_bounded_and_a_crops_padding_does_not_depend_on_its_neighbours(make_reader: MakeReader) -> None:
    shapes: list[tuple[int, ...]] = []

    def answer(batch: Batch) -> Batch:
        shapes.append(batch.shape)
        return fakes.shade_is_class(batch)

    reader = make_reader(answer)
    widths = [8, 33, 100, 320, 321, 700, 1500, 4000]
    alone: set[int] = set()
    for width in widths:
        reader([striped("a" * (width // 16 + 1))])
        alone.add(shapes.pop()[3])
    reader([striped("a" * (width // 16 + 1)) for width in widths * 30])
    assert {shape[3] for shape in shapes} == alone
    assert all(shape[0] * shape[3] <= 4096 for shape in shapes)
    assert sum(shape[0] for shape in shapes) == 30 * len(widths)


def test_batches_of_one_shape_run_in_a_row_and_the_largest_first() -> None:
    shapes: list[tuple[int, ...]] = []

    def answer(batch: Batch) -> Batch:
        shapes.append(batch.shape)
        return fakes.shade_is_class(batch)

    texts = ["a" * (1 + 4 * (number % 7)) for number in range(60)]
    with closing(Streams(1)) as streams:
        reader = Recognizer(fakes.of_pixels(answer), fakes.reader_card(), Charset(("", *LETTERS, " ")), streams)
        assert [reading.text for reading in reader([striped(text) for text in texts])] == texts
    runs = [shape for shape, before in zip(shapes, [None, *shapes], strict=False) if shape != before]
    assert len(runs) == len(set(shapes)) > 7
    sizes = [shape[0] * shape[3] for shape in runs]
    assert sizes == sorted(sizes, reverse=True)


def test_no_crops_are_no_work(make_reader: MakeReader) -> None:
    assert make_reader(out_of_memory)([]) == []


def test_want_of_memory_is_not_hidden(make_reader: MakeReader) -> None:
    with pytest.raises(OutOfMemory):
        make_reader(out_of_memory)([striped("abc")])


@given(st.floats(1e-4, 1e5))
def test_the_width_of_a_crop_is_bounded(aspect: float) -> None:
    assert 8 <= real.recognizer().width(aspect) <= 4096


def line(text: str, font: str = "zh") -> Crop:
    """A ready-cut line, 48 pixels high."""
    width = round(face(font, 32).getlength(text)) + 16
    return crop(pixels(page(width, 48, [Piece(8, 2 if font == "zh" else 5, text, 32, font)])))


TEXTS = [
    ("Total amount due", "en"),
    ("发票号码：20260042", "zh"),
    ("识字是自己部署的文字识别平台", "zh"),
    ("a", "en"),
    ("The meeting of the board was moved to the second week of October", "en"),
    ("¥1,234.50", "zh"),
]


def readable(crops: Sequence[tuple[str, str]] = TEXTS) -> list[Crop]:
    return [line(text, font) for text, font in crops]


def test_the_real_model_reads_what_was_drawn() -> None:
    readings = real.recognizer()(readable())
    assert [reading.text for reading in readings] == [text for text, _ in TEXTS]
    assert all(reading.score > 0.8 for reading in readings)


def test_a_line_reads_the_same_alone_and_among_others() -> None:
    crops = readable()
    together = real.recognizer()(crops * 3)
    alone = [real.recognizer()([one])[0] for one in crops]
    for index, reading in enumerate(together):
        expected = alone[index % len(crops)]
        assert reading.text == expected.text
        assert reading.starts == expected.starts
        assert reading.scores == pytest.approx(expected.scores, abs=1e-4)


def test_places_of_real_characters_are_where_they_were_drawn() -> None:
    text = "Delivery note 48215"
    drawn = line(text, "en")
    (reading,) = real.recognizer()([drawn])
    assert reading.text == text
    font = face("en", 32)
    for index, (start, end) in enumerate(zip(reading.starts, reading.ends, strict=True)):
        middle = 8 + font.getlength(text[:index]) + font.getlength(text[index]) / 2
        assert (start + end) / 2 * drawn.width == pytest.approx(middle, abs=13)
