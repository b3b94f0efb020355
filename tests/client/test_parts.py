"""What the clients are made of, without a server: addresses, fields, uploads, pauses, lines."""

from __future__ import annotations

import dataclasses
import inspect
import io
import os
import typing
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shizi import OCR, AsyncClient, Client, errors
from shizi.client import ClientOptions
from shizi.client.address import parse_address
from shizi.client.answer import Answer, error_of
from shizi.client.body import form
from shizi.client.fields import form_fields
from shizi.client.lines import LONGEST_LINE, Lines
from shizi.client.options import ReadKeywords
from shizi.client.retry import NobodyListens, pause
from shizi.client.upload import upload
from shizi.errors import CorruptDocument, ImageTooLarge, InvalidRequest, NotFound, RateLimited, taxonomy
from shizi.imaging.decode import Source, open_pages
from shizi.page_numbers import parse_pages
from shizi.pipeline.options import ReadOptions
from shizi.serving.schemas import ReadingForm, read_options


def test_clients_take_what_an_engine_takes() -> None:
    keywords = typing.get_type_hints(ReadKeywords)
    assert keywords == typing.get_type_hints(ReadOptions)
    ocr = inspect.signature(OCR.read).parameters
    assert list(keywords) == [name for name, value in ocr.items() if value.kind is value.KEYWORD_ONLY]
    assert {name: field.default for field in dataclasses.fields(ReadOptions) if (name := field.name)} == {
        name: ocr[name].default for name in keywords
    }
    for method in ("read", "preview", "read_many", "models", "capabilities", "ready", "feedback", "corrections"):
        blocking, waiting = (inspect.signature(getattr(kind, method)).parameters for kind in (Client, AsyncClient))
        assert list(blocking.items()) == list(waiting.items()), method


@given(
    st.builds(
        ReadOptions,
        detect=st.booleans(),
        classify=st.booleans(),
        recognize=st.booleans(),
        pages=st.none() | st.frozensets(st.integers(1, 100_000), min_size=1, max_size=40),
        languages=st.none() | st.lists(st.sampled_from(["zh", "en", "zh-Hant"]), min_size=1, max_size=3).map(tuple),
        password=st.none() | st.text(max_size=20),
        text_layer=st.sampled_from(["auto", "ignore", "only"]),
        min_score=st.none() | st.floats(0, 1),
    )
)
def test_a_server_understands_the_fields_as_they_were_meant(options: ReadOptions) -> None:
    assert read_options(ReadingForm.model_validate(form_fields(options))) == options


@given(st.frozensets(st.integers(1, 100_000), min_size=1, max_size=60))
def test_page_numbers_are_written_as_people_write_them(pages: frozenset[int]) -> None:
    assert parse_pages(form_fields(ReadOptions(pages=pages))["pages"]) == pages


@pytest.mark.parametrize(
    "options",
    [
        ReadOptions(pages=[]),
        ReadOptions(pages=[0]),
        ReadOptions(pages=[True]),
        ReadOptions(pages=[100_001]),
        ReadOptions(languages="zh"),
        ReadOptions(languages=[]),
    ],
)
def test_options_that_are_wrong_are_not_sent(options: ReadOptions) -> None:
    with pytest.raises(InvalidRequest):
        form_fields(options)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"),
        ("https://ocr.example.org/a/b/", "https://ocr.example.org/a/b/"),
        (" http://[::1]:80 ", "http://[::1]:80/"),
    ],
)
def test_addresses_are_taken_with_their_path(url: str, base: str) -> None:
    assert parse_address(url).of("v1/ocr") == base + "v1/ocr"


@pytest.mark.parametrize(
    "url",
    [
        "", "ocr.example.org", "ftp://x", "file:///etc/passwd", "http://", "http://user:SECRET@x", "http://x?key=SECRET",
        "http://x#a", "http://x:99999", "http://[::1", "http://a b", "http://x\n.y", "unix:/run/x",
        "http://a..b", "http://xn--a", "http://" + 64 * "a" + ".org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Client(url)
    assert "SECRET" not in str(caught.value)


def sent(source: object) -> bytes:
    made = upload(source)  # type: ignore[arg-type]
    data = b"".join(made.pieces())
    assert made.size in (None, len(data))
    if made.again:
        assert b"".join(made.pieces()) == data
    return data


def test_sources_are_sent_as_they_are(tmp_path: Path) -> None:
    data = os.urandom(600_000)
    path = tmp_path / "document"
    path.write_bytes(data)
    for source in (data, bytearray(data), memoryview(data), path, str(path), io.BytesIO(data)):
        assert sent(source) == data
    with path.open("rb") as file:
        file.seek(1000)
        assert sent(file) == data[1000:]


def same(source: Source) -> bool:
    """Whether a server sees the pixels that the engine sees."""
    [here], [there] = open_pages(source), open_pages(sent(source))
    assert here.pixels is not None
    assert there.pixels is not None
    return np.array_equal(here.pixels, there.pixels)


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "CMYK", "I;16"])
def test_pixels_arrive_as_the_engine_would_see_them(mode: str) -> None:
    rng = np.random.default_rng(7)
    image = Image.fromarray(rng.integers(0, 255, (40, 60, 3), dtype=np.uint8))
    image = (
        Image.fromarray(rng.integers(0, 60_000, (40, 60), dtype=np.uint16)) if mode == "I;16" else image.convert(mode)
    )
    assert same(image)


