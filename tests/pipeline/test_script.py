"""A page's characters agree on a script, from readings with known doubts."""

from __future__ import annotations

import numpy as np
import pytest

from shizi.models.ctc import Reading
from shizi.pipeline.draft import Draft
from shizi.pipeline.script import agree

SIMPLIFIED = "订单编号发货时间联系电话"
TRADITIONAL = "訂單編號發貨時間聯繫電話"


def reading(text: str, doubts: dict[str, float] | None = None) -> Reading:
    """Of doubtful characters the other form has the given probability, the one that was read what is left."""
    others = tuple((doubts or {}).get(character, 0.0) for character in text)
    places = tuple(k / len(text) for k in range(len(text)))
    return Reading(tuple(text), tuple(1 - other for other in others), places, places, others)


def draft(*readings: Reading) -> Draft:
    quads = np.zeros((len(readings), 4, 2), dtype=np.float32)
    made = Draft(np.zeros((8, 8, 3), dtype=np.uint8), quads, np.ones(len(readings), dtype=np.float32))
    made.turns[:] = 0
    made.readings.update({(line, 0): one for line, one in enumerate(readings)})
    return made


def texts(page: Draft) -> list[str]:
    return [page.reading(line).text for line in range(len(page.quads))]


@pytest.mark.parametrize(
    ("rest", "read", "expected"),
    [
        (SIMPLIFIED, "黃強", "黄强"),
        (SIMPLIFIED, "黄强", "黄强"),
        (TRADITIONAL, "黄强", "黃強"),
        (TRADITIONAL, "黃強", "黃強"),
        (SIMPLIFIED, "發", "发"),
        (TRADITIONAL, "发", "发"),  # 發 or 髮: nobody knows
    ],
)
def test_doubtful_characters_take_the_form_of_the_rest(rest: str, read: str, expected: str) -> None:
    page = draft(reading(rest), reading(read, dict.fromkeys(read, 0.4)))
    agree(page)
    assert texts(page) == [rest, expected]
    assert page.reading(1).scores == pytest.approx([1.0] * len(read))  # either form was meant


def test_a_name_that_was_read_surely_keeps_its_form() -> None:
    page = draft(reading(SIMPLIFIED * 3), reading("黃先生", {"黃": 0.04}))
    agree(page)
    assert texts(page)[1] == "黃先生"
    assert page.reading(1).scores[0] == pytest.approx(0.96)


@pytest.mark.parametrize(
    "rest",
    [
        "订单编",  # too little
        "订单编号發貨時間",  # both
        "订单编号发货时间联系のです",  # Japanese is written with both
        "订单编号发货时间联系テスト",
        "订单编号发货时间联系ﾃｽﾄ",
        "ABC 123",
        "中文",  # the same in both
    ],
)
def test_a_page_that_does_not_say_its_script_stays_as_it_was_read(rest: str) -> None:
    page = draft(reading(rest), reading("黃", {"黃": 0.4}))
    agree(page)
    assert texts(page) == [rest, "黃"]
    assert page.reading(1).score == pytest.approx(0.6)


def test_a_long_sound_sign_and_a_middle_dot_are_no_japanese() -> None:
    page = draft(reading(SIMPLIFIED + "・ーｰ"), reading("黃", {"黃": 0.4}))
    agree(page)
    assert texts(page)[1] == "黄"


def test_doubtful_characters_have_no_vote() -> None:
    page = draft(reading("訂單編號", dict.fromkeys("訂單編號", 0.3)), reading("发货时间联"))
    agree(page)
    assert texts(page) == ["订单编号", "发货时间联"]


def test_only_the_turn_that_was_decided_on_counts() -> None:
    page = draft(reading("黃", {"黃": 0.4}), reading("黃", {"黃": 0.4}))
    page.readings[1, 2] = reading(SIMPLIFIED)  # upside down
    agree(page)
    assert texts(page) == ["黃", "黃"]
    page.turns[1] = 2
    agree(page)
    assert texts(page) == ["黄", SIMPLIFIED]


def test_lines_that_were_not_read_and_readings_without_doubts_are_nothing_to_it() -> None:
    page = draft(reading(SIMPLIFIED), Reading(("黃",), (0.6,), (0.0,), (1.0,)), Reading())
    del page.readings[2, 0]
    agree(page)
    assert texts(page) == [SIMPLIFIED, "黃", ""]


@pytest.mark.parametrize(
    ("languages", "expected"), [(None, "黄"), (["zh"], "黄"), (["zh-Hant", "en"], "黄"), (["ja"], "黃")]
)
def test_only_chinese_has_scripts(languages: list[str] | None, expected: str) -> None:
    page = draft(reading(SIMPLIFIED), reading("黃", {"黃": 0.4}))
    agree(page, languages)
    assert texts(page)[1] == expected


def test_one_character_in_either_form_side_by_side_is_one() -> None:
    """Two columns beside each other, without a blank between; names may well have a character twice."""
    places = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    read = Reading(tuple("黃黄强强生"), (0.5, 0.55, 0.6, 0.6, 1.0), places[:-1], places[1:], (0.4, 0.4, 0.3, 0.3, 0.0))
    page = draft(reading(SIMPLIFIED), read)
    agree(page)
    found = page.reading(1)
    assert found.text == "黄强强生"
    assert found.scores == pytest.approx((0.95, 0.9, 0.9, 1.0))
    assert found.starts == (0.0, 0.4, 0.6, 0.8)
    assert found.ends == (0.4, 0.6, 0.8, 1.0)
    assert found.others == (0.4, 0.3, 0.3, 0.0)
    apart = Reading(("黃", "黄"), (0.5, 0.55), (0.0, 0.6), (0.4, 1.0), (0.4, 0.4))
    page = draft(reading(SIMPLIFIED), apart)
    agree(page)
    assert page.reading(1).text == "黄黄"
