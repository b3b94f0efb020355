"""The characters that are looked at first."""

from __future__ import annotations

import pytest

from shizi.models import common
from shizi.models.card import DEFAULT_TIER
from shizi.models.charset import Charset, read_charset
from shizi.models.common import common_classes
from shizi.models.ctc import BLANK
from shizi.models.store import ModelStore


@pytest.fixture(scope="module")
def charset() -> Charset:
    """Of the default recogniser."""
    store = ModelStore()
    name = store.catalog.tier(DEFAULT_TIER).names[1]
    card = store.card(name)
    return read_charset(store.path(name), card.charset or "", card.classes)


def test_classes_come_in_order_with_the_blank_first() -> None:
    assert common_classes(["", "a", "龘", "的", "Ж", " ", "9"]).tolist() == [BLANK, 1, 3, 5, 6]


def test_what_is_more_than_one_character_is_not_common() -> None:
    assert common_classes(["", "ab", "的了", "了"]).tolist() == [0, 3]


def test_ranges_are_in_order_and_do_not_overlap() -> None:
    ends = [end for low_high in common._RANGES for end in low_high]
    assert ends == sorted(ends)
    assert all(following > last for last, following in zip(ends[1::2], ends[2::2], strict=False))


def test_common_characters_are_classes_of_the_default_recogniser(charset: Charset) -> None:
    known = [charset.characters[index] for index in common_classes(charset.characters)]
    assert known[0] == ""
    assert set(common._HAN) <= set(known)
    assert set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,:;!?-/()%+=&@#$") <= set(known)
    assert set("，。、：；！？（）《》“”￥¥€éüñß") <= set(known)


def test_common_characters_are_few(charset: Charset) -> None:
    """A tenth of all at most, or the first look would not be quick."""
    assert 800 < len(common_classes(charset.characters)) < len(charset.characters) / 10


@pytest.mark.parametrize("rare", list("龘鬱氍齉ЖΩあ한"))
def test_rare_characters_are_not_common(charset: Charset, rare: str) -> None:
    classes = common_classes(charset.characters)
    assert rare not in {charset.characters[index] for index in classes}
    assert common_classes(["", rare]).tolist() == [BLANK]
