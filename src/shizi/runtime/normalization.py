"""From RGB bytes to what a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.imaging.crop import Pixels


@dataclass(frozen=True, slots=True)
class Normalization:
    """value = byte x scale + shift, per channel in the order of the network's input.

    Attributes:
        reverse: the input's first channel is blue, as OpenCV has it, not red.
        scale: per channel of the input.
        shift: per channel of the input.
    """

    reverse: bool
    scale: tuple[float, float, float]
    shift: tuple[float, float, float]

    def blank(self, count: int, height: int, width: int) -> NDArray[np.float32]:
        """An input of `count` mid-grey images: (count, 3, height, width) of zeros."""
        return np.zeros((count, 3, height, width), dtype=np.float32)

    def fill(self, target: NDArray[np.float32], pixels: Pixels) -> None:
        """Writes (H, W, 3) RGB bytes into the left part of (3, H, W')."""
        width = pixels.shape[1]
        for index in range(3):
            plane = target[index, :, :width]
            channel = 2 - index if self.reverse else index
            np.multiply(cv2.extractChannel(pixels, channel), np.float32(self.scale[index]), out=plane, casting="unsafe")
            plane += np.float32(self.shift[index])

    def of_pictures(self, pictures: Pixels) -> NDArray[np.float32]:
        """(N, H, W, 3) RGB bytes as an input, (N, 3, H, W)."""
        batch = self.blank(*pictures.shape[:3])
        for target, picture in zip(batch, pictures, strict=True):
            self.fill(target, picture)
        return batch
