"""What may be asked for."""

from __future__ import annotations

import pytest

from shizi.errors import InvalidRequest
from shizi.pipeline.options import ReadOptions


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_that_no_line_has_is_refused(score: float) -> None:
    with pytest.raises(InvalidRequest, match="between 0 and 1"):
        ReadOptions(min_score=score)


def test_doubtful_lines_are_left_out_but_not_a_line_that_was_given_as_one() -> None:
    assert ReadOptions().least_score == 0.7
    assert ReadOptions(detect=False).least_score == 0
    assert ReadOptions(detect=False, min_score=0.9).least_score == 0.9
    assert ReadOptions(min_score=0).least_score == 0


def test_a_lone_stroke_must_be_read_more_surely() -> None:
    for stroke in ("1", "一", "|", "\\"):
        assert not ReadOptions().keeps(stroke, 0.96)
        assert ReadOptions().keeps(stroke, 0.97)
        assert ReadOptions(detect=False).keeps(stroke, 0.1)
        assert ReadOptions(min_score=0.5).keeps(stroke, 0.6)
    for text in ("7", "11", "1 ", "人", "一一"):
        assert ReadOptions().keeps(text, 0.7)
        assert not ReadOptions().keeps(text, 0.69)
