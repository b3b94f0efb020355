"""What is known of a page while it is read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from shizi.geometry import turn_corners
from shizi.imaging.crop import Pixels
from shizi.models.ctc import Reading
from shizi.pipeline.draft import Draft

QUADS = np.array(
    [
        [[10, 10], [110, 10], [110, 30], [10, 30]],
        [[10, 50], [30, 50], [30, 150], [10, 150]],
        [[60, 60], [85, 60], [85, 85], [60, 85]],
    ],
    dtype=np.float32,
)
# Large enough to be worth a copy of its lines.
PAGE = np.random.default_rng(0).integers(0, 256, (2500, 2300, 3), dtype=np.uint8)


@pytest.fixture
def draft() -> Draft:
    pixels = np.zeros((200, 200, 3), dtype=np.uint8)
    pixels[50:100, 10:30] = 255  # the upper half of the standing line
    return Draft(pixels, QUADS, np.ones(3, dtype=np.float32))


def test_only_what_stands_is_taken_for_turned(draft: Draft) -> None:
    assert draft.tall.tolist() == [False, True, False]
    assert draft.turns.tolist() == [0, 1, 0]
    assert draft.aspects.tolist() == [5, 5, 1]
    assert not draft.vertical.any()
    assert draft.quarters == 0


def cut(draft: Draft, line: int, turn: int, height: int, width: int) -> Pixels:
    return draft.crop(line, turn_corners(draft.quads[line : line + 1], turn)[0], height, width).cut()


def test_a_line_is_cut_out_at_the_turn_asked_for(draft: Draft) -> None:
    downwards, upwards = cut(draft, 1, 1, 20, 100), cut(draft, 1, 3, 20, 100)
    assert downwards.shape == upwards.shape == (20, 100, 3)
    assert (downwards[:, :45].min(), downwards[:, 55:].max()) == (255, 0)
    assert (upwards[:, :45].max(), upwards[:, 55:].min()) == (0, 255)


def test_the_reading_is_that_of_the_turn_decided_on(draft: Draft) -> None:
    draft.readings[1, 1], draft.readings[1, 3] = Reading(("a",)), Reading(("b",))
    assert (draft.reading(0).text, draft.reading(1).text) == ("", "a")
    draft.turns[1] = 3
    assert draft.reading(1).text == "b"


def test_a_page_without_lines() -> None:
    empty = Draft(
        np.zeros((5, 5, 3), dtype=np.uint8), np.zeros((0, 4, 2), dtype=np.float32), np.zeros(0, dtype=np.float32)
    )
    assert len(empty.turns) == len(empty.vertical) == len(empty.aspects) == len(empty.tall) == 0


@given(
    arrays(np.float32, (2, 2), elements=st.floats(-5, 2300, width=32)),
    st.floats(-8, 8),
    st.floats(5, 60),
    st.integers(0, 3),
)
def test_a_line_is_the_same_without_its_page(ends: NDArray[np.float32], slant: float, height: float, turn: int) -> None:
    (left, top), (right, _) = ends[ends[:, 0].argsort()]
    right = max(right, left + 20)
    quad = np.array(
        [[left, top], [right, top + slant], [right, top + slant + height], [left, top + height]], dtype=np.float32
    )
    draft = Draft(PAGE, quad[None], np.ones(1, dtype=np.float32))
    before = cut(draft, 0, turn, 48, 160)
    draft.let_page_go(PAGE)
    assert draft.parts[0].pixels.base is None
    assert np.array_equal(cut(draft, 0, turn, 48, 160), before)


def test_a_page_full_of_lines_and_a_small_one_are_kept() -> None:
    quad = np.array([[[0, 0], [2300, 0], [2300, 2500], [0, 2500]]], dtype=np.float32)
    for page, quads in ((PAGE, quad), (PAGE[:500, :500].copy(), QUADS)):
        draft = Draft(page, quads, np.ones(len(quads), dtype=np.float32))
        draft.let_page_go(page)
        assert all(part.pixels is page for part in draft.parts)
