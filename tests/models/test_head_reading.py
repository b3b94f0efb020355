"""The default recogniser reads the same with its last layer apart and in one piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import cache

import numpy as np
import pytest

from shizi.imaging.crop import Crop, Part
from shizi.models.card import DEFAULT_TIER
from shizi.models.charset import read_charset
from shizi.models.head import WholeHead, load_recognizer
from shizi.models.normalize import normalization
from shizi.models.recognizer import Recognizer
from shizi.models.store import ModelStore
from shizi.models.streams import Streams
from shizi.runtime.base import SessionOptions
from shizi.runtime.onnx import OnnxRuntime
from shizi.runtime.openvino import OpenVinoRuntime
from tests.pipeline.drawn import Piece, face, page, pixels

RUNTIMES: dict[str, type[OnnxRuntime] | type[OpenVinoRuntime]] = {"onnx": OnnxRuntime, "openvino": OpenVinoRuntime}
LINES = [
    ("识字是自己部署的文字识别平台", "zh"),
    ("发票号码：20260042，金额￥1,234.50", "zh"),
    ("魑魅魍魉 饕餮 龌龊 囹圄 觊觎", "serif"),
    ("繁體中文與簡體字並存", "zh"),
    ("ひらがなとカタカナ", "serif"),
    ("The meeting was moved to the second week", "en"),
    ("café, naïve, Straße, señor", "en"),
    ("2026-11-21 08:15:30 +48.5 %", "en"),
    ("只尺 文丈 又叉 平乎 未末", "zh"),  # common characters, and rare ones that look like them
    ("乒乓汽车站清仓甩卖", "zh"),
    ("", "en"),
]


@pytest.fixture(scope="module", params=RUNTIMES)
def readers(request: pytest.FixtureRequest) -> Iterator[tuple[Recognizer, Recognizer]]:
    """In one piece, and with the layer apart."""
    runtime, store = RUNTIMES[request.param](), ModelStore()
    name = store.catalog.tier(DEFAULT_TIER).names[1]
    card, path = store.card(name), store.path(name)
    options = SessionOptions(threads=2, pixels=normalization(card))
    charset = read_charset(path, card.charset or "", card.classes)
    session, make_head = load_recognizer(runtime, path, options, charset, card.sure_logit)
    with closing(Streams(2)) as streams:
        whole = Recognizer(runtime.load(path, options), card, charset, streams, WholeHead)
        yield whole, Recognizer(session, card, charset, streams, make_head)


@cache
def crop(text: str, font: str) -> Crop:
    """A ready-cut line, 48 pixels high."""
    width = round(face(font, 32).getlength(text)) + 16
    drawn = pixels(page(width, 48, [Piece(8, 2 if font != "en" else 5, text, 32, font)]))
    corners = np.array([[0, 0], [width, 0], [width, 48], [0, 48]], dtype=np.float32)
    return Crop(Part(drawn), corners, width, 48)


@pytest.mark.parametrize("languages", [None, frozenset({"zh", "zh-Hant", "en"}), frozenset({"ja"})])
def test_lines_read_the_same(readers: tuple[Recognizer, Recognizer], languages: frozenset[str] | None) -> None:
    whole, apart = readers
    lines = (
        LINES
        if languages is None
        else [LINES[index] for index in ((0, 1, 2, 3, 5, 7) if "zh" in languages else (4, 7))]
    )
    crops = [crop(*line) for line in lines]
    for one, other in zip(whole(crops, languages), apart(crops, languages), strict=True):
        assert other.text == one.text
        assert other.starts == one.starts
        assert other.ends == one.ends
        assert other.scores == pytest.approx(one.scores, abs=0.02)


def test_what_is_read_is_what_is_written(readers: tuple[Recognizer, Recognizer]) -> None:
    _, apart = readers
    written = [line for line in LINES if "naïve" not in line[0]]
    read = [reading.text.replace(" ", "") for reading in apart([crop(*line) for line in written])]
    assert read == [text.replace(" ", "") for text, _ in written]


@pytest.mark.parametrize("language", ["en", "zh", "ja", "fr"])
def test_characters_of_other_languages_are_left_out(readers: tuple[Recognizer, Recognizer], language: str) -> None:
    """What none of the language's characters looks like is not read as the likeliest of them."""
    foreign = ["驮命士泉采亿蓑泌", "備木陥傭円触虹珠の", "汽车站清仓甩卖", "ĎekÝől ŦŃ Wçłïb", "ψαθλπ ΞΩΔξ"]
    crops = [crop(text, "en" if text[0] in "Ďψ" else "serif") for text in foreign]
    whole, apart = ([reading.text for reading in reader(crops, frozenset({language}))] for reader in readers)
    assert apart == whole
