"""What the shortlist settles is counted on lines that are drawn."""

from __future__ import annotations

import sys
from random import Random

import numpy as np
import pytest

from benchmarks.shortlist import THRESHOLDS, Seen, WatchingHead, alphabets, as_markdown, draw, main
from shizi.models.charset import Charset
from shizi.runtime.fake import FakeSession


def test_lines_are_drawn_of_what_the_recogniser_knows() -> None:
    latin = "".join(map(chr, range(0x21, 0x7F)))
    drawn = alphabets(Charset(("", *latin, *"的一是不了在人有我他这中大来上国个到说们为子和你")))
    assert set(drawn) == {"frequent", "latin", "english", "mixed"}  # few digits, no kana, no Greek
    assert set("".join(drawn["english"])) == set(latin)
    assert "的" in drawn["frequent"]
    assert "龘" not in drawn["mixed"]


@pytest.mark.parametrize("script", ["frequent", "japanese", "korean", "traditional", "english", "greek", "digits"])
def test_a_line_shows_something_and_is_the_same_for_the_same_seed(script: str) -> None:
    for seed in range(8):
        picture = draw(script, "一二三abc", Random(seed))
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert picture.shape[1] > picture.shape[0] > 8
        assert np.ptp(picture.astype(int).sum(axis=2)) > 100
        assert np.array_equal(picture, draw(script, "一二三abc", Random(seed)))


def test_both_ways_are_compared() -> None:
    logits = np.array([[9, 1, 2, 3], [1, 20, 2, 25], [0, 1, 18, 3], [1, 2, 3, 30]], dtype=np.float32)
    head = WatchingHead(FakeSession(lambda batch: batch), np.array([0, 1, 2]))
    columns = head.look(logits.reshape(2, 2, 4))
    assert columns.classes.shape == columns.scores.shape == (2, 2)
    assert columns.unsettled.size == 0
    seen = head.take()
    assert seen.logits.tolist() == [9, 20, 18, 3]
    assert seen.otherwise.tolist() == [False, True, False, True]


def test_the_table_counts_what_is_settled_and_what_is_settled_otherwise() -> None:
    one = Seen(np.array([13, 14.5, 20, 30], dtype=np.float32), np.array([True, True, True, False]))
    other = Seen(np.array([30, 30], dtype=np.float32), np.array([False, False]))
    lines = as_markdown({"rare": one, "digits": other}).splitlines()
    assert lines[0] == "| sure logit | rare (4) | digits (2) | all (6) |"
    assert lines[2] == "| 14 | 75.0 %, 2 | 100.0 %, 0 | 83.3 %, 2 |"
    assert lines[3] == "| 15 | 50.0 %, 1 | 100.0 %, 0 | 66.7 %, 1 |"
    assert lines[-1] == "| 24 | 25.0 %, 0 | 100.0 %, 0 | 50.0 %, 0 |"


def test_the_program_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["shortlist", "--lines", "18", "--seed", "4"])
    main()
    printed = capsys.readouterr().out
    assert ", 18 lines: share of columns settled" in printed
    rows = [row.split(" | ") for row in printed.splitlines() if row.startswith("| ")][1:]
    assert [row[0] for row in rows] == [f"| {threshold}" for threshold in THRESHOLDS]
    shares = [float(row[-1].split(" %")[0]) for row in rows]
    assert shares == sorted(shares, reverse=True)
    assert 60 < shares[0] < 100
