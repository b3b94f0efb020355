"""Bytes become what a network was trained on."""

from __future__ import annotations

import numpy as np

from shizi.runtime.normalization import Normalization

RULE = Normalization(True, (0.5, 1.0, 2.0), (1.0, 0.0, -3.0))


def test_planes_come_in_the_order_of_the_network_each_by_its_own_rule() -> None:
    batch = RULE.of_pictures(np.full((2, 4, 8, 3), (10, 20, 30), dtype=np.uint8))
    assert batch[0, :, 0, 0].tolist() == [16, 20, 17]
    assert (batch == batch[:1, :, :1, :1]).all()


def test_every_picture_has_its_own_numbers() -> None:
    pictures = np.random.default_rng(3).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    made = RULE.of_pictures(pictures)
    assert (made.shape, str(made.dtype)) == ((3, 3, 4, 5), "float32")
    for number, picture in enumerate(pictures):
        assert np.array_equal(made[number, 0], 0.5 * picture[..., 2] + 1)
        assert np.array_equal(made[number, 2], 2.0 * picture[..., 0] - 3)
