"""What a model's card says of the pixels that the network was trained on."""

from __future__ import annotations

from shizi.models.card import Card
from shizi.runtime.normalization import Normalization

# What lines are padded with: as near to nothing as a byte comes, where black is -1 and white 1.
GREY = 127


def normalization(card: Card) -> Normalization:
    """From RGB bytes to the input of a card's model."""
    mean, std = card.input.mean, card.input.std
    return Normalization(
        card.input.channels == "bgr",
        (1 / 255 / std[0], 1 / 255 / std[1], 1 / 255 / std[2]),
        (-mean[0] / std[0], -mean[1] / std[1], -mean[2] / std[2]),
    )
