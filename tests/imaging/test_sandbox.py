"""What comes out of a sandbox is what `open_pages` gives: the same pixels, the same text, the same errors."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from shizi.errors import DeadlineExceeded, EngineUnavailable, InvalidRequest, OutOfMemory, ShiziError
from shizi.imaging.decode import Limits, PageImage, open_pages
from shizi.imaging.sandbox import Sandbox, SandboxOptions
from shizi.imaging.shared import FOLDER

MakePdf = Callable[..., bytes]

SAMPLES = sorted(
    path for path in (Path(__file__).parents[2] / "samples").iterdir() if path.suffix in (".png", ".jpg", ".pdf")
)
LIMITS = Limits(max_pixels=3_000_000, max_side=3000, max_pages=20, max_bytes=20 * 2**20)
RED_CORNER = "1 0 0 rg 0 180 40 20 re f "


def say(text: str) -> str:
    return f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET "


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=2))
    yield sandbox
    sandbox.close()


def soon() -> float:
    return time.monotonic() + 60


def decoded(sandbox: Sandbox, data: bytes, **options: object) -> list[PageImage]:
    """As from `open_pages`, copied out of shared memory."""
    pages: list[PageImage] = []
    options.setdefault("deadline", soon())
    with sandbox.open(io.BytesIO(data), **options) as shared:  # type: ignore[arg-type]
        for page in shared:
            pixels = None
            if page.pixels is not None:
                with page.pixels.array() as mapped:
                    pixels = mapped.copy()
            page.release()
            pages.append(PageImage(page.number, pixels, page.width, page.height, page.text_layer, page.warnings))
    return pages


def agree(sandbox: Sandbox, data: bytes, **options: object) -> list[PageImage]:
    """Asserts that both ways give the same pages."""
    wanted = list(open_pages(data, limits=LIMITS, **options))  # type: ignore[arg-type]
    found = decoded(sandbox, data, **options)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert (one.number, one.width, one.height, one.warnings) == (
            other.number,
            other.width,
            other.height,
            other.warnings,
        )
        assert one.text_layer == other.text_layer
        assert (one.pixels is None) == (other.pixels is None)
        if one.pixels is not None and other.pixels is not None:
            assert np.array_equal(one.pixels, other.pixels)
    return found


def refused(sandbox: Sandbox, data: bytes, **options: object) -> ShiziError:
    """Asserts that both ways give the same error."""
    limits = options.pop("limits", LIMITS)
    with pytest.raises(ShiziError) as wanted:
        list(open_pages(data, limits=limits, **options))  # type: ignore[arg-type]
    with pytest.raises(ShiziError) as found:
        decoded(sandbox, data, **options)
    assert (type(found.value), str(found.value)) == (type(wanted.value), str(wanted.value))
    return found.value


def drawn(mode: str = "RGB", size: tuple[int, int] = (61, 40)) -> Image.Image:
    image = Image.effect_noise(size, 60).convert("RGB")
    ImageDraw.Draw(image).rectangle((3, 3, 30, 20), fill=(200, 0, 40))
    return image.convert(mode)


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("text_layer", ["auto", "ignore", "only"])
def test_samples(sandbox: Sandbox, path: Path, text_layer: str) -> None:
    pages = agree(sandbox, path.read_bytes(), text_layer=text_layer)
    if path.suffix == ".pdf" and text_layer != "ignore":
        assert any(page.text_layer and page.text_layer.lines for page in pages)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "1", "P", "I;16"])
def test_png(sandbox: Sandbox, mode: str) -> None:
    image = drawn("L").convert("I;16") if mode == "I;16" else drawn(mode)
    agree(sandbox, save(image, "PNG"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_and_its_orientation(sandbox: Sandbox, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    (page,) = agree(sandbox, save(drawn(), "JPEG", exif=exif.tobytes()))
    assert (page.width > page.height) == (orientation < 5)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_other_jpeg(sandbox: Sandbox, mode: str, progressive: bool) -> None:
    agree(sandbox, save(drawn(mode), "JPEG", progressive=progressive))


@pytest.mark.parametrize("lossless", [False, True])
def test_webp_and_bmp(sandbox: Sandbox, lossless: bool) -> None:
    agree(sandbox, save(drawn("RGBA" if lossless else "RGB"), "WEBP", lossless=lossless))
    agree(sandbox, save(drawn("P" if lossless else "RGB"), "BMP"))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "group4"])
def test_tiff_of_many_pages(sandbox: Sandbox, compression: str) -> None:
    mode = "1" if compression == "group4" else "RGB"
    frames = [drawn(mode, (50 + index, 40)) for index in range(4)]
    data = save(frames[0], "TIFF", save_all=True, append_images=frames[1:], compression=compression)
    assert len(agree(sandbox, data)) == 4
    assert [page.number for page in agree(sandbox, data, pages=[4, 2, 2])] == [2, 4]


def test_pdf(sandbox: Sandbox, make_pdf: MakePdf) -> None:
    grey = np.random.default_rng(1).integers(0, 255, (200, 300), np.uint8).tobytes()
    data = make_pdf(
        {"content": RED_CORNER + say("first"), "rotate": 90},
        {"content": "q 300 0 0 200 0 0 cm /Im Do Q ", "image": (300, 200, grey)},
        {"content": "BT /F2 20 Tf 20 100 Td <4E2D6587> Tj ET "},  # a font that is looked for in the system
        {"size": (14400, 7200)},
    )
    for text_layer in ("auto", "ignore", "only"):
        pages = agree(sandbox, data, text_layer=text_layer)
        assert "200.0 x 100.0 inches" in pages[3].warnings[0]
    assert [page.number for page in agree(sandbox, data, pages=(3, 1))] == [1, 3]
    with sandbox.open(io.BytesIO(data), pages=(1,), text_layer="only", deadline=time.monotonic() + 30) as first:
        assert [page.count for page in first] == [4], "all pages of the document, of which one was asked for"


def test_encrypted_pdf(sandbox: Sandbox, make_pdf: MakePdf) -> None:
    data = make_pdf({"content": say("secret")}, password="geheim")
    assert "missing" in str(refused(sandbox, data))
    assert "wrong" in str(refused(sandbox, data, password="other"))
    refused(sandbox, data, password="a\0")
    (page,) = agree(sandbox, data, password="geheim", text_layer="auto")
    assert page.text_layer is not None
    assert page.text_layer.lines[0].text == "secret"


def test_damaged_foreign_and_absent(sandbox: Sandbox, make_pdf: MakePdf) -> None:
    for kind in ("PNG", "JPEG", "TIFF", "WEBP", "BMP"):
        data = save(drawn(), kind)
        for cut in (data[: len(data) // 2], data[:20], data[:100] + b"\xff" * 50 + data[150:]):
            try:
                list(open_pages(cut, limits=LIMITS))
            except ShiziError:
                refused(sandbox, cut)
            else:
                agree(sandbox, cut)
    for data in (b"", b"hello", b"GIF89a", b"%!PS", b"%PDF-1.7 and nothing else", make_pdf()):
        refused(sandbox, data)
    assert sandbox.stats.kills == {}


def test_over_a_limit(sandbox: Sandbox, make_pdf: MakePdf) -> None:
    refused(sandbox, save(Image.new("L", (2000, 2000)), "PNG"))
    refused(sandbox, save(Image.new("L", (3001, 4)), "PNG"))
    refused(sandbox, b"\x89PNG\r\n\x1a\n" + b"x" * LIMITS.max_bytes)
    many = make_pdf(*({} for _ in range(21)))
    refused(sandbox, many)
    refused(sandbox, many, pages=range(1, 22))
    refused(sandbox, many, pages=[22])
    refused(sandbox, make_pdf({}), pages=range(1, 10**5))


@pytest.mark.parametrize("pages", [[0], [-1], [], ["1"], [True], [1.5]])
def test_wrong_arguments(sandbox: Sandbox, pages: list[object]) -> None:
    refused(sandbox, save(drawn(), "PNG"), pages=pages)
    for deadline in (float("inf"), float("nan")):
        with pytest.raises(InvalidRequest, match="deadline"):
            decoded(sandbox, b"", deadline=deadline)
    assert len(decoded(sandbox, save(drawn(), "PNG"), deadline=time.monotonic() + 1e8)) == 1
    with pytest.raises(InvalidRequest, match="text_layer"):
        decoded(sandbox, b"", text_layer="some")


def test_nothing_happens_before_the_first_page_is_asked_for(sandbox: Sandbox) -> None:
    before = sandbox.stats.documents
    with sandbox.open(io.BytesIO(b"not read"), deadline=soon()):
        pass
    assert sandbox.stats.documents == before


def test_a_deadline_that_has_passed(sandbox: Sandbox) -> None:
    with pytest.raises(DeadlineExceeded, match="deadline"):
        decoded(sandbox, save(drawn(), "PNG"), deadline=time.monotonic() - 1)
    assert sandbox.stats.kills == {}


def test_pages_live_until_they_are_released_or_the_context_ends(sandbox: Sandbox, make_pdf: MakePdf) -> None:
    with sandbox.open(io.BytesIO(make_pdf({}, {}, {})), deadline=soon()) as pages:
        first, second, third = pages
        names = [page.pixels.name for page in (first, second, third) if page.pixels]
        assert [(FOLDER / name).exists() for name in names] == [True] * 3
        assert sandbox.stats.shared_bytes == 3 * 833 * 556 * 3
        second.release()
        second.release()
        assert [(FOLDER / name).exists() for name in names] == [True, False, True]
        assert sandbox.stats.shared_blocks == 2
    assert not any((FOLDER / name).exists() for name in names)
    assert (sandbox.stats.shared_blocks, sandbox.stats.shared_bytes) == (0, 0)
    third.release()
    assert sandbox.stats.shared_bytes == 0


def test_many_threads(sandbox: Sandbox) -> None:
    wrong: list[object] = []

    def read(value: int) -> None:
        data = save(Image.new("L", (40 + value, 30), value), "PNG")
        for _ in range(5):
            (page,) = decoded(sandbox, data)
            if page.pixels is None or page.width != 40 + value or not (page.pixels == value).all():
                wrong.append(value)

    threads = [threading.Thread(target=read, args=(value,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sandbox.stats.processes <= 2


def test_shared_memory_is_bounded() -> None:
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=1, max_shared=50_000))
    data = save(Image.new("RGB", (100, 100)), "PNG")
    try:
        with sandbox.open(io.BytesIO(data), deadline=soon()) as pages:
            held = next(pages)
            with pytest.raises(OutOfMemory, match="max_shared"):
                decoded(sandbox, data, deadline=time.monotonic() + 3)
            timer = threading.Timer(0.2, held.release)
            timer.start()
            assert len(decoded(sandbox, data)) == 1  # it waits
        with pytest.raises(OutOfMemory, match="max_shared"):
            decoded(sandbox, save(Image.new("RGB", (200, 200)), "PNG"))  # at once: it never fits
        assert len(decoded(sandbox, data)) == 1
    finally:
        sandbox.close()


def test_after_close() -> None:
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=1))
    sandbox.close()
    sandbox.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        decoded(sandbox, save(drawn(), "PNG"))
    assert sandbox.processes == []


@pytest.mark.parametrize("name", ["processes", "max_documents", "max_resident", "max_shared", "max_decoding"])
def test_options_that_are_none(name: str) -> None:
    with pytest.raises(InvalidRequest, match=name):
        SandboxOptions(**{name: 0})
