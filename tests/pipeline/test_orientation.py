"""Which way a page lies, decided from scripted readings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest

from shizi.models.ctc import Reading
from shizi.pipeline.draft import Draft
from shizi.pipeline.orientation import orient, orient_by_classifier, settle
from shizi.pipeline.reader import LineReader, Request

Script = Callable[[int, int], Reading]  # a line's number and its turn


class Scripted(LineReader):
    """A reader that knows what it reads, and counts."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[tuple[int, int]] = []

    def read(self, requests: Iterable[Request]) -> None:
        for draft, line, turn in requests:
            if (line, turn) not in draft.readings:
                self.asked.append((line, turn))
                draft.readings[line, turn] = self.script(line, turn)


def reading(characters: int, score: float) -> Reading:
    places = tuple(k / characters for k in range(characters))
    return Reading(("字",) * characters, (score,) * characters, places, places)


def sheet(lying: int, standing: int) -> Draft:
    boxes = [(50, 50 + 40 * k, 350, 75 + 40 * k) for k in range(lying)]
    boxes += [(400 + 40 * k, 50, 425 + 40 * k, 350) for k in range(standing)]
    quads = np.array([[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes], dtype=np.float32).reshape(-1, 4, 2)
    return Draft(np.zeros((500, 900, 3), dtype=np.uint8), quads, np.full(len(boxes), 0.8, dtype=np.float32))


def right_at(quarters: int) -> Script:
    """Much is read, and surely, at this turn; little and unsurely at others."""
    return lambda _line, turn: reading(14, 0.98) if turn == quarters else reading(4, 0.6)


@pytest.mark.parametrize(("lying", "standing", "quarters"), [(8, 1, 0), (8, 1, 2), (1, 8, 1), (1, 8, 3)])
def test_the_page_lies_as_its_text_reads_best(lying: int, standing: int, quarters: int) -> None:
    draft = sheet(lying, standing)
    orient([draft], Scripted(right_at(quarters)))
    assert draft.quarters == quarters
    kind = slice(0, lying) if quarters % 2 == 0 else slice(lying, None)
    assert (draft.turns[kind] == quarters).all()


def test_a_page_that_reads_well_at_once_is_tried_one_way_only() -> None:
    reader = Scripted(right_at(0))
    orient([sheet(30, 2)], reader)
    assert {turn for _, turn in reader.asked} == {0}
    assert len(reader.asked) <= 8, "a few lines are enough"


def test_few_but_sure_characters_are_not_believed_at_once() -> None:
    draft = sheet(6, 0)
    orient([draft], Scripted(lambda _line, turn: reading(14, 0.9) if turn == 2 else reading(4, 0.99)))
    assert draft.quarters == 2


def test_spaces_say_nothing_of_the_way_a_line_lies() -> None:
    gaps = Reading(tuple("Del         "), (0.95,) * 12, (0.0,) * 12, (0.0,) * 12)
    draft = sheet(4, 0)
    orient([draft], Scripted(lambda _line, turn: reading(14, 0.9) if turn == 2 else gaps))
    assert draft.quarters == 2


def test_pages_are_decided_each_by_itself() -> None:
    drafts = [sheet(6, 0), sheet(0, 6), sheet(5, 0)]
    orient(drafts, Scripted(lambda _line, turn: reading(14, 0.98) if turn in (2, 3) else reading(4, 0.6)))
    assert [draft.quarters for draft in drafts] == [2, 3, 2]


def test_a_page_without_lines_is_upright() -> None:
    draft = sheet(0, 0)
    orient([draft], Scripted(right_at(2)))
    settle(draft)
    assert draft.quarters == 0


@pytest.mark.parametrize(("vertical", "quarters"), [(4, 0), (2, 1)])
def test_a_page_of_vertical_lines_is_upright(vertical: int, quarters: int) -> None:
    draft = sheet(0, 5)
    orient([draft], Scripted(right_at(1)))
    draft.vertical[:vertical] = True
    settle(draft)
    assert draft.quarters == quarters


class Judge(Scripted):
    """A reader whose classifier finds some lines upside down."""

    def __init__(self, flipped: set[int]) -> None:
        super().__init__(lambda _line, _turn: Reading())
        self.flipped = flipped

    def upside_down(self, requests: Sequence[Request]) -> list[bool]:
        return [line in self.flipped for _, line, _ in requests]


@pytest.mark.parametrize(
    ("lying", "standing", "flipped", "quarters"),
    [
        (6, 1, set(), 0),
        (6, 1, set(range(6)), 2),
        (6, 1, {0}, 0),
        (1, 6, set(), 1),
        (1, 6, set(range(1, 7)), 3),
        (0, 0, set(), 0),
    ],
)
def test_where_nothing_is_read_the_classifier_decides(
    lying: int, standing: int, flipped: set[int], quarters: int
) -> None:
    draft, judge = sheet(lying, standing), Judge(flipped)
    orient_by_classifier(draft, judge)
    assert draft.quarters == quarters
    upright = [0] * lying + [1] * standing
    assert draft.turns.tolist() == [turn + 2 * (line in flipped) for line, turn in enumerate(upright)]
    assert judge.asked == []
