"""The first font that is there."""

from __future__ import annotations

from pathlib import Path

from PIL import ImageFont

from shizi.export.fonts import find_font


def test_a_font_with_chinese_is_found_here() -> None:
    found = find_font()
    assert found is not None
    font = ImageFont.truetype(found[0], 40, found[1])
    assert font.getmask("识").getbbox() != font.getmask("\U000ffffd").getbbox()


def test_the_first_candidate_that_exists_wins(tmp_path: Path) -> None:
    (tmp_path / "b.ttc").touch()
    candidates = [(str(tmp_path / name), index) for index, name in enumerate(("a.ttc", "b.ttc", "c.ttc"))]
    assert find_font(candidates) == (str(tmp_path / "b.ttc"), 1)
    assert find_font(candidates[:1]) is None
