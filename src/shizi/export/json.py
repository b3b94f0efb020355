"""The document as JSON of the schema "shizi/1", and back.

Keys are the field names of `shizi.types`, and `text` at the top. Coordinates, angles and times are rounded to two
decimals, scores and measures of quality to four.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import math
import typing
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import pydantic_core

from shizi.errors import InvalidRequest
from shizi.export.base import Original, encode
from shizi.types import SCHEMA, Document, Line, Page, Polygon, Word

MAX_BYTES = 256 * 2**20
# Steps in which numbers are written: parts of one.
_COORDINATE_STEPS = 100
_SCORE_STEPS = 10_000

_FINE = ("score", "quality")
_PREVIEW = "preview"  # what the service adds where the pages were reduced before they were read
_LONGEST_SHOWN = 60  # characters of a wrong value in an error
_FOUR_CORNERS = (Line, Word)
_CORNERS = ("top left", "top right", "bottom right", "bottom left")
_PAGE_ANGLES = (0, 90, 180, 270)
_LARGEST = 2**53  # above it a float does not hold every integer
_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


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
    result = {"schema": document.schema, "text": document.text}
    return result | {key: value for key, value in _fields(document).items() if key != "schema"}


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 (any of the dataclasses of shizi.types)
    return {name: write(getattr(value, name)) for name, write in _writers(typing.cast(Hashable, type(value)))}


@functools.cache
def _writers(kind: Hashable) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """What makes a plain value of each field of a dataclass."""
    hints, _ = _hints(kind)
    return tuple(
        (name, _writer(hint, _SCORE_STEPS if name in _FINE else _COORDINATE_STEPS)) for name, hint in hints.items()
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
    return math.floor(value * steps + 0.5) / steps


def _text(value: str) -> str:
    return value if value.isascii() else encode(value).decode()


def from_json(data: bytes | str) -> Document:
    """The document that `to_json` wrote.

    Raises:
        InvalidRequest: no JSON, another schema, a missing, unknown or wrong value; the message says where.
    """
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"the JSON has {len(data)} bytes, the limit is {MAX_BYTES}; split the document by pages")
    return from_dict(strict(data, "this is no JSON of a document"))


def strict(data: bytes | str, said: str) -> object:
    """The value of a JSON text in which no name comes twice and every number is one of JSON.

    Args:
        data: the text.
        said: what an error begins with.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        value: object = json.loads(data, parse_constant=_refuse_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{said}: {error}") from error
    return value


def from_dict(value: object) -> Document:
    """The document that `to_dict` made plain values of.

    Raises:
        InvalidRequest: another schema, a missing, unknown or wrong value; the message says where.
    """
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise InvalidRequest(f'this is no document: an object with "schema": "{SCHEMA}" is expected')
    fields = {name: item for name, item in value.items() if name not in ("text", _PREVIEW)}
    if value.get(_PREVIEW, True) is not True:
        raise InvalidRequest(f"document.{_PREVIEW}: is true where it is there")
    document: Document = _read_object(Document, fields, "document")
    if value.get("text") != document.text:
        raise InvalidRequest("document.text: is not the pages' texts joined by form feeds; change these too")
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object has a key twice")
    return result


def _read_object(kind: type[Any], value: Any, where: str) -> Any:  # noqa: ANN401 (an object of that kind)
    if not isinstance(value, dict):
        raise InvalidRequest(f"{where}: an object is expected")
    hints, needed = _hints(typing.cast(Hashable, kind))
    if unknown := sorted(value.keys() - hints.keys()):
        raise InvalidRequest(f"{where}: {_shown(unknown[0])} is unknown; known are {', '.join(hints)}")
    for name in needed:
        if name not in value:
            raise InvalidRequest(f"{where}: {name!r} is missing")
    read = kind(**{name: _read(hints[name], item, f"{where}.{name}") for name, item in value.items()})
    if isinstance(read, _FOUR_CORNERS) and len(read.polygon) != len(_CORNERS):
        raise InvalidRequest(f"{where}.polygon: four corners are expected, here are {len(read.polygon)}")
    if isinstance(read, Page) and read.angle not in _PAGE_ANGLES:
        raise InvalidRequest(f"{where}.angle: is {read.angle}; allowed are 0, 90, 180 and 270")
    return read


@functools.cache
def _hints(kind: Hashable) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The types of a dataclass's fields by name, and the names of those without a default; finding them out takes a while."""
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(typing.cast(type[Any], kind))
    missing = dataclasses.MISSING
    needed = (field.name for field in fields if field.default is missing and field.default_factory is missing)
    return {field.name: hints[field.name] for field in fields}, tuple(needed)


def _read(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401 (a value of the hinted type)
    if hint in _NAMES:  # most values, so the cheapest question first
        return _read_scalar(hint, value, where)
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return _read_object(typing.cast(type[Any], hint), value, where)
    if origin is tuple:
        return _read_tuple(typing.get_args(hint), value, where)
    if origin is typing.Literal:
        if value not in typing.get_args(hint):
            raise InvalidRequest(
                f"{where}: is {_shown(value)}; allowed are {', '.join(map(repr, typing.get_args(hint)))}"
            )
        return value
    if origin is Mapping:
        if not isinstance(value, dict):
            raise InvalidRequest(f"{where}: an object is expected")
        return {key: _read(float, item, f"{where}.{key[:_LONGEST_SHOWN]}") for key, item in value.items()}
    raise AssertionError(f"{hint} is no type of a field")


def _read_tuple(items: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:  # noqa: ANN401 (unchecked JSON)
    if not isinstance(value, list):
        raise InvalidRequest(f"{where}: a list is expected")
    if items[-1] is Ellipsis:
        return tuple(_read(items[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if len(value) != len(items):
        raise InvalidRequest(f"{where}: {len(items)} values are expected, here are {len(value)}")
    return tuple(
        _read(hint, item, f"{where}[{index}]") for index, (hint, item) in enumerate(zip(items, value, strict=True))
    )


def _shown(value: object) -> str:
    """A wrong value as an error shows it: what is deep or long would fill the message, or more than that."""
    if not isinstance(value, str):
        return str(value) if isinstance(value, bool | int | float | None) else "a list or an object"
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")


def _read_scalar(hint: type[Any], value: Any, where: str) -> Any:  # noqa: ANN401 (a value of the hinted type)
    if hint is float and type(value) is int and abs(value) <= _LARGEST:
        return float(value)
    if type(value) is not hint:
        raise InvalidRequest(f"{where}: {_NAMES[hint]} is expected")
    if hint in (int, float) and not abs(value) <= _LARGEST:  # nor is what is no number
        raise InvalidRequest(f"{where}: the number is too large")
    return value
