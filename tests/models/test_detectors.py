"""Who looks at a picture: all threads, or the one that is kept for small ones."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from shizi.imaging.crop import Pixels
from shizi.models.detector import Detection, Detector
from shizi.models.detectors import SMALL, Detectors
from tests.models import fakes

PAGE: NDArray[np.uint8] = np.zeros((1000, 1000, 3), dtype=np.uint8)
LINE: NDArray[np.uint8] = np.zeros((50, 400, 3), dtype=np.uint8)


class Counted(Detector):
    """Counts what it looks at; waits where it is told to."""

    def __init__(self) -> None:
        super().__init__(fakes.of_pixels(fakes.dark_is_text))
        self.seen = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.begun = threading.Event()

    def __call__(self, pixels: Pixels) -> Detection:
        self.seen += 1
        self.begun.set()
        assert self.go_on.wait(10)
        return super().__call__(pixels)


def test_alone_everything_has_all_threads() -> None:
    whole, aside = Counted(), Counted()
    detectors = Detectors(whole, aside, lambda: False)
    for picture in (PAGE, LINE, PAGE, LINE):
        detectors(picture)
    assert (whole.seen, aside.seen) == (4, 0)


def test_a_small_picture_waits_for_no_page_and_two_pages_wait_for_each_other() -> None:
    whole, aside = Counted(), Counted()
    detectors = Detectors(whole, aside, lambda: False)
    whole.go_on.clear()
    looking = threading.Thread(target=detectors, args=(PAGE,))
    looking.start()
    assert whole.begun.wait(10)
    assert len(detectors(LINE).quads) == 1
    assert (whole.seen, aside.seen) == (1, 1)
    whole.go_on.set()
    looking.join()
    detectors(LINE)
    assert (whole.seen, aside.seen) == (2, 1)


@pytest.mark.parametrize(("pixels", "aside_sees"), [(SMALL, 1), (SMALL + 500, 0)])
def test_beside_lines_that_are_read_small_pictures_have_one_thread(pixels: int, aside_sees: int) -> None:
    whole, aside = Counted(), Counted()
    Detectors(whole, aside, lambda: True)(np.zeros((pixels // 500, 500, 3), dtype=np.uint8))
    assert (whole.seen, aside.seen) == (1 - aside_sees, aside_sees)


def test_a_page_that_fails_is_no_longer_looked_at() -> None:
    class Failing(Counted):
        def __call__(self, pixels: Pixels) -> Detection:
            if pixels is PAGE:
                raise MemoryError
            return super().__call__(pixels)

    whole, aside = Failing(), Counted()
    detectors = Detectors(whole, aside, lambda: False)
    with pytest.raises(MemoryError):
        detectors(PAGE)
    detectors(LINE)
    assert (whole.seen, aside.seen) == (1, 0)
