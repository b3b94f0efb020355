"""From drawn probability maps to boxes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shizi.geometry import angles, bounds, sizes
from shizi.models.dbnet import Thresholds, find_boxes

Map = NDArray[np.float32]


def blank(height: int = 200, width: int = 400) -> Map:
    return np.zeros((height, width), dtype=np.float32)


def paint(scene: Map, box: tuple[int, int, int, int], value: float = 1.0) -> None:
    left, top, right, bottom = box
    scene[top:bottom, left:right] = value


def test_a_box_grows_back_to_the_text_that_it_stands_for() -> None:
    scene = blank()
    paint(scene, (50, 60, 250, 80), 0.9)
    quads, scores = find_boxes(scene, Thresholds())
    grown = 200 * 20 * 1.6 / (2 * (200 + 20))
    assert bounds(quads)[0] == pytest.approx([50 - grown, 60 - grown, 250 + grown, 80 + grown], abs=2)
    assert quads[0, 0] == pytest.approx([50 - grown, 60 - grown], abs=2)
    assert scores.tolist() == pytest.approx([0.9], abs=0.12)


def test_nothing_is_found_where_nothing_is() -> None:
    for scene in (blank(), blank() + np.float32(0.29)):
        quads, scores = find_boxes(scene, Thresholds())
        assert (quads.shape, scores.shape, str(quads.dtype)) == ((0, 4, 2), (0,), "float32")


def test_faint_and_tiny_spots_are_noise() -> None:
    scene = blank()
    paint(scene, (20, 20, 120, 40), 0.4)  # text by its pixels, but not sure enough as a box
    paint(scene, (200, 100, 201, 180))  # one pixel wide
    paint(scene, (300, 20, 380, 40), 0.95)
    quads, _ = find_boxes(scene, Thresholds())
    assert len(quads) == 1
    assert quads[0].mean(axis=0) == pytest.approx([340, 30], abs=2)


@pytest.mark.parametrize("degrees", [-30, -10, 10, 30])
def test_slanted_text_gets_a_slanted_box(degrees: float) -> None:
    scene = blank()
    corners = cv2.boxPoints(((200, 100), (180, 20), degrees)).astype(np.int32)
    cv2.fillPoly(scene, [corners], (1.0,))
    quads, _ = find_boxes(scene, Thresholds())
    assert float(angles(quads)[0]) == pytest.approx(degrees % 360, abs=1.5)
    grown = 180 * 20 * 1.6 / (2 * (180 + 20))
    assert [float(side[0]) for side in sizes(quads)] == pytest.approx([180 + 2 * grown, 20 + 2 * grown], abs=8)


def test_of_too_many_the_largest_are_kept() -> None:
    scene = blank()
    for index in range(8):
        paint(scene, (10 + 40 * index, 20, 20 + 40 * index, 30))
    paint(scene, (20, 100, 300, 130))
    quads, _ = find_boxes(scene, Thresholds(max_boxes=3))
    assert len(quads) == 3
    assert (sizes(quads)[0] > 250).any()


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60))
def test_no_map_crashes(seed: int, height: int, width: int) -> None:
    scene = np.random.default_rng(seed).random((height, width), dtype=np.float32)
    quads, scores = find_boxes(scene, Thresholds())
    assert len(quads) == len(scores)
    assert np.isfinite(quads).all()
    assert ((scores >= 0.5) & (scores <= 1)).all()
