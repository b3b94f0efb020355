"""From RGB bytes to what a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.imaging.crop import Pixels
from shizi.models.card import Card
from shizi.runtime.base import Batch


@dataclass(frozen=True, slots=True)
class Normalization:
    """value = byte x scale + shift, per channel in the order of the network's input.

    Attributes:
        channels: which channel of RGB pixels stands first, second, third.
        scale: per channel of the input.
        shift: per channel of the input.
    """

    channels: tuple[int, int, int]
    scale: tuple[float, float, float]
    shift: tuple[float, float, float]

    @classmethod
    def of(cls, card: Card) -> Normalization:
        """The normalisation that a model's card states."""
        mean, std = card.input.mean, card.input.std
        return cls(
            (2, 1, 0) if card.input.channels == "bgr" else (0, 1, 2),
            (1 / 255 / std[0], 1 / 255 / std[1], 1 / 255 / std[2]),
            (-mean[0] / std[0], -mean[1] / std[1], -mean[2] / std[2]),
        )

    def blank(self, count: int, height: int, width: int) -> Batch:
        """An input of `count` mid-grey images: (count, 3, height, width) of zeros."""
        return np.zeros((count, 3, height, width), dtype=np.float32)

    def fill(self, target: NDArray[np.float32], pixels: Pixels) -> None:
        """Writes (H, W, 3) RGB bytes into the left part of (3, H, W')."""
        width = pixels.shape[1]
        for index, channel in enumerate(self.channels):
            plane = target[index, :, :width]
            np.multiply(cv2.extractChannel(pixels, channel), np.float32(self.scale[index]), out=plane, casting="unsafe")
            plane += np.float32(self.shift[index])
