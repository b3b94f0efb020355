"""Bytes become what a network was trained on."""

from __future__ import annotations

import numpy as np

from shizi.runtime.normalization import Normalization

RULE = Normalization(True, (0.5, 1.0, 2.0), (1.0, 0.0, -3.0))


def test_what_is_not_filled_stays_zero() -> None:
    batch = RULE.blank(2, 4, 8)
    assert (batch.shape, str(batch.dtype)) == ((2, 3, 4, 8), "float32")
    RULE.fill(batch[0], np.full((4, 5, 3), (10, 20, 30), dtype=np.uint8))
    assert [plane[0, 0] for plane in batch[0]] == [16, 20, 17]
    assert (batch[0, :, :, :5] == batch[0, :, :1, :1]).all()
    assert not batch[0, :, :, 5:].any()
    assert not batch[1].any()


def test_pictures_are_filled_one_by_one() -> None:
    pictures = np.random.default_rng(3).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    made = RULE.of_pictures(pictures)
    assert (made.shape, str(made.dtype)) == ((3, 3, 4, 5), "float32")
    for number, picture in enumerate(pictures):
        assert np.array_equal(made[number, 0], 0.5 * picture[..., 2] + 1)
        assert np.array_equal(made[number, 2], 2.0 * picture[..., 0] - 3)
