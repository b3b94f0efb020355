"""Greedy CTC decoding against a decoder that does it one column at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.models.charset import Charset
from shizi.models.ctc import BLANK, Reading, best_path, decode

CHARSET = Charset(("", "a", "b", "c", " "))
path = st.lists(st.tuples(st.integers(0, 4), st.floats(0.25, 1, width=32)), min_size=1, max_size=40)


def reference(columns: list[tuple[int, float]], used: float) -> Reading:
    characters: list[str] = []
    scores: list[float] = []
    starts: list[float] = []
    ends: list[float] = []
    previous = BLANK
    for at, (index, score) in enumerate(columns):
        if index != BLANK and index == previous:
            scores[-1] = max(scores[-1], score)
            ends[-1] = min((at + 1) / used, 1)
        elif index != BLANK:
            characters.append(CHARSET.characters[index])
            scores.append(score)
            starts.append(min(at / used, 1))
            ends.append(min((at + 1) / used, 1))
        previous = index
    return Reading(tuple(characters), tuple(scores), tuple(starts), tuple(ends))


def decoded(classes: list[int], scores: list[float], used: float, others: list[float] | None = None) -> Reading:
    """One line alone."""
    found = decode(
        np.array(classes, dtype=np.intp),
        np.array(scores, dtype=np.float32),
        np.array(others or [0] * len(classes), dtype=np.float32),
        np.array([len(classes)]),
        np.array([used]),
        CHARSET,
    )
    (reading,) = found
    return reading


@given(st.lists(st.tuples(path, st.floats(0.5, 1)), min_size=1, max_size=5))
def test_decoding_is_what_the_paper_says(lines: list[tuple[list[tuple[int, float]], float]]) -> None:
    columns = [column for line, _ in lines for column in line]
    used = [share * len(line) for line, share in lines]
    readings = decode(
        np.array([index for index, _ in columns], dtype=np.intp),
        np.array([score for _, score in columns], dtype=np.float32),
        np.zeros(len(columns), dtype=np.float32),
        np.array([len(line) for line, _ in lines]),
        np.array(used),
        CHARSET,
    )
    assert len(readings) == len(lines)
    for reading, (line, _), shown in zip(readings, lines, used, strict=True):
        expected = reference(line, shown)
        assert reading.characters == expected.characters
        assert reading.scores == expected.scores
        assert reading.starts == pytest.approx(expected.starts)
        assert reading.ends == pytest.approx(expected.ends)
        assert reading.others == (0.0,) * len(reading.characters)


def test_a_blank_parts_two_equal_letters() -> None:
    reading = decoded([0, 1, 1, 0, 1, 2, 2, 2, 0, 0], [1, 0.5, 0.75, 1, 0.5, 0.25, 0.5, 0.25, 1, 1], 10)
    assert (reading.text, reading.scores) == ("aab", (0.75, 0.5, 0.5))
    assert reading.starts == pytest.approx((0.1, 0.4, 0.5))
    assert reading.ends == pytest.approx((0.3, 0.5, 0.8))
    assert reading.score == pytest.approx(1.75 / 3)


def test_a_character_is_as_doubtful_as_its_surest_column() -> None:
    doubts = [0.9, 0.5, 0.25, 0.9, 0, 0.125, 0.5]
    assert decoded([0, 1, 1, 0, 2, 3, 3], [1, 0.5, 0.75, 1, 1, 0.875, 0.5], 7, doubts).others == (0.25, 0.0, 0.125)


def test_nothing_read_has_no_score() -> None:
    assert decoded([0] * 5, [1] * 5, 5) == Reading()
    assert (Reading().text, Reading().score) == ("", 0.0)


def test_the_best_path_may_be_kept_to_some_classes() -> None:
    probabilities = np.array([[[0.1, 0.6, 0.3], [0.5, 0.1, 0.4]], [[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]]], dtype=np.float32)
    classes, scores = best_path(probabilities, None)
    assert classes.tolist() == [[1, 0], [1, 1]]
    assert scores == pytest.approx(np.array([[0.6, 0.5], [0.5, 0.8]]))
    classes, scores = best_path(probabilities, np.array([0, 2]))
    assert classes.tolist() == [[2, 0], [2, 0]]
    assert scores == pytest.approx(np.array([[0.3, 0.5], [0.3, 0.1]]))


def test_where_no_allowed_character_is_likely_nothing_is_read() -> None:
    probabilities = np.array([[[0.01, 0.95, 0.04], [0.01, 0.93, 0.06], [0.02, 0.97, 0.01]]], dtype=np.float32)
    classes, scores = best_path(probabilities, np.array([0, 2]))
    assert classes.tolist() == [[BLANK, 2, BLANK]]
    assert scores == pytest.approx(np.array([[0.01, 0.06, 0.02]]))
    assert decoded(classes[0].tolist(), scores[0].tolist(), 3).text == "b"


@given(st.integers(0, 2**32 - 1), st.sets(st.integers(1, 9)))
def test_the_best_path_is_the_likeliest_of_the_classes_or_the_blank(seed: int, some: set[int]) -> None:
    probabilities = np.random.default_rng(seed).random((2, 5, 10), dtype=np.float32)
    allowed = np.array(sorted({BLANK, *some}), dtype=np.intp)
    classes, scores = best_path(probabilities, allowed)
    for line, column in np.ndindex(2, 5):
        choices = {int(index): float(probabilities[line, column, index]) for index in allowed}
        read = int(classes[line, column])
        assert choices[read] == scores[line, column]
        assert choices[read] == max(choices.values()) or (read == BLANK and max(choices.values()) < 0.05)
