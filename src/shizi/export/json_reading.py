"""The document of its JSON (`shizi.export.json`), strictly: whatever is not as it was written is refused, with its place."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import typing
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from shizi.errors import InvalidRequest
from shizi.types import SCHEMA, Document, Line, Page, Point, Word

MAX_BYTES = 256 * 2**20

_PREVIEW = "preview"  # what the service adds where the pages were reduced before they were read
_LONGEST_SHOWN = 60  # characters of a wrong value in an error
_FOUR_CORNERS = (Line, Word)
_CORNERS = ("top left", "top right", "bottom right", "bottom left")
_PAGE_ANGLES = (0, 90, 180, 270)
_LARGEST = 2**53  # above it a float does not hold every integer
_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


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
    try:
        document: Document = _reader(Document)(fields)
    except _Wrong as wrong:
        raise InvalidRequest(f"document{wrong.where}: {wrong}") from None
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


class _Wrong(Exception):
    """A value is not as it must be; `where` it stands is only found out then."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.where = ""

    def at(self, step: str) -> _Wrong:
        """The same, of what the value is a part of."""
        self.where = step + self.where
        return self


@functools.cache
def _reader(hint: Hashable) -> Callable[[Any], Any]:
    """What makes the value of a field of this type of its plain value, or raises `_Wrong`."""
    if hint == Point:
        return _read_point
    if hint is float:
        return _read_float
    if hint in _NAMES:
        return functools.partial(_read_scalar, hint)
    if dataclasses.is_dataclass(hint):
        return _object_reader(typing.cast(type[Any], hint))
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and parts[-1] is Ellipsis:
        return functools.partial(_read_list, _reader(parts[0]))
    if origin is typing.Literal:
        return functools.partial(_read_choice, parts)
    if origin is Mapping:
        return _read_numbers
    raise AssertionError(f"{hint} is no type of a field")


def _object_reader(kind: type[Any]) -> Callable[[Any], Any]:
    hints, fields = typing.get_type_hints(kind), dataclasses.fields(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields}
    missing = dataclasses.MISSING
    needed = [field.name for field in fields if field.default is missing and field.default_factory is missing]

    def read(value: Any) -> Any:  # noqa: ANN401 (unchecked JSON; an object of that kind)
        if not isinstance(value, dict):
            raise _Wrong("an object is expected")
        if unknown := value.keys() - readers.keys():
            raise _Wrong(f"{_shown(min(unknown))} is unknown; known are {', '.join(readers)}")
        for name in needed:
            if name not in value:
                raise _Wrong(f"{name!r} is missing")
        found = {}
        for name, item in value.items():
            try:
                found[name] = readers[name](item)
            except _Wrong as wrong:
                raise wrong.at(f".{name}") from None
        return _checked(kind(**found))

    return read


def _checked(read: Any) -> Any:  # noqa: ANN401 (any of the dataclasses of shizi.types)
    if isinstance(read, _FOUR_CORNERS) and len(read.polygon) != len(_CORNERS):
        raise _Wrong(f"four corners are expected, here are {len(read.polygon)}").at(".polygon")
    if isinstance(read, Page) and read.angle not in _PAGE_ANGLES:
        raise _Wrong(f"is {read.angle}; allowed are 0, 90, 180 and 270").at(".angle")
    return read


def _read_list(read: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:  # noqa: ANN401 (unchecked JSON)
    if not isinstance(value, list):
        raise _Wrong("a list is expected")
    found = []
    try:
        for item in value:
            found.append(read(item))
    except _Wrong as wrong:
        raise wrong.at(f"[{len(found)}]") from None
    return tuple(found)


def _read_point(value: Any) -> Point:  # noqa: ANN401 (unchecked JSON)
    if not isinstance(value, list):
        raise _Wrong("a list is expected")
    if len(value) != 2:  # looked at first: there may be millions
        raise _Wrong(f"2 values are expected, here are {len(value)}")
    x, y = _read_list(_read_float, value)
    return x, y


def _read_numbers(value: Any) -> dict[str, float]:  # noqa: ANN401 (unchecked JSON)
    if not isinstance(value, dict):
        raise _Wrong("an object is expected")
    found = {}
    for key, item in value.items():
        try:
            found[key] = _read_float(item)
        except _Wrong as wrong:
            raise wrong.at(f".{key[:_LONGEST_SHOWN]}") from None
    return found


def _read_choice(choices: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401 (unchecked JSON; one of the choices)
    if value not in choices:
        raise _Wrong(f"is {_shown(value)}; allowed are {', '.join(map(repr, choices))}")
    return value


def _read_float(value: Any) -> float:  # noqa: ANN401 (unchecked JSON)
    if type(value) is not float and type(value) is not int:
        raise _Wrong(f"{_NAMES[float]} is expected")
    if (abs(value) > _LARGEST) if type(value) is int else not math.isfinite(value):
        raise _Wrong("the number is too large")
    return float(value)


def _read_scalar(hint: type[Any], value: Any) -> Any:  # noqa: ANN401 (unchecked JSON; a value of the hinted type)
    if type(value) is not hint:
        raise _Wrong(f"{_NAMES[hint]} is expected")
    if hint is int and abs(value) > _LARGEST:
        raise _Wrong("the number is too large")
    return value


def _shown(value: object) -> str:
    """A wrong value as an error shows it: what is deep or long would fill the message, or more than that."""
    if not isinstance(value, str):
        return str(value) if isinstance(value, bool | int | float | None) else "a list or an object"
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")