def test_arrays_and_turned_photos_lose_nothing() -> None:
    array = np.random.default_rng(7).integers(0, 255, (30, 50, 3), dtype=np.uint8)
    for source in (array, array[..., 0], array[::2, ::-1]):
        assert same(source)
    image = Image.fromarray(array)
    exif = Image.Exif()
    exif[274] = 6
    image.info["exif"] = exif.tobytes()
    [page] = open_pages(sent(image))
    assert (page.width, page.height) == (30, 50)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("/no/such/file", NotFound),
        ("a\0b", InvalidRequest),
        ("/", InvalidRequest),
        (b"", CorruptDocument),
        (io.BytesIO(b""), CorruptDocument),
        (io.StringIO("text"), InvalidRequest),
        (7, InvalidRequest),
        (None, InvalidRequest),
        (np.zeros((4, 4, 4), np.uint8), InvalidRequest),
        (np.zeros((4, 4), np.float32), InvalidRequest),
    ],
)
def test_what_is_no_source_is_refused(source: object, error: type[errors.ShiziError]) -> None:
    with pytest.raises(error):
        sent(source)


def test_a_pipe_is_sent_once_without_a_length() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"document")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        made = upload(pipe)
        assert (made.size, made.again) == (None, False)
        assert b"".join(made.pieces()) == b"document"


def test_a_form_is_as_long_as_it_says() -> None:
    body = form({"pages": "1", "password": "识"}, [("file", upload(b"one")), ("file", upload(io.BytesIO(b"two")))])
    data = b"".join(body.pieces())
    assert body.size == len(data)
    assert data.count(b'name="file"; filename="document"') == 2
    assert data.index("识".encode()) < data.index(b"one") < data.index(b"two")
    assert body.again
    assert b"".join(body.pieces()) == data


def test_pauses_grow_and_never_fall_below_what_was_asked_for() -> None:
    options = ClientOptions(attempts=9, longest_pause_s=30)
    growing = [pause(NobodyListens("x"), 0, attempt, options, 0.0) for attempt in range(1, 9)]
    assert growing == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pause(NobodyListens("x"), 0, 9, options, 0.0) is None
    for chance in (0.0, 0.5, 1.0):
        asked = pause(RateLimited("x", 20), 429, 1, options, chance)
        assert asked is not None
        assert 20 <= asked <= 30
    assert pause(RateLimited("x", 31), 429, 1, options, 0.0) is None


@pytest.mark.parametrize("kind", taxonomy(), ids=lambda kind: kind.code)
def test_errors_arrive_as_the_class_that_they_left_as(kind: type[errors.ShiziError]) -> None:
    content = f'{{"code": "{kind.code}", "detail": "why", "retry_after": 3}}'.encode()
    error = error_of(Answer(kind.http_status, {"retry-after": "7"}, content))
    assert type(error) is kind
    assert str(error) == "why"
    if isinstance(error, errors.TryLater):
        assert error.retry_after == 7


@given(st.binary(max_size=200), st.integers(300, 599), st.text(max_size=20))
def test_every_answer_that_is_not_good_is_an_error(content: bytes, status: int, header: str) -> None:
    error = error_of(Answer(status, {"retry-after": header, "location": header, "x-request-id": header}, content))
    assert isinstance(error, errors.ShiziError)
    assert str(error)


@given(st.lists(st.binary(max_size=30)))
def test_lines_are_the_same_however_they_come(pieces: list[bytes]) -> None:
    lines = Lines()
    came = [line for piece in pieces for line in lines.feed(piece)]
    whole = b"".join(pieces)
    assert came == Lines().feed(whole)
    assert len(came) == whole.count(b"\n")


def test_a_line_without_end_is_refused() -> None:
    lines = Lines()
    for _ in range(4):
        assert lines.feed(b"x" * (LONGEST_LINE // 4)) == []
    with pytest.raises(ImageTooLarge):
        lines.feed(b"x")


@pytest.mark.parametrize("name", ["timeout_s", "attempts", "max_answer_bytes", "concurrency", "longest_pause_s"])
def test_nothing_is_unlimited(name: str) -> None:
    for value in (0, -1, float("inf"), float("nan")):
        with pytest.raises(InvalidRequest, match=name):
            dataclasses.replace(ClientOptions(), **cast(Any, {name: value}))
