"""Quadrilaterals: what moving, renaming and cutting them must keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.geometry import (
    Quads,
    angles,
    as_polygons,
    bounds,
    clockwise,
    expand,
    from_top_left,
    min_area_quad,
    sizes,
    slices,
    start_at_top_left,
    turn_corners,
    turn_page,
)

SQUARE = np.array([[[0, 0], [10, 0], [10, 4], [0, 4]]], dtype=np.float32)


def rectangle(x: float, y: float, width: float, height: float, degrees: float) -> Quads:
    """One rectangle around (x, y), turned clockwise: (1, 4, 2)."""
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.asarray((corners @ np.array([[cos, sin], [-sin, cos]]) + [x, y])[None], dtype=np.float32)


def rectangles(most: float = 360) -> st.SearchStrategy[Quads]:
    place, side = st.floats(-500, 500), st.floats(4, 300)
    return st.builds(rectangle, place, place, side, side, st.floats(0, most, exclude_max=True))


def area(quads: Quads) -> float:
    """Twice the signed area of the first; positive where it runs clockwise on a screen."""
    x, y = quads[0, :, 0].astype(float), quads[0, :, 1].astype(float)
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def test_a_polygon_is_plain_numbers() -> None:
    (polygon,) = as_polygons(SQUARE)
    assert polygon == ((0.0, 0.0), (10.0, 0.0), (10.0, 4.0), (0.0, 4.0))
    assert all(type(value) is float for point in polygon for value in point)


def test_no_quadrilaterals_are_no_trouble() -> None:
    none = np.zeros((0, 4, 2), dtype=np.float32)
    assert [len(part) for part in sizes(none)] == [0, 0]
    assert angles(none).shape == (0,)
    assert bounds(none).shape == (0, 4)
    assert start_at_top_left(none).shape == clockwise(none).shape == from_top_left(none).shape == (0, 4, 2)
    assert turn_page(none, 1, 10, 20).shape == expand(none, np.zeros(0, dtype=np.float32)).shape == (0, 4, 2)


@given(st.floats(4, 300), st.floats(4, 300), st.floats(0, 359))
def test_sizes_and_angle_are_those_of_the_text(width: float, height: float, degrees: float) -> None:
    quads = rectangle(50, 60, width, height, degrees)
    (across,), (down,) = sizes(quads)
    assert (across, down) == pytest.approx((width, height), rel=1e-3)
    gap = abs(float(angles(quads)[0]) - degrees)
    assert min(gap, 360 - gap) < 0.1


@given(rectangles())
def test_angles_are_below_360(quads: Quads) -> None:
    assert 0 <= angles(quads)[0] < 360


def test_bounds_hold_all_corners() -> None:
    assert bounds(rectangle(0, 0, 10, 10, 45))[0] == pytest.approx([-7.07, -7.07, 7.07, 7.07], abs=0.01)


@given(rectangles(), st.integers(0, 3), st.booleans())
def test_the_first_edge_runs_most_to_the_right(quads: Quads, roll: int, mirrored: bool) -> None:
    shuffled = np.roll(quads[:, ::-1] if mirrored else quads, roll, axis=1)
    started = start_at_top_left(clockwise(shuffled))
    assert area(started) > 0
    assert {tuple(p) for p in started[0].tolist()} == {tuple(p) for p in quads[0].tolist()}
    edges = np.roll(started, -1, axis=1)[0] - started[0]
    along = edges[:, 0] / np.linalg.norm(edges, axis=1)
    assert along[0] >= along.max() - 1e-6
    assert abs((float(angles(started)[0]) + 180) % 360 - 180) <= 45.1


@given(st.lists(st.tuples(rectangles(44), st.integers(0, 3), st.booleans()), min_size=1, max_size=6))
def test_rectangles_start_at_their_own_top_left_each_as_alone(given_ones: list[tuple[Quads, int, bool]]) -> None:
    shuffled = [np.roll(quads[:, ::-1] if mirrored else quads, roll, axis=1) for quads, roll, mirrored in given_ones]
    found = from_top_left(np.concatenate(shuffled))
    assert found.tolist() == np.concatenate([quads for quads, _, _ in given_ones]).tolist()


@given(st.floats(-44, 44), st.integers(0, 3))
def test_the_text_of_a_level_line_starts_at_its_own_top_left(degrees: float, roll: int) -> None:
    quads = rectangle(100, 100, 80, 20, degrees)
    assert start_at_top_left(np.roll(quads, roll, axis=1)) == pytest.approx(quads)


@given(rectangles(), st.integers(-4, 4))
def test_renaming_corners_turns_the_text_and_keeps_the_place(quads: Quads, quarters: int) -> None:
    turned = turn_corners(quads, quarters)
    gap = (float(angles(turned)[0]) - float(angles(quads)[0]) - 90 * quarters) % 360
    assert min(gap, 360 - gap) < 0.1
    assert bounds(turned).tolist() == bounds(quads).tolist()
    assert turn_corners(turned, -quarters).tolist() == quads.tolist()


@given(st.lists(st.tuples(rectangles(), st.integers(-4, 4)), min_size=1, max_size=5))
def test_each_may_be_turned_by_its_own_quarters(given_ones: list[tuple[Quads, int]]) -> None:
    quads, quarters = np.concatenate([one for one, _ in given_ones]), np.array([turn for _, turn in given_ones])
    alone = [turn_corners(one, turn) for one, turn in given_ones]
    assert turn_corners(quads, quarters).tolist() == np.concatenate(alone).tolist()


def test_a_page_turned_clockwise_brings_its_top_left_to_the_top_right() -> None:
    corner = np.zeros((1, 4, 2), dtype=np.float32)
    assert turn_page(corner, 1, 300, 200)[0, 0].tolist() == [200, 0]
    assert turn_page(corner, 2, 300, 200)[0, 0].tolist() == [300, 200]
    assert turn_page(corner, 3, 300, 200)[0, 0].tolist() == [0, 300]


@given(rectangles(), st.integers(1, 3000), st.integers(1, 3000), st.integers(0, 3))
def test_four_quarter_turns_of_a_page_change_nothing(quads: Quads, width: int, height: int, first: int) -> None:
    sides = (width, height) if first % 2 == 0 else (height, width)
    back = turn_page(turn_page(quads, first, width, height), 4 - first, *sides)
    assert back == pytest.approx(quads, abs=0.01)
    assert turn_page(quads, 4, width, height).tolist() == quads.tolist()


@given(rectangles(), st.floats(0, 50))
def test_expanding_moves_every_side_by_the_distance(quads: Quads, distance: float) -> None:
    grown = expand(quads, np.array([distance], dtype=np.float32))
    for before, after in zip(sizes(quads), sizes(grown), strict=True):
        assert after - before == pytest.approx(2 * distance, abs=0.05)
    assert grown.mean(axis=1) == pytest.approx(quads.mean(axis=1), abs=0.05)
    gap = abs(float(angles(grown)[0]) - float(angles(quads)[0]))
    assert min(gap, 360 - gap) < 0.5


def test_slices_of_several_are_those_of_each() -> None:
    quads = np.concatenate([rectangle(50, 60, 80, 20, degrees) for degrees in (0, 10, 20)])
    starts, ends = np.array([0, 0.2, 0.5], dtype=np.float32), np.array([0.1, 0.6, 1], dtype=np.float32)
    alone = [slices(quads[k : k + 1], starts[k : k + 1], ends[k : k + 1]) for k in range(3)]
    assert slices(quads, starts, ends).tolist() == np.concatenate(alone).tolist()


@given(rectangles(), st.lists(st.floats(0, 1), min_size=2, max_size=6, unique=True).map(sorted))
def test_neighbouring_slices_share_an_edge_and_add_up(quads: Quads, cuts: list[float]) -> None:
    starts, ends = (np.array(part, dtype=np.float32) for part in (cuts[:-1], cuts[1:]))
    parts = slices(quads, starts, ends)
    assert parts.shape == (len(cuts) - 1, 4, 2)
    assert parts[:-1, 1:3] == pytest.approx(parts[1:, [0, 3]], abs=0.01)
    whole = float(sizes(quads)[0][0])
    assert sizes(parts)[0].sum() == pytest.approx((cuts[-1] - cuts[0]) * whole, abs=0.1)


def test_the_slice_from_0_to_1_is_the_whole() -> None:
    slanted = np.array([[0, 5], [100, 0], [102, 20], [2, 26]], dtype=np.float32)
    assert (
        slices(slanted[None], np.zeros(1, dtype=np.float32), np.ones(1, dtype=np.float32))[0].tolist()
        == slanted.tolist()
    )


@given(st.floats(-40, 40), st.floats(30, 200), st.floats(5, 25))
def test_the_smallest_rectangle_around_a_rectangle_is_itself(degrees: float, width: float, height: float) -> None:
    quad = rectangle(200, 200, width, height, degrees)[0]
    assert min_area_quad(quad[[2, 0, 3, 1]]) == pytest.approx(quad, abs=0.2)
