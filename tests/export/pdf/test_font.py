"""The font without strokes opens, and its boxes and codes are what the text needs."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from shizi.errors import InvalidRequest
from shizi.export.pdf.font import MOST_CHARACTERS, UNITS, Charset, glyphless


def test_a_font_engine_opens_it_and_it_draws_nothing() -> None:
    font = ImageFont.truetype(io.BytesIO(glyphless()), UNITS)
    assert font.getmetrics() == (800, 200)
    assert not any(font.getmask("a识"))


@given(st.text())
def test_every_character_has_a_code_of_its_own(text: str) -> None:
    charset = Charset([text])
    codes = [charset.encode(character) for character in {*text, " "}]
    assert len(set(codes)) == len(codes)
    assert "<0000>" not in codes
    assert len(charset.encode(text)) == 2 + 4 * len(text)


def test_chinese_is_twice_as_wide() -> None:
    charset = Charset(["ab识字，"])
    assert charset.width("ab") == 1.0
    assert charset.width("识字，") == 3.0


def test_more_characters_than_codes_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="different characters"):
        Charset(chr(0x10000 + index) for index in range(MOST_CHARACTERS + 1))
