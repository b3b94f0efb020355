"""Cutting lines out: upright, whole, and from the original pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.geometry import Quad, turn_corners
from shizi.imaging.crop import Pixels, crop_line

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)


def quad(left: float, top: float, right: float, bottom: float) -> Quad:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)


def flag(width: int = 120, height: int = 80) -> Pixels:
    """Three upright bars at (20, 20) to (100, 60), red, green, blue, on grey."""
    pixels = np.full((height, width, 3), GREY, dtype=np.uint8)
    for index, colour in enumerate((RED, GREEN, BLUE)):
        pixels[20:60, 20 + 80 * index // 3 : 20 + 80 * (index + 1) // 3] = colour
    return pixels


def bars(crop: Pixels) -> list[tuple[int, ...]]:
    """The colours at the middles of the crop's three parts."""
    height, width = crop.shape[:2]
    return [tuple(int(v) for v in crop[height // 2, round(width * (2 * k + 1) / 6)]) for k in range(3)]


@pytest.mark.parametrize("size", [(80, 40), (96, 48), (30, 15)])
def test_the_crop_is_upright_and_of_the_size_asked_for(size: tuple[int, int]) -> None:
    crop = crop_line(flag(), quad(20, 20, 100, 60), *size)
    assert crop.shape == (size[1], size[0], 3)
    assert crop.dtype == np.uint8
    assert bars(crop) == [RED, GREEN, BLUE]


def test_a_line_on_its_head_is_turned() -> None:
    assert bars(crop_line(flag(), turn_corners(quad(20, 20, 100, 60)[None], 2)[0], 80, 40)) == [BLUE, GREEN, RED]


@pytest.mark.parametrize(("turn", "order"), [(1, [RED, GREEN, BLUE]), (3, [BLUE, GREEN, RED])])
def test_a_line_that_runs_down_or_up_the_page_is_laid_level(turn: int, order: list[tuple[int, ...]]) -> None:
    page = np.ascontiguousarray(flag().transpose(1, 0, 2))  # bars one below the other
    assert bars(crop_line(page, turn_corners(quad(20, 20, 60, 100)[None], turn)[0], 80, 40)) == order


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_turned_line_is_cut_out_at_its_place_to_the_pixel(turn: int) -> None:
    page = np.random.default_rng(7).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    size = (40, 16) if turn == 2 else (16, 40)
    crop = crop_line(page, turn_corners(quad(10, 12, 50, 28)[None], turn)[0], *size)
    assert np.array_equal(crop, np.rot90(page[12:28, 10:50], turn))


@pytest.mark.parametrize("degrees", [-30, -8, 8, 30])
def test_a_slanted_line_is_made_level(degrees: float) -> None:
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    across, down = rotation
    page = np.full((200, 200, 3), GREY, dtype=np.uint8)
    y, x = np.mgrid[:200, :200]
    along, below = ((x - 100) * v[0] + (y - 100) * v[1] for v in (across, down))
    for index, colour in enumerate((RED, GREEN, BLUE)):
        page[(abs(below) <= 15) & (abs(along - 40 * (index - 1)) <= 20)] = colour
    corners = quad(-60, -15, 60, 15) @ rotation + 100
    assert bars(crop_line(page, corners.astype(np.float32), 120, 30)) == [RED, GREEN, BLUE]


def test_shrinking_averages_and_skips_no_stroke() -> None:
    page = np.full((960, 1920, 3), 255, dtype=np.uint8)
    page[:, 5::16] = 0  # strokes of one pixel
    straight = crop_line(page, quad(0, 0, 1920, 960), 96, 48)
    slanted = crop_line(page, np.array([[0, 0], [1860, 90], [1820, 950], [0, 860]], dtype=np.float32), 96, 48)
    for crop in (straight, slanted):
        assert 200 < crop.min() <= crop.max() < 255, "each point sees its share of the stroke"


def test_a_line_at_the_edge_of_the_page_is_no_error() -> None:
    crop = crop_line(flag(), quad(-10, -5, 60, 40), 70, 45)
    assert crop.shape == (45, 70, 3)
    slanted = np.array([[-10, -10], [60, 5], [55, 40], [-15, 25]], dtype=np.float32)
    assert crop_line(flag(), slanted, 70, 45).shape == (45, 70, 3)


def test_a_page_wider_than_a_warp_can_take() -> None:
    page = np.zeros((40, 33_000, 3), dtype=np.uint8)
    page[:, 32_800:] = 255
    slanted = np.array([[32_850, 5], [32_950, 12], [32_949, 30], [32_849, 23]], dtype=np.float32)
    assert crop_line(page, slanted, 60, 20).min() == 255


corner = st.tuples(st.floats(-20, 80), st.floats(-20, 60))


@given(st.tuples(corner, corner, corner, corner), st.integers(1, 60), st.integers(1, 48))
def test_no_quadrilateral_crashes(corners: tuple[tuple[float, float], ...], width: int, height: int) -> None:
    crop = crop_line(flag(60, 40), np.array(corners, dtype=np.float32), width, height)
    assert crop.shape == (height, width, 3)
