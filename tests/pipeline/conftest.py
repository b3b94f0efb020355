"""One engine for all tests that read with the real models: loading it takes longer than reading a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shizi import OCR


@pytest.fixture(scope="session")
def ocr() -> Iterator[OCR]:
    with OCR() as engine:
        yield engine
