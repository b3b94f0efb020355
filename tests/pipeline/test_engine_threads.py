"""One engine, many threads: what is read does not depend on who else is reading."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from shizi import OCR, Document
from tests.pipeline.drawn import Piece, column, page, turned

THREADS = 16
GOODS = ["apples", "pears", "plums", "grapes", "melons", "lemons", "limes", "figs"]
MONTHS = ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月"]


def different_page(number: int) -> tuple[Image.Image, list[str]]:
    """A page like no other: its text, its size, how much stands on it and how it lies."""
    texts = [
        f"Delivery {4300 + 17 * number} of {GOODS[number % 8]}",
        f"{MONTHS[number % 8]}份第{number + 1}号送货单",
        f"Total {12 * number + 35} kg, price {7 * number + 21}.50 EUR",
    ][: 2 + number % 2]
    image = page(560 + 24 * number, 200 + 5 * number, column(40, 30, texts, 26 + number % 7, 55))
    return turned(image, 90 * (number % 4)), texts


def without_time(document: Document) -> Document:
    return replace(document, timings_ms={})


def together(read: Callable[[int], Document]) -> list[Document]:
    """Sixteen readings that start at the same moment."""
    barrier = threading.Barrier(THREADS)

    def start(number: int) -> Document:
        barrier.wait(60)
        return read(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return [without_time(document) for document in pool.map(start, range(THREADS))]


@pytest.mark.parametrize("runtime", ["auto", "onnx"])
def test_sixteen_threads_read_what_one_reads(ocr: OCR, runtime: str) -> None:
    engine = ocr if runtime == "auto" else OCR(runtime="onnx")
    pages = [different_page(number) for number in range(THREADS)]
    alone = [without_time(engine.read(image)) for image, _ in pages]
    assert [document.text.split("\n") for document in alone] == [texts for _, texts in pages]
    assert together(lambda number: engine.read(pages[number][0])) == alone


def test_the_options_of_one_request_do_not_reach_another(ocr: OCR) -> None:
    image = page(
        700, 200, [Piece(40, 40, "请在三日内付款并保留收据", 34), Piece(40, 110, "Thank you for your order", 34)]
    )
    kinds: list[dict[str, Any]] = [{}, {"languages": ("en",)}, {"recognize": False}, {"classify": False}]
    alone = [without_time(ocr.read(image, **options)) for options in kinds]
    assert len({document.text for document in alone}) == 3
    assert together(lambda number: ocr.read(image, **kinds[number % 4])) == alone * (THREADS // 4)
