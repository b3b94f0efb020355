"""Tiles of long pages, and the boxes of all tiles on one page."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.geometry import Quads, bounds
from shizi.models.tiles import Tile, stitch, strips, strips_for, tiles

Box = tuple[float, float, float, float]

SIDE = 1312
HALVES = [Tile(0, 1000), Tile(800, 1800)]


@given(st.integers(1, 40_000), st.integers(1, 40_000), st.sampled_from([640, 960, SIDE]))
def test_tiles_cover_the_page_overlap_and_are_of_one_length(width: int, height: int, side: int) -> None:
    places = tiles(width, height, side)
    assert (places[0].start, places[-1].end) == (0, max(width, height))
    (length,) = {tile.end - tile.start for tile in places}
    for before, after in pairwise(places):
        assert before.start < after.start
        assert before.end - after.start >= 0.19 * length
    if len(places) > 1:
        assert length >= side
        assert length <= max(side, 1.42 * min(width, height))


@pytest.mark.parametrize("size", [(2480, 3508), (3508, 2480), (1080, 3000), (1312, 40), (1, 1), (6000, 2000)])
def test_pages_of_ordinary_proportions_are_seen_whole(size: tuple[int, int]) -> None:
    assert tiles(*size, SIDE) == [Tile(0, max(size))]


def test_a_long_page_is_seen_in_parts_of_the_shape_of_a_sheet() -> None:
    assert len(tiles(1080, 9000, SIDE)) == 8
    assert tiles(1080, 9000, SIDE) == tiles(9000, 1080, SIDE)


@given(st.integers(1, 40_000), st.integers(2, 6))
def test_strips_cover_a_side_overlap_and_are_of_one_length(whole: int, count: int) -> None:
    places = strips(whole, count)
    assert len(places) == count
    assert (places[0].start, places[-1].end) == (0, whole)
    (length,) = {tile.end - tile.start for tile in places}
    assert length <= whole / (0.8 * count) + 1
    for before, after in pairwise(places):
        assert before.end - after.start >= 0.2 * length - 1


@given(st.floats(0.1, 30))
def test_strips_see_as_much_as_is_wanted(times: float) -> None:
    count = strips_for(times)
    assert count - 0.2 * (count - 1) >= times - 1e-9
    assert count == 2 or count - 1 - 0.2 * (count - 2) < times


@pytest.mark.parametrize("axis", [0, 1])
@given(st.integers(8, 40), st.integers(0, 3), st.integers(0, 60))
def test_lines_set_tightly_come_once_each(axis: int, height: int, overlap: int, shift: int) -> None:
    """Their boxes overlap a little; each tile sees what is inside of it, and cuts what stands at its edge."""
    pitch = height - overlap
    lines = [(shift + k * pitch, shift + k * pitch + height) for k in range((1800 - shift - height) // pitch)]

    def seen(tile: Tile) -> list[Box]:
        parts = [(max(low, tile.start), min(high, tile.end)) for low, high in lines]
        return [(low, high, 100.0, 700.0) for low, high in parts if high - low >= height / 3]

    found = stitched([seen(tile) for tile in HALVES], HALVES, axis)
    assert [tuple(box[:2]) for box in found] == lines


def test_small_lines_in_the_margin_of_a_headline_stay() -> None:
    headline, small = (700.0, 980.0, 100.0, 900.0), (960.0, 985.0, 100.0, 300.0)
    found = stitched([[headline, small], [(800.0, 981.0, 100.0, 900.0), small]], HALVES)
    assert [700.0, 980.0, 100.0, 900.0] in found
    assert [960.0, 985.0, 100.0, 300.0] in found


def boxes(found: list[Box], axis: int = 0) -> Quads:
    """Upright boxes whose first pair of sides lies along the tiles' axis."""
    corners = [[(low, top), (high, top), (high, end), (low, end)] for low, high, top, end in found]
    quads = np.array(corners, dtype=np.float32).reshape(-1, 4, 2)
    return quads if axis == 0 else np.ascontiguousarray(quads[:, [0, 3, 2, 1], ::-1])


def stitched(parts: list[list[Box]], places: list[Tile], axis: int = 0) -> list[list[float]]:
    """Boxes as (low, high, top, end) along and across the axis, in order."""
    made = [(boxes(part, axis), np.full(len(part), 0.8, dtype=np.float32)) for part in parts]
    quads, scores = stitch(made, places, axis)
    assert quads.shape == (len(scores), 4, 2)
    left, top, right, bottom = bounds(quads).T if len(quads) else np.zeros((4, 0))
    edges = (left, right, top, bottom) if axis == 0 else (top, bottom, left, right)
    return sorted(np.stack(edges, axis=1).round(1).tolist())


def seen_by(tile: Tile, lines: list[Box]) -> list[Box]:
    """What a detector without faults finds in a tile."""
    cut = [(max(low, tile.start), min(high, tile.end), top, end) for low, high, top, end in lines]
    return [(float(low), float(high), top, end) for low, high, top, end in cut if high - low > 0.5]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shift", [-2, 0, 2])
