from __future__ import annotations

from pathlib import Path

from PIL import Image

from shizi import OCR
from shizi.bench.documents import DRAWN, draw_all


def test_the_same_documents_are_drawn_again(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    first, second = draw_all(tmp_path), draw_all(tmp_path / "again")
    assert [path.stem for path in first] == list(DRAWN)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_they_hold_text_that_can_be_read(tmp_path: Path) -> None:
    letter, receipt, screen = draw_all(tmp_path)
    with OCR() as ocr:
        assert len(ocr.read(letter).text.split()) > 120
        assert "GENERAL STORE" in ocr.read(receipt).text
        assert len(ocr.read(screen).pages[0].lines) > 15
    with Image.open(letter) as page:
        assert page.size == (1240, 1754)
