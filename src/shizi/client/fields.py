"""What is asked of a document, as the fields of a form."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator

from shizi.errors import InvalidRequest
from shizi.page_numbers import LARGEST
from shizi.pipeline.options import ReadOptions


def form_fields(options: ReadOptions, timeout: float | None = None) -> dict[str, str]:
    """The options that are not left to their default, and the seconds that the document may take.

    Raises:
        InvalidRequest: pages or languages are none.
    """
    fields = {
        field.name: _written(field.name, value)
        for field in dataclasses.fields(options)
        if (value := getattr(options, field.name)) != field.default
    }
    return fields if timeout is None else fields | {"timeout": repr(float(timeout))}


def _written(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if name == "pages" and isinstance(value, Collection):
        return ",".join(_ranges(value))
    if name == "languages":
        if isinstance(value, str) or not isinstance(value, Collection) or not value:
            raise InvalidRequest(f"languages is {value!r}; give a list of tags such as ['zh', 'en'], or None for all")
        return ",".join(map(str, value))
    return str(value)


def _ranges(pages: Collection[object]) -> Iterator[str]:
    """Page numbers as `1-3`, `7`."""
    numbers = [page for page in pages if isinstance(page, int) and not isinstance(page, bool) and 1 <= page <= LARGEST]
    if not pages or len(numbers) != len(pages):
        raise InvalidRequest(f"pages holds no numbers, or one that is none from 1 to {LARGEST}; None asks for all")
    numbers = sorted(set(numbers))
    first = last = numbers[0]
    for number in [*numbers[1:], LARGEST + 2]:
        if number == last + 1:
            last = number
            continue
        yield str(first) if first == last else f"{first}-{last}"
        first = last = number