@pytest.mark.parametrize("low", [795, 880, 898, 900, 902, 960])
def test_a_box_seen_twice_comes_once(low: int, shift: int, axis: int) -> None:
    """Wherever it lies, also at the middle of what both see, and where the two do not quite agree."""
    parts: list[list[Box]] = [[(low, low + 30, 50, 250)], [(max(800, low + shift), low + 30 + shift, 50, 250)]]
    (found,) = stitched(parts, HALVES, axis)
    assert found == pytest.approx([low, low + 30, 50, 250], abs=4)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("short", [0, 3, 15, 60])
def test_a_line_that_a_seam_cut_is_joined(short: int, axis: int) -> None:
    """Also where a gap between words lies at the seam, so that the parts end before it."""
    parts: list[list[Box]] = [[(100, 1000 - short, 40, 80)], [(800 + short, 1700, 41, 79)]]
    assert stitched(parts, HALVES, axis) == [pytest.approx([100, 1700, 40, 80], abs=1)]


def test_a_line_through_many_tiles_is_one_line() -> None:
    places = tiles(9400, 60, SIDE)
    parts = [seen_by(tile, [(30, 9380, 10, 50)]) for tile in places]
    assert len(parts) > 5
    assert stitched(parts, places) == [pytest.approx([30, 9380, 10, 50], abs=1)]


def test_lines_beside_each_other_are_not_joined() -> None:
    first: list[Box] = [(100, 1000, 40, 80), (100, 1000, 90, 130)]
    second: list[Box] = [(800, 1700, 40, 80), (800, 1700, 90, 130)]
    assert stitched([first, second], HALVES) == [[100, 1700, 40, 80], [100, 1700, 90, 130]]


def test_rests_of_two_lines_at_the_two_edges_are_not_joined() -> None:
    """Below each other in a narrow column: one cut by the end of the first tile, another by the start of the second."""
    lines: list[Box] = [(790, 830, 50, 600), (880, 920, 50, 600), (980, 1020, 50, 600)]
    parts = [seen_by(tile, lines) for tile in HALVES]
    assert stitched(parts, HALVES, 1) == [list(line) for line in lines]


def test_a_rest_that_the_other_tile_knows_nothing_of_is_left_out() -> None:
    assert stitched([[(990, 1000, 50, 90)], [(800, 812, 500, 540)]], HALVES) == []


def test_what_one_tile_alone_saw_is_kept() -> None:
    assert stitched([[(940, 990, 50, 90)], [(810, 860, 500, 540)]], HALVES) == [
        [810, 860, 500, 540],
        [940, 990, 50, 90],
    ]


def test_words_that_one_tile_parted_come_once() -> None:
    whole: Box = (820, 980, 40, 80)
    words: list[Box] = [(820, 890, 41, 79), (910, 980, 41, 79)]
    for parts in ([[whole], words], [words, [whole]]):
        assert stitched(parts, HALVES) == [pytest.approx(list(whole), abs=1)]


def test_the_better_score_of_two_is_kept() -> None:
    box = boxes([(850, 900, 40, 80)])
    parts = [(box, np.array([score], dtype=np.float32)) for score in (0.6, 0.9)]
    assert stitch(parts, HALVES, 0)[1].tolist() == pytest.approx([0.9])


def test_pages_without_boxes() -> None:
    assert stitched([[], []], HALVES) == []
    assert stitched([[], [(1500, 1600, 1, 9)]], HALVES) == [[1500, 1600, 1, 9]]
    assert stitched([[(10, 90, 1, 9)], []], HALVES) == [[10, 90, 1, 9]]


gaps = st.tuples(st.integers(3, 200), st.one_of(st.integers(15, 60), st.integers(200, 4000)))


@given(st.lists(st.lists(gaps, max_size=12), min_size=1, max_size=3), st.sampled_from([0, 1]), st.data())
def test_nothing_is_lost_and_nothing_comes_twice(
    rows: list[list[tuple[int, int]]], axis: int, data: st.DataObject
) -> None:
    """Boxes of any length, one after the other in up to three rows, seen with a pixel's difference by each tile."""
    places = tiles(6000, 300, SIDE)
    lines: list[Box] = []
    for row, pieces in enumerate(rows):
        at = 0
        for gap, length in pieces:
            if at + gap + length > 6000:
                break
            lines.append((at + gap, at + gap + length, 100 * row + 20, 100 * row + 80))
            at += gap + length
    parts = []
    for tile in places:
        shift = data.draw(st.sampled_from([-1, 0, 1]))
        parts.append([(low, high, top + shift, end + shift) for low, high, top, end in seen_by(tile, lines)])
    found = stitched(parts, places, axis)
    assert len(found) == len(lines)
    for box, line in zip(found, sorted(lines), strict=True):
        assert box == pytest.approx(list(line), abs=5)
