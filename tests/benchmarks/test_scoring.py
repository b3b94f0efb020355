"""The two text scores, against examples worked out by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scoring import F1, Score, bigrams, words

texts = st.lists(st.text(alphabet="aB1 字，。", max_size=8), max_size=5)


def test_bigrams_stay_inside_their_line() -> None:
    assert bigrams(["abc", "字", "d e"]) == Counter({"ab": 1, "bc": 1, "字": 1, "de": 1})
    assert bigrams(["", "  "]) == Counter()


def test_bigrams_know_no_case_no_space_and_no_width() -> None:
    assert bigrams(["Ａ b\u3000C"]) == bigrams(["abc"]) == Counter(["ab", "bc"])
    assert bigrams(["aaa"]) == Counter({"aa": 2})


def test_words_are_runs_of_letters_and_digits() -> None:
    assert words(["Total: 1,234 EUR", "ＡＢ12 字"]) == Counter(["total", "1", "234", "eur", "ab12"])
    assert words(["the end of the", "line"])["the"] == 2


def score(expected: list[str], found: list[str]) -> Score:
    made = Score()
    made.add(expected, found)
    return made


@pytest.mark.parametrize(
    ("expected", "found", "bigram", "word"),
    [
        (["合同编号"], ["合同编号"], 1.0, 0.0),  # no word of letters or digits on either side
        (["abcd"], ["abxd"], 1 / 3, 0.0),  # ab of ab bc cd against ab bx xd
        (["the cat", "sat"], ["sat", "the cat"], 1.0, 1.0),  # order of lines does not matter
        (["the cat sat"], ["the cat"], 2 * 5 / (8 + 5), 2 * 2 / (3 + 2)),
        (["no no"], ["no"], 2 * 1 / (3 + 1), 2 * 1 / (2 + 1)),  # no on no: what is found once counts once
        (["字"], [], 0.0, 0.0),
        ([], ["noise"], 0.0, 0.0),
    ],
)
def test_scores_worked_out_by_hand(expected: list[str], found: list[str], bigram: float, word: float) -> None:
    made = score(expected, found)
    assert (made.bigram.value, made.word.value) == pytest.approx((bigram, word))


def test_a_set_is_averaged_over_its_pieces_and_not_over_its_images() -> None:
    made = score(["ab"], ["xy"])
    made.add(["abcde"], ["abcde"])
    assert made.bigram.value == pytest.approx(2 * 4 / (5 + 5))
    assert (made.word.hits, made.word.expected, made.word.found) == (1, 2, 2)
    assert made.word.value == pytest.approx(0.5)


def test_nothing_at_all_scores_nothing() -> None:
    assert F1().value == 0.0


@given(texts, texts)
def test_scores_lie_between_nothing_and_all(expected: list[str], found: list[str]) -> None:
    for one in (score(expected, found).bigram, score(expected, found).word):
        assert 0 <= one.value <= 1
        assert one.hits <= min(one.expected, one.found)
    same = score(expected, expected).bigram
    assert same.value == (1.0 if same.expected else 0.0)
    assert score(expected, found).bigram.value == score(found, expected).bigram.value
