"""PDFs, drawn by ourselves, through the real worker and through workers that fail."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from shizi.errors import (
    CorruptDocument,
    DeadlineExceeded,
    EncryptedDocument,
    ImageTooLarge,
    InvalidRequest,
    OutOfMemory,
)
from shizi.imaging.decode import LayerLine, Limits, PageImage, TextLayer, open_pages
from shizi.imaging.pdf import read_pdf
from tests.processes import children

MakePdf = Callable[..., bytes]

RED_CORNER = "1 0 0 rg 0 180 40 20 re f "  # at the top left of a page of 300 x 200 points
FAKE = "shizi.imaging.fake"


def one(data: bytes, **options: object) -> PageImage:
    (page,) = open_pages(data, **options)  # type: ignore[arg-type]
    return page


def layer_of(data: bytes) -> TextLayer:
    layer = one(data, text_layer="only").text_layer
    assert layer is not None
    return layer


def say(text: str, x: float, y: float, size: float = 12) -> str:
    return f"BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET "


def top_left(line: LayerLine) -> tuple[float, float]:
    return line.polygon[0]


def test_a_page_is_rendered_at_the_resolution_asked_for(make_pdf: MakePdf) -> None:
    data = make_pdf({"content": RED_CORNER})
    page = one(data, limits=Limits(pdf_dpi=144))
    assert (page.width, page.height) == (600, 400)
    assert page.pixels is not None
    assert page.pixels.shape == (400, 600, 3)
    assert page.pixels[5, 5].tolist() == [255, 0, 0]
    assert page.pixels[395, 595].tolist() == [255, 255, 255]
    assert page.text_layer is None
    assert (one(data).width, one(b"junk\n" * 200 + data).width) == (833, 833)


@pytest.mark.parametrize(("rotate", "corner"), [(0, (5, 5)), (90, (5, -5)), (180, (-5, -5)), (270, (-5, 5))])
def test_rotation_is_honoured(make_pdf: MakePdf, rotate: int, corner: tuple[int, int]) -> None:
    page = one(make_pdf({"content": RED_CORNER, "rotate": rotate}))
    assert page.pixels is not None
    assert (page.width > page.height) == (rotate % 180 == 0)
    assert page.pixels[corner].tolist() == [255, 0, 0]
    assert (page.pixels == [255, 0, 0]).all(axis=2).sum() == pytest.approx(40 * 20 * (200 / 72) ** 2, rel=0.05)


def test_a_scan_keeps_its_own_pixels(make_pdf: MakePdf) -> None:
    grey = np.random.default_rng(1).integers(0, 255, (400, 600), np.uint8)
    content = "q 300 0 0 200 0 0 cm /Im Do Q "
    image = (600, 400, grey.tobytes())
    page = one(make_pdf({"content": content, "image": image}))
    assert page.pixels is not None
    assert np.array_equal(page.pixels[..., 0], grey)
    turned = one(make_pdf({"content": content, "image": image, "rotate": 90})).pixels
    assert turned is not None
    assert np.array_equal(turned[..., 2], np.rot90(grey, -1))
    with_text = one(make_pdf({"content": content + say("page 7", 10, 10), "image": image}))
    assert with_text.width == 833  # text is drawn over the scan: never less than pdf_dpi


def test_large_pages_are_clamped_and_say_so(make_pdf: MakePdf) -> None:
    data = make_pdf({"size": (14400, 7200)})
    limits = Limits(pdf_max_pixels=500_000)
    page = one(data, limits=limits)
    assert page.width * page.height <= 500_000
    assert page.width == pytest.approx(2 * page.height, abs=2)
    assert "200.0 x 100.0 inches" in page.warnings[0]
    assert max(one(data, limits=Limits(max_side=900)).pixels.shape) == 900  # type: ignore[union-attr]


@pytest.mark.parametrize("size", [(0, 0), (-5, 10), (1e6, 1e6), (1e6, 0.01), (0.001, 0.001), (1e300, 5)])
def test_absurd_page_sizes_stay_within_the_limits(make_pdf: MakePdf, size: tuple[float, float]) -> None:
    page = one(make_pdf({"size": size}), text_layer="auto")
    assert page.width * page.height <= Limits().pdf_max_pixels
    assert max(page.width, page.height) <= Limits().max_side


def test_pages_by_number(make_pdf: MakePdf) -> None:
    data = make_pdf(*({"content": say(f"number {index}", 20, 100)} for index in range(1, 6)))
    pages = list(open_pages(data, pages=[4, 2], text_layer="auto"))
    assert [(page.number, page.text_layer.lines[0].text) for page in pages if page.text_layer] == [
        (2, "number 2"),
        (4, "number 4"),
    ]
    with pytest.raises(InvalidRequest, match="no page 6: the document has 5 pages"):
        list(open_pages(data, pages=[6]))
    with pytest.raises(ImageTooLarge, match="max_pages"):
        list(open_pages(data, limits=Limits(max_pages=4)))


def test_passwords(make_pdf: MakePdf) -> None:
    data = make_pdf({"content": say("secret", 20, 100)}, password="geheim")
    with pytest.raises(EncryptedDocument, match=r"missing.*--password"):
        one(data)
    with pytest.raises(EncryptedDocument, match=r"wrong.*--password"):
        one(data, password="other")
    with pytest.raises(InvalidRequest, match="NUL"):
        one(data, password="a\0")
    layer = one(data, password="geheim", text_layer="auto").text_layer
    assert layer is not None
    assert layer.lines[0].text == "secret"


def test_no_pages_and_no_pdf(make_pdf: MakePdf) -> None:
    with pytest.raises(CorruptDocument, match="no pages"):
        one(make_pdf())
    with pytest.raises(CorruptDocument, match="damaged"):
        one(b"%PDF-1.7 and nothing else")


def test_lines_words_and_where_they_stand(make_pdf: MakePdf) -> None:
    page = one(
        make_pdf({"content": say("Total amount due", 72, 144, 10) + say("42.00", 250, 144, 10)}), text_layer="only"
    )
    assert page.pixels is None
    assert (page.width, page.height) == (833, 556)
    layer = page.text_layer
    assert layer is not None
    assert (layer.sound, layer.reason, layer.has_images, layer.image_boxes) == (True, "", False, ())
    assert [line.text for line in layer.lines] == ["Total amount due", "42.00"]  # a wide gap begins another cell
    line = layer.lines[0]
    assert [word.text for word in line.words] == ["Total", "amount", "due"]
    assert (line.angle, line.vertical) == (0, False)
    scale = 200 / 72
    left, top = top_left(line)
    assert left == pytest.approx(72 * scale, abs=2)
    assert top < (200 - 144) * scale < line.polygon[2][1]
    assert line.polygon[2][1] - top == pytest.approx(10 * scale * 1.1, rel=0.3)
    for before, after in pairwise(line.words):
        assert before.polygon[1][0] < after.polygon[0][0]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_text_layer_lies_on_the_rendered_letters(make_pdf: MakePdf, rotate: int) -> None:
    page = one(make_pdf({"content": say("Invoice", 100, 120, 20), "rotate": rotate}), text_layer="auto")
    assert page.text_layer is not None
    assert page.pixels is not None
    (line,) = page.text_layer.lines
    assert line.angle == rotate
    rows, columns = np.nonzero(page.pixels[..., 0] < 128)
    xs, ys = [x for x, _ in line.polygon], [y for _, y in line.polygon]
    assert min(xs) - 2 <= columns.min() <= columns.max() <= max(xs) + 2
    assert min(ys) - 2 <= rows.min() <= rows.max() <= max(ys) + 2


@pytest.mark.parametrize("degrees", [30, 45, 60, -20])
def test_slanted_text(make_pdf: MakePdf, degrees: int) -> None:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    content = f"BT /F1 16 Tf {cosine} {sine} {-sine} {cosine} 120 90 Tm (slanted text) Tj ET"
    (line,) = layer_of(make_pdf({"content": content})).lines
    assert line.text == "slanted text"
    assert line.angle == pytest.approx(-degrees % 360, abs=0.6)
    corner, end, far, _ = line.polygon
    scale = 200 / 72
    assert np.hypot(end[0] - corner[0], end[1] - corner[1]) == pytest.approx(86 * scale, rel=0.12)
    assert np.hypot(far[0] - end[0], far[1] - end[1]) == pytest.approx(16 * scale * 1.1, rel=0.35)


def test_chinese_text(make_pdf: MakePdf) -> None:
    text = "发票号码".encode("utf-16-be").hex()
    (line,) = layer_of(make_pdf({"content": f"BT /F2 20 Tf 50 100 Td <{text}> Tj ET"})).lines
    assert line.text == "发票号码"
    assert [word.text for word in line.words] == ["发票号码"]
    assert line.polygon[1][0] - line.polygon[0][0] == pytest.approx(80 * 200 / 72, rel=0.1)


def test_chinese_from_top_to_bottom(make_pdf: MakePdf) -> None:
    column = "".join(f"<{letter.encode('utf-16-be').hex()}> Tj 0 -22 Td " for letter in "上下左右")
    (line,) = layer_of(make_pdf({"content": f"BT /F2 20 Tf 50 150 Td {column} ET"})).lines
    assert (line.text, line.vertical, line.angle) == ("上下左右", True, 0)
    assert line.polygon[2][1] - line.polygon[0][1] > 3 * (line.polygon[1][0] - line.polygon[0][0])


def test_text_that_cannot_be_trusted(make_pdf: MakePdf) -> None:
    scan = {"image": (4, 4, bytes(16))}
    full = "q 300 0 0 200 0 0 cm /Im Do Q "
    for content, why in (
        ("", "no text"),
        (full + "3 Tr " + say("read before", 20, 100), "invisible and lies over a scan: probably an earlier OCR"),
        (say("read before", 20, 100) + full, "under an image of the page: probably an earlier OCR"),
        (say("far away", 900, 100), "outside"),
        ("BT /F2 12 Tf 20 90 Td <E000E001E002> Tj ET", "do not say which characters"),
    ):
        layer = layer_of(make_pdf({"content": content, **scan}))
        assert not layer.sound
        assert why in layer.reason


def test_images_and_outlined_letters_are_left_to_ocr(make_pdf: MakePdf) -> None:
    image = {"image": (4, 4, bytes(16))}
    layer = layer_of(make_pdf({"content": say("caption", 20, 20) + "q 72 0 0 36 36 100 cm /Im Do Q", **image}))
    assert layer.sound
    assert layer.has_images
    scale = 200 / 72
    ((corner, _, far, _),) = layer.image_boxes
    assert corner == pytest.approx((36 * scale, (200 - 136) * scale), abs=1)
    assert far == pytest.approx((108 * scale, (200 - 100) * scale), abs=1)
    letter = " ".join(
        f"{x} 100 m {x} 110 {x + 4} 120 {x + 8} 110 c {x + 6} 105 l {x + 4} 104 l {x + 2} 103 l {x} 101 l f"
        for x in range(20, 200, 12)
    )
    outlined = layer_of(make_pdf({"content": say("caption", 20, 20) + letter}))
    assert outlined.sound
    assert outlined.has_images
    assert not layer_of(make_pdf({"content": say("caption", 20, 20) + "20 100 m 200 100 l S"})).has_images


def fake(failure: bytes, **limits: float) -> list[PageImage]:
    return list(read_pdf(failure, Limits(**limits), None, None, "ignore", worker=FAKE))  # type: ignore[arg-type]


def test_a_crash_names_its_page() -> None:
    with pytest.raises(CorruptDocument, match=r"page 1: .* died"):
        fake(b"crash")
    pages = read_pdf(b"crash on page 2", Limits(), None, None, "ignore", worker=FAKE)
    assert next(pages).number == 1
    with pytest.raises(CorruptDocument, match=r"page 2: .* died"):
        next(pages)


def test_a_hang_is_ended() -> None:
    start = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"page 2: .*pdf_timeout_s"):
        fake(b"hang on page 2", pdf_timeout_s=0.8)
    assert time.monotonic() - start < 10


def test_a_memory_blow_stays_in_the_worker() -> None:
    with pytest.raises(OutOfMemory, match=r"page 1: .*pdf_memory"):
        fake(b"eat memory", pdf_memory=300 * 2**20)


@pytest.mark.parametrize("failure", [b"babble", b"lie"])
def test_an_answer_that_is_none_is_not_believed(failure: bytes) -> None:
    with pytest.raises(CorruptDocument, match=r"page 1: .*nonsense"):
        fake(failure)


def test_nothing_is_left_behind_when_the_iterator_is_dropped(make_pdf: MakePdf) -> None:
    before = children(os.getpid())
    pages = open_pages(make_pdf(*({"content": RED_CORNER} for _ in range(5))))
    next(pages)
    assert children(os.getpid()) - before
    pages.close()  # type: ignore[attr-defined]
    assert children(os.getpid()) <= before


def test_many_threads_read_pdfs(make_pdf: MakePdf) -> None:
    found: dict[int, list[str]] = {}

    def work(index: int) -> None:
        data = make_pdf({"content": say(f"one {index}", 20, 100)}, {"content": say(f"two {index}", 20, 100)})
        layers = [page.text_layer for page in open_pages(data, text_layer="auto", limits=Limits(pdf_dpi=50))]
        found[index] = [layer.lines[0].text for layer in layers if layer]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {index: [f"one {index}", f"two {index}"] for index in range(8)}
