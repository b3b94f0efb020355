"""What a card says of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.models.normalize import normalization
from tests.models.fakes import card

COLOUR = (200, 100, 50)


@pytest.mark.parametrize(("channels", "order"), [("rgb", (0, 1, 2)), ("bgr", (2, 1, 0))])
def test_the_values_are_those_of_the_card(channels: str, order: tuple[int, ...]) -> None:
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.5)
    rule = normalization(card("detect", input={"mean": mean, "std": std, "channels": channels}))
    (numbers,) = rule.of_pictures(np.full((1, 4, 5, 3), COLOUR, dtype=np.uint8))
    for place in range(3):
        expected = (COLOUR[order[place]] / 255 - mean[place]) / std[place]
        assert numbers[place] == pytest.approx(np.full((4, 5), expected), abs=1e-5)


@given(st.integers(0, 255))
def test_by_default_bytes_become_minus_1_to_1(value: int) -> None:
    numbers = normalization(card("detect")).of_pictures(np.full((1, 1, 1, 3), value, dtype=np.uint8))
    assert numbers.ravel() == pytest.approx([value / 127.5 - 1] * 3, abs=1e-6)
