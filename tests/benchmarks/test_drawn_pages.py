"""Pages for measuring a detector are drawn, and drawn again the same."""

from __future__ import annotations

from random import Random

import numpy as np

from benchmarks.drawn_pages import SIZES, draw_page

ALPHABETS = {"frequent": ["的", "一", "是"], "english": ["a", "b", "c"]}


def test_a_page_shows_something_and_is_the_same_for_the_same_seed() -> None:
    shapes = set()
    for seed in range(8):
        page = draw_page(ALPHABETS, Random(seed))
        shapes.add(page.shape)
        assert page.dtype == np.uint8
        assert np.ptp(page.astype(int).sum(axis=2)) > 100
        assert np.array_equal(page, draw_page(ALPHABETS, Random(seed)))
    assert shapes <= {(height, width, 3) for width, height in SIZES}
    assert len(shapes) > 2


def test_both_sides_are_multiples_of_what_a_detector_takes() -> None:
    assert all(side % 32 == 0 for size in SIZES for side in size)
