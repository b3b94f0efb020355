"""What one document may cost in all; each page alone is bounded by its decoding."""

from __future__ import annotations

import time

from shizi.errors import DeadlineExceeded, ImageTooLarge
from shizi.imaging.limits import Limits
from shizi.types import Page


class Budget:
    """Time and words of one document, counted from when it is made."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._end = time.monotonic() + limits.timeout_s
        self._words = 0

    def spend(self, page: Page) -> None:
        """Counts a page that was read.

        Raises:
            ImageTooLarge: the document has more words than max_words.
            DeadlineExceeded: it has taken longer than timeout_s.
        """
        self._words += sum(max(1, len(line.words)) for line in page.lines)
        if self._words > self._limits.max_words:
            raise ImageTooLarge(
                f"the document has {self._words} words up to page {page.number}, the limit (max_words) is "
                f"{self._limits.max_words}: read fewer pages at a time, or raise the limit"
            )
        if time.monotonic() > self._end:
            raise DeadlineExceeded(
                f"the document took longer than {self._limits.timeout_s:g} s (timeout_s), it was stopped after page "
                f"{page.number}: read fewer pages at a time, or raise the limit"
            )
