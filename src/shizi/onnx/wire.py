"""Protocol-buffers messages at the level of the wire (https://protobuf.dev/programming-guides/encoding): to read a few entries of a
model, and to cut it, without a library that would have to be loaded for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_VARINT, _DELIMITED = 0, 2
_FIXED = {1: 8, 5: 4}

Piece = bytes | memoryview
"""Bytes; a view counts them one by one."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    Attributes:
        number: as the message's definition numbers it.
        value: its bytes, if length-delimited (a message, a text, packed numbers); else empty.
        raw: the whole field with its key, fit to be copied.
    """

    number: int
    value: memoryview
    raw: memoryview


def fields(data: memoryview) -> Iterator[Field]:
    """The fields of a message, in order.

    Raises:
        IndexError: the message is damaged.
    """
    at = 0
    while at < len(data):
        start = at
        key, at = _varint(data, at)
        begin = stop = at
        if key & 7 == _VARINT:
            _, stop = _varint(data, at)
            begin = stop
        elif key & 7 == _DELIMITED:
            size, begin = _varint(data, at)
            stop = begin + size
        elif key & 7 in _FIXED:
            begin = stop = at + _FIXED[key & 7]
        else:
            raise IndexError(f"wire type {key & 7}")
        if stop > len(data):
            raise IndexError("a field is longer than its message")
        yield Field(key >> 3, data[begin:stop], data[start:stop])
        at = stop


def numbers(data: memoryview) -> list[int]:
    """Packed varints.

    Raises:
        IndexError: they are damaged.
    """
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def varint(value: int) -> bytes:
    """A number that is not negative, in groups of seven bits."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def entry(number: int, value: bytes | str | int) -> bytes:
    """A field."""
    if isinstance(value, int):
        return varint(number << 3 | _VARINT) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | _DELIMITED) + varint(len(data)) + data


def nested(number: int, parts: Sequence[Piece]) -> list[Piece]:
    """A field whose value is all of these one after the other: megabytes in it are copied when all is joined, and not before."""
    return [varint(number << 3 | _DELIMITED) + varint(sum(len(part) for part in parts)), *parts]


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise IndexError("number too long")
