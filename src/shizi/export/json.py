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
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from shizi.errors import InvalidRequest
from shizi.export.base import Original, encode
from shizi.types import SCHEMA, Document, Line, Page, Word

MAX_BYTES = 256 * 2**20
COORDINATE_DECIMALS = 2
SCORE_DECIMALS = 4

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
    return "".join(_parts(document, indent))


def _written(document: Document, indent: int | None) -> bytes:
    # One buffer that grows: with the parts in a list, the whole would be in memory twice.
    out = io.BytesIO()
    for part in _parts(document, indent):
        out.write(encode(part))
    out.write(b"\n")
    return out.getvalue()


def _parts(document: Document, indent: int | None) -> Iterator[str]:
    """The text of `json.dumps(to_dict(document))` in parts.

    Plain values take seven times the room of the text, so those of one page are made at a time.
    """
    lines = ["" if indent is None else "\n" + " " * (level * indent) for level in range(3)]
    separators = (",", ":") if indent is None else (",", ": ")

    def dumped(value: object, level: int) -> str:
        text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators, allow_nan=False)
        return text.replace("\n", lines[level])  # only between values: inside of texts line ends are escaped

    yield f'{{{lines[1]}"schema"{separators[1]}{dumped(document.schema, 1)}'
    yield f',{lines[1]}"text"{separators[1]}{dumped(document.text, 1)}'
    yield f',{lines[1]}"pages"{separators[1]}['
    for index, page in enumerate(document.pages):
        yield f"{',' if index else ''}{lines[2]}{dumped(_fields(page), 2)}"
    yield f"{lines[1] if document.pages else ''}]"
    for name, value in _fields(dataclasses.replace(document, pages=())).items():
        if name not in ("schema", "pages"):
            yield f',{lines[1]}"{name}"{separators[1]}{dumped(value, 1)}'
    yield f"{lines[0]}}}"


def to_dict(document: Document) -> dict[str, Any]:
    """The document as the plain values of its JSON."""
    result = {"schema": document.schema, "text": document.text}
    return result | {key: value for key, value in _fields(document).items() if key != "schema"}


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 (any of the dataclasses of shizi.types)
    return {
        field.name: _plain(getattr(value, field.name), SCORE_DECIMALS if field.name in _FINE else COORDINATE_DECIMALS)
        for field in dataclasses.fields(value)
    }


def _plain(value: Any, decimals: int) -> Any:  # noqa: ANN401 (any value of a field)
    if isinstance(value, float):
        return round(float(value), decimals) + 0.0  # float(): numpy's are floats too; + 0.0: no negative zero
    if isinstance(value, tuple):
        return [_plain(item, decimals) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item, decimals) for key, item in value.items()}
    return _fields(value) if dataclasses.is_dataclass(value) else value


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
    if (hint is float and not math.isfinite(value)) or (hint is int and abs(value) > _LARGEST):
        raise InvalidRequest(f"{where}: the number is too large")
    return value
