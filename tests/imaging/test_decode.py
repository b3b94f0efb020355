"""Sources, formats, limits and damaged files: pages, or one clear error."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from shizi.errors import CorruptDocument, ImageTooLarge, InvalidRequest, NotFound, ShiziError, UnsupportedFormat
from shizi.imaging.decode import Limits, PageImage, is_pdf, open_pages

MakePdf = Callable[..., bytes]


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def drawn(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (24, 16), "white")
    ImageDraw.Draw(image).rectangle((3, 3, 12, 9), fill=(200, 0, 0))
    return image.convert(mode)


def one(source: object, **options: object) -> PageImage:
    (page,) = open_pages(source, **options)  # type: ignore[arg-type]
    return page


def test_every_kind_of_source_gives_the_same_page(tmp_path: Path) -> None:
    data = save(drawn(), "PNG")
    path = tmp_path / "scan.jpg"  # the name lies, the bytes do not
    path.write_bytes(data)
    stream = io.BytesIO(b"before" + data)
    stream.seek(6)
    wanted = np.asarray(drawn())
    for source in (path, str(path), data, bytearray(data), stream, drawn(), wanted):
        page = one(source)
        assert (page.number, page.width, page.height, page.text_layer, page.warnings) == (1, 24, 16, None, ())
        assert page.pixels is not None
        assert np.array_equal(page.pixels, wanted)
    assert not stream.closed


def test_a_pil_image_is_turned_by_its_exif_and_stays_open() -> None:
    exif = Image.Exif()
    exif[274] = 6
    image = Image.open(io.BytesIO(save(drawn(), "JPEG", exif=exif.tobytes())))
    page = one(image)
    assert (page.width, page.height) == (16, 24)
    assert image.getpixel((23, 15)) == (255, 255, 255)


def test_grey_array_and_array_that_is_not_contiguous() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    trebled = one(grey).pixels
    assert trebled is not None
    assert np.array_equal(trebled, np.dstack([grey] * 3))
    turned = np.asarray(drawn())[:, ::-1]
    pixels = one(turned).pixels
    assert pixels is not None
    assert pixels.flags.c_contiguous
    assert np.array_equal(pixels, turned)


@pytest.mark.parametrize("shape", [(4, 4, 4), (4,), (0, 4, 3), (2, 4, 4, 3)])
def test_other_arrays_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest, match="height, width"):
        one(np.zeros(shape, np.uint8))
    with pytest.raises(InvalidRequest, match="float32"):
        one(np.zeros((4, 4, 3), np.float32))


def test_sources_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"missing\.png"):
        one(tmp_path / "missing.png")
    with pytest.raises(InvalidRequest, match="directory"):
        one(tmp_path)
    with pytest.raises(CorruptDocument, match="empty"):
        one(b"")
    with pytest.raises(InvalidRequest, match="binary"):
        one(io.StringIO("text"))
    with pytest.raises(InvalidRequest, match="int"):
        one(7)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        one("a\0b")
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(InvalidRequest, match="closed"):
        one(closed)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (save(drawn("P"), "GIF"), "GIF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"\0\0\0\x1cftypheic", "HEIC"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"hello", "no known format"),
    ],
)
def test_other_formats_are_named_with_what_is_accepted(data: bytes, name: str) -> None:
    with pytest.raises(UnsupportedFormat, match=rf"{name}.*JPEG, PNG, WebP, TIFF, BMP and PDF"):
        one(data)


def test_is_pdf_goes_by_the_bytes() -> None:
    assert is_pdf(b"%PDF-1.4")
    assert is_pdf(b"x" * 1024 + b"%PDF-1.4")
    assert not is_pdf(b"x" * 1025 + b"%PDF-1.4")
    assert not is_pdf(b"\xff\xd8\xff" + b"%PDF-1.4")


def test_tiff_pages_and_their_selection() -> None:
    frames = [Image.new("L", (10 + index, 8), index * 40) for index in range(4)]
    data = save(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    pages = list(open_pages(data))
    assert [(page.number, page.width, int(page.pixels[0, 0, 0])) for page in pages if page.pixels is not None] == [
        (1, 10, 0),
        (2, 11, 40),
        (3, 12, 80),
        (4, 13, 120),
    ]
    assert [page.number for page in open_pages(data, pages=[4, 2, 2])] == [2, 4]
    with pytest.raises(InvalidRequest, match="no page 5: the document has 4 pages"):
        list(open_pages(data, pages=[1, 5]))
    with pytest.raises(ImageTooLarge, match=r"4 pages.*max_pages"):
        list(open_pages(data, limits=Limits(max_pages=3)))
    assert len(list(open_pages(data, pages=[4], limits=Limits(max_pages=1)))) == 1


@pytest.mark.parametrize("pages", [[0], [-1], [], ["1"], [True], [1.5]])
def test_page_numbers_that_are_none(pages: list[object]) -> None:
    with pytest.raises(InvalidRequest, match="pages"):
        one(drawn(), pages=pages)


def test_an_image_has_one_page() -> None:
    with pytest.raises(InvalidRequest, match="no page 2: the document has 1 page,"):
        one(save(drawn(), "PNG"), pages=[2])
    with pytest.raises(InvalidRequest, match="text_layer"):
        one(drawn(), text_layer="sometimes")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
def test_limits_hold_for_every_format(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save(drawn(), kind)

    def never(_frame: object) -> None:
        pytest.fail("pixels were decoded")

    monkeypatch.setattr("shizi.imaging.decode.decode_frame", never)
    for limits, word in (
        (Limits(max_bytes=len(data) - 1), "max_bytes"),
        (Limits(max_pixels=383), "max_pixels"),
        (Limits(max_side=23), "max_side"),
        (Limits(max_memory=1000), "max_memory"),
    ):
        with pytest.raises(ImageTooLarge, match=word):
            one(data, limits=limits)


def test_limits_hold_for_arrays_and_pil_images_and_streams() -> None:
    with pytest.raises(ImageTooLarge, match="max_pixels"):
        one(np.asarray(drawn()), limits=Limits(max_pixels=100))
    with pytest.raises(ImageTooLarge, match="max_side"):
        one(drawn(), limits=Limits(max_side=20))
    with pytest.raises(ImageTooLarge, match="max_bytes"):
        one(io.BytesIO(bytes(5000)), limits=Limits(max_bytes=4999))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_pictures_above_pillows_own_limit_neither_warn_nor_fail(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save(Image.new("1", (3000, 300)), kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)  # 900,000 pixels are now over twice the limit
    assert one(data).width == 3000


def test_animations_give_their_first_frame_and_say_so() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        page = one(save(frames[0], kind, save_all=True, append_images=frames[1:], **options))
        assert page.pixels is not None
        assert tuple(page.pixels[4, 4]) == (255, 0, 0)
        assert "animated" in page.warnings[0]


def test_threads_do_not_disturb_each_other() -> None:
    sources = [
        save(Image.new("RGB", (200, 100), (index, 2 * index, 3 * index)), kind)
        for index, kind in enumerate(["PNG", "TIFF", "BMP", "PNG", "TIFF", "BMP"])
    ]
    wrong: list[int] = []

    def work(index: int) -> None:
        for _ in range(10):
            pixels = one(sources[index]).pixels
            if pixels is None or tuple(pixels[50, 50]) != (index, 2 * index, 3 * index):
                wrong.append(index)

    filters = list(warnings.filters)
    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(sources))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert warnings.filters == filters


SEEDS = [
    save(drawn(), "PNG"),
    save(drawn("P"), "PNG"),
    save(drawn("RGBA"), "PNG"),
    save(drawn(), "JPEG"),
    save(drawn(), "JPEG", progressive=True),
    save(drawn("CMYK"), "JPEG"),
    save(drawn(), "BMP"),
    save(drawn("P"), "BMP"),
    save(drawn("RGBA"), "WEBP", lossless=True),
    save(drawn(), "WEBP"),
    save(drawn(), "WEBP", save_all=True, append_images=[drawn().rotate(90)]),
    save(drawn("1"), "TIFF", compression="group4"),
    save(drawn(), "TIFF"),
    save(drawn(), "TIFF", compression="tiff_lzw"),
    save(drawn(), "TIFF", compression="jpeg"),
    save(drawn("L"), "TIFF", save_all=True, append_images=[drawn("L")], big_tiff=True),
]


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_mutated_files_give_pages_or_one_error_of_ours(data: st.DataObject) -> None:
    seed = bytearray(data.draw(st.sampled_from(SEEDS)))
    reach = min(len(seed), data.draw(st.sampled_from([64, 400, 10_000])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, reach - 1))
        seed[at] = data.draw(st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    keep = data.draw(st.integers(1, len(seed))) if data.draw(st.booleans()) else len(seed)
    try:
        for page in open_pages(
            bytes(seed[:keep]), limits=Limits(max_pixels=4_000_000, max_memory=64 * 2**20, max_pages=50)
        ):
            assert page.pixels is not None
            assert page.pixels.shape == (page.height, page.width, 3)
    except ShiziError:
        return


@settings(max_examples=100)
@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0+", b"BM", b"RIFF\0\0\0\0WEBP", b""]),
    st.binary(max_size=200),
)
def test_any_bytes_behind_a_magic_give_one_error_of_ours(magic: bytes, rest: bytes) -> None:
    with pytest.raises(ShiziError):
        list(open_pages(magic + rest))


class Endless(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        return bytes(size)


def test_an_endless_stream_is_read_only_up_to_the_limit() -> None:
    with pytest.raises(ImageTooLarge, match="max_bytes"):
        one(Endless(), limits=Limits(max_bytes=3 * 2**20))
