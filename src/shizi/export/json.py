"""The document as JSON of the schema "shizi/1".

Keys are the field names of `shizi.types`, and `text` at the top. Coordinates, angles and times are rounded to two
decimals, scores and measures of quality to four.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import math
import typing
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import pydantic_core

from shizi.export.base import Original, encode
from shizi.types import Document, Page, Polygon

# Steps in which numbers are written: parts of one.
_COORDINATE_STEPS = 100
_SCORE_STEPS = 10_000
# No place on a page is beyond it; there a float has too few digits to be rounded so.
_MOST_ROUNDED = 2.0**39

_FINE = ("score", "quality")


def render(document: Document, original: Original | None = None) -> bytes:  # noqa: ARG001 (the signature of all exporters)
    """Indented JSON in UTF-8 with a line end at the end."""
    return _written(document, 2)


def render_line(document: Document) -> bytes:
    """JSON in UTF-8 on one line, with a line end at the end, for NDJSON."""
    return _written(document, None)


def to_json(document: Document, *, indent: int | None = 2) -> str:
    """The document as JSON text without a line end at the end; on one line, for NDJSON, with `indent=None`."""
    return b"".join(_parts(document, indent)).decode()


def page_to_json(page: Page) -> bytes:
    """An element of `pages` of the document's JSON, in UTF-8 on one line."""
    return pydantic_core.to_json(_fields(page))


def _written(document: Document, indent: int | None) -> bytes:
    # One buffer that grows: with the parts in a list, the whole would be in memory twice.
    out = io.BytesIO()
    for part in _parts(document, indent):
        out.write(part)
    out.write(b"\n")
    return out.getvalue()


def _parts(document: Document, indent: int | None) -> Iterator[bytes]:
    """The JSON of `to_dict(document)` in parts.

    Plain values take seven times the room of the text, so those of one page are made at a time.
    """
    lines = [b"" if indent is None else b"\n" + b" " * (level * indent) for level in range(3)]
    colon = b":" if indent is None else b": "

    def dumped(value: object, level: int) -> bytes:
        # A tenth of the time of `json`, in which no other thread of the process goes on.
        text = pydantic_core.to_json(value, indent=indent)
        return text.replace(b"\n", lines[level])  # only between values: inside of texts line ends are escaped

    yield b'{%b"schema"%b%b' % (lines[1], colon, dumped(document.schema, 1))
    yield b',%b"text"%b%b' % (lines[1], colon, dumped(_text(document.text), 1))
    yield b',%b"pages"%b[' % (lines[1], colon)
    for index, page in enumerate(document.pages):
        yield b"%b%b%b" % (b"," if index else b"", lines[2], dumped(_fields(page), 2))
    yield b"%b]" % (lines[1] if document.pages else b"")
    for name, value in _fields(dataclasses.replace(document, pages=())).items():
        if name not in ("schema", "pages"):
            yield b',%b"%b"%b%b' % (lines[1], name.encode(), colon, dumped(value, 1))
    yield b"%b}" % lines[0]


def to_dict(document: Document) -> dict[str, Any]:
    """The document as the plain values of its JSON."""
    result = {"schema": document.schema, "text": _text(document.text)}
    return result | {key: value for key, value in _fields(document).items() if key != "schema"}


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 (any of the dataclasses of shizi.types)
    return {name: write(getattr(value, name)) for name, write in _writers(typing.cast(Hashable, type(value)))}


@functools.cache
def _writers(kind: Hashable) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """What makes a plain value of each field of a dataclass."""
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(typing.cast(type[Any], kind))
    return tuple(
        (field.name, _writer(hints[field.name], _SCORE_STEPS if field.name in _FINE else _COORDINATE_STEPS))
        for field in fields
    )


def _writer(hint: Any, steps: int) -> Callable[[Any], Any]:  # noqa: ANN401 (a type)
    if hint == Polygon:  # most of the numbers
        return _points
    if hint is float:
        return lambda value: _rounded(value, steps)
    if hint is str:
        return _text
    if dataclasses.is_dataclass(hint):
        return _fields
    if typing.get_origin(hint) is tuple:
        write = _writer(typing.get_args(hint)[0], steps)
        return lambda values: [write(value) for value in values]
    if typing.get_origin(hint) is Mapping:
        return lambda values: {_text(key): _rounded(value, steps) for key, value in values.items()}
    return lambda value: value


def _points(polygon: Polygon) -> list[list[float]]:
    return [[_rounded(x, _COORDINATE_STEPS), _rounded(y, _COORDINATE_STEPS)] for x, y in polygon]


def _rounded(value: float, steps: int) -> float:
    """The nearest multiple, in a fifth of the time of `round`; there is no negative zero, and what is no number is refused."""
    if -_MOST_ROUNDED <= value <= _MOST_ROUNDED:
        return math.floor(value * steps + 0.5) / steps
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of JSON")
    return float(value)


def _text(value: str) -> str:
    return value if value.isascii() else encode(value).decode()
