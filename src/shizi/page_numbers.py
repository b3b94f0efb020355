"""Page numbers as a person writes them: `1-3,7`."""

from __future__ import annotations

from typing import Final

LARGEST: Final = 100_000


def parse_pages(text: str) -> frozenset[int]:
    """Page numbers, counted from 1, of a list such as `1-3,7`; none is larger than 100,000.

    Raises:
        ValueError: a part is no number or range, or runs backwards; the message says which.
    """
    pages: set[int] = set()
    for part in (piece.strip() for piece in text.split(",")):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not _is_number(first) or (dash and not _is_number(last)):
            raise ValueError(f"{part!r} is no page number or range; write for example 1-3,7")
        low = int(first)
        high = int(last) if dash else low
        if not 1 <= low <= high <= LARGEST:
            raise ValueError(f"{part!r}: pages count from 1 to {LARGEST}, and a range goes upwards")
        pages.update(range(low, high + 1))
    return frozenset(pages)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST))
