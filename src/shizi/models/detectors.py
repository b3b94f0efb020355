"""A detector for those who are in no hurry, and a second one for small pictures that would wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from shizi.imaging.crop import Pixels
from shizi.models.detector import Detection, Detector
from shizi.models.streams import Streams
from shizi.runtime.base import Session

# Pixels of a picture that is looked at in no more time than a line is read.
SMALL = 250_000


def detectors(whole: Session, aside: Session | None, streams: Streams) -> Callable[[Pixels], Detection]:
    """The detector of a session, with the one for small pictures where there is a session for it."""
    if aside is None:
        return Detector(whole)
    return Detectors(Detector(whole), Detector(aside), lambda: streams.waiting > 0)


class Detectors:
    """Two detectors of the same weights, for any number of threads.

    The first one uses all processors and looks at one picture after the other: a small one behind a page would wait for a tenth of a
    second, and beside lines that are read for the slowest thread. The second one has a single thread, and takes small pictures
    while others are being worked on.

    Args:
        whole: with all threads.
        aside: with one.
        is_reading: whether lines wait to be read.
    """

    def __init__(self, whole: Detector, aside: Detector, is_reading: Callable[[], bool]) -> None:
        self._whole, self._aside = whole, aside
        self._is_reading = is_reading
        self._lock = threading.Lock()
        self._looking = 0

    def __call__(self, pixels: Pixels) -> Detection:
        """Finds the lines of one page, (H, W, 3) RGB uint8."""
        small = pixels.shape[0] * pixels.shape[1] <= SMALL
        with self._lock:
            if aside := small and (self._looking > 0 or self._is_reading()):
                detector = self._aside
            else:
                detector = self._whole
                self._looking += 1
        try:
            return detector(pixels)
        finally:
            if not aside:
                with self._lock:
                    self._looking -= 1
