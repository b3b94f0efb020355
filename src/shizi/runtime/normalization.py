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

    def of_pictures(self, pictures: Pixels) -> NDArray[np.float32]:
        """(N, H, W, 3) RGB bytes as an input, (N, 3, H, W)."""
        count, height, width = pictures.shape[:3]
        batch = np.empty((count, 3, height, width), dtype=np.float32)
        for planes, picture in zip(batch, pictures, strict=True):
            for index, plane in enumerate(planes):
                shades = cv2.extractChannel(picture, 2 - index if self.reverse else index)
                np.multiply(shades, np.float32(self.scale[index]), out=plane, casting="unsafe")
                plane += np.float32(self.shift[index])
        return batch
