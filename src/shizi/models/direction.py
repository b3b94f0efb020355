"""Does a line stand on its head? A small classifier of crops: 0° or 180°."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.imaging.crop import Pixels
from shizi.models.card import Card
from shizi.models.normalize import GREY
from shizi.runtime.base import Batch, Session

_BATCH = 16


class DirectionClassifier:
    """A two-class network behind a session that takes pixels (`SessionOptions.pixels`)."""

    def __init__(self, session: Session, card: Card) -> None:
        self._session = session
        self._height, self._width = card.input.height or 48, card.input.width or 192

    def __call__(self, crops: Sequence[Pixels]) -> NDArray[np.float32]:
        """Probability that each crop, (H, W, 3) RGB uint8, is turned by 180°: (N,)."""
        results = [np.zeros(0, dtype=np.float32)]
        for start in range(0, len(crops), _BATCH):
            part = crops[start : start + _BATCH]
            batch = np.full((len(part), self._height, self._width, 3), GREY, dtype=np.uint8)
            for target, crop in zip(batch, part, strict=True):
                width = min(self._width, max(1, round(crop.shape[1] * self._height / crop.shape[0])))
                target[:, :width] = cv2.resize(crop, (width, self._height), interpolation=cv2.INTER_LINEAR)

            def turned(output: Batch) -> NDArray[np.float32]:
                return output[:, 1].copy()

            results.append(self._session.run(batch, turned))
        return np.concatenate(results)
