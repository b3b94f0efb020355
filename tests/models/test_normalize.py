"""Bytes become what the network was trained on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.models.normalize import Normalization
from tests.models.fakes import card

COLOUR = (200, 100, 50)


@pytest.mark.parametrize(("channels", "order"), [("rgb", (0, 1, 2)), ("bgr", (2, 1, 0))])
def test_the_values_are_those_of_the_card(channels: str, order: tuple[int, ...]) -> None:
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.5)
    rule = Normalization.of(card("detect", input={"mean": mean, "std": std, "channels": channels}))
    batch = rule.blank(2, 4, 8)
    rule.fill(batch[1], np.full((4, 5, 3), COLOUR, dtype=np.uint8))
    for place in range(3):
        expected = (COLOUR[order[place]] / 255 - mean[place]) / std[place]
        assert batch[1, place, :, :5] == pytest.approx(np.full((4, 5), expected), abs=1e-5)


def test_what_is_not_filled_stays_zero() -> None:
    rule = Normalization.of(card("detect"))
    batch = rule.blank(2, 4, 8)
    assert (batch.shape, str(batch.dtype)) == ((2, 3, 4, 8), "float32")
    rule.fill(batch[0], np.full((4, 5, 3), 255, dtype=np.uint8))
    assert (batch[0, :, :, :5] == 1).all()
    assert not batch[0, :, :, 5:].any()
    assert not batch[1].any()


@given(st.integers(0, 255))
def test_by_default_bytes_become_minus_1_to_1(value: int) -> None:
    rule = Normalization.of(card("detect"))
    batch = rule.blank(1, 1, 1)
    rule.fill(batch[0], np.full((1, 1, 3), value, dtype=np.uint8))
    assert batch.ravel() == pytest.approx([value / 127.5 - 1] * 3, abs=1e-6)
