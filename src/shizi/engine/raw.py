"""Pixels in a message without copies: the raw contents of a ModelInferRequest stay where they arrived.

Of the wire format of protocol buffers this reads the outermost fields alone: tag, and how long what follows is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shizi.errors import ImageTooLarge, InvalidRequest

MOST_FIELDS: Final = 64
_RAW: Final = 7  # number of raw_input_contents
_VARINT, _EIGHT, _SIZED, _FOUR = 0, 1, 2, 5
_FIXED: Final = {_EIGHT: 8, _FOUR: 4}
_LONGEST_VARINT = 10


def split(data: bytes, most_head: int) -> tuple[bytes, tuple[memoryview, ...]]:
    """The message without its raw contents, and these, which share the memory of `data`.

    Args:
        data: bytes of a ModelInferRequest.
        most_head: most bytes of everything but raw contents. Parsed, small fields take many times the room of their bytes.

    Raises:
        InvalidRequest: this is no such message, or it has more than 64 fields.
        ImageTooLarge: the rest is longer than `most_head`.
    """
    view = memoryview(data)
    head: list[memoryview] = []
    raw: list[memoryview] = []
    position = fields = 0
    while position < len(data):
        start = position
        tag, position = _varint(data, position)
        content = position
        number, kind = tag >> 3, tag & 7
        if kind == _SIZED:
            size, content = _varint(data, position)
            position = content + size
        elif kind == _VARINT:
            _, position = _varint(data, position)
        elif kind in _FIXED:
            position += _FIXED[kind]
        else:
            raise InvalidRequest("the message is damaged: a field has no type of protocol buffers")
        fields += 1
        if position > len(data) or number == 0:
            raise InvalidRequest("the message is damaged: a field ends behind the end of the message, or has no number")
        if fields > MOST_FIELDS:
            raise InvalidRequest(
                f"the message has more than {MOST_FIELDS} inputs, outputs and parameters; leave some out"
            )
        if (number, kind) == (_RAW, _SIZED):
            raw.append(view[content:position])
        else:
            head.append(view[start:position])
    if (size := sum(map(len, head))) > most_head:
        raise ImageTooLarge(
            f"the message has {size} bytes beside its raw contents, the limit (max_head_bytes) is {most_head}: "
            "hand pixels and text layers over as raw_input_contents or in shared memory"
        )
    return b"".join(head), tuple(raw)


def join(head: bytes, raw: Sequence[bytes | memoryview]) -> bytes:
    """The inverse of `split`: a message with these raw contents, copied once."""
    parts: list[bytes | memoryview] = [head]
    for content in raw:
        parts += [bytes([_RAW << 3 | _SIZED]), _written(len(content)), content]
    return b"".join(parts)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[position : position + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise InvalidRequest("the message is damaged: a number in it has no end")


def _written(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
