"""The pipe between a reader of PDFs and its worker: a length, a JSON header, and as many bytes as the header says.

Standard library only: the worker starts with it.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

MAX_HEADER = 8 * 2**20

Header = dict[str, Any]


def send(pipe: BinaryIO, header: Header, payload: bytes | memoryview = b"") -> None:
    """Write one frame; `bytes` in the header is set to the payload's length."""
    text = encoded({**header, "bytes": len(payload)})
    pipe.write(struct.pack(">L", len(text)) + text)
    pipe.write(payload)
    pipe.flush()


def encoded(value: Any) -> bytes:  # noqa: ANN401 (any value that JSON has)
    """A value as it stands in a header."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def receive_header(pipe: BinaryIO) -> Header:
    """Read the header of one frame.

    Raises:
        EOFError: the other side is gone.
        ValueError: what comes is no frame.
    """
    (length,) = struct.unpack(">L", _exactly(pipe, 4))
    if length > MAX_HEADER:
        raise ValueError(f"a header of {length} bytes")
    header = json.loads(_exactly(pipe, length))
    if not isinstance(header, dict) or not isinstance(header.get("bytes"), int):
        raise ValueError("a header that is none")
    return header


def receive_into(pipe: BinaryIO, buffer: memoryview) -> None:
    """Fill a buffer of bytes with the payload.

    Raises:
        EOFError: the other side is gone.
    """
    done = 0
    while done < len(buffer):
        count = pipe.readinto(buffer[done:])  # type: ignore[attr-defined]  # BinaryIO does not say it, every pipe has it
        if not count:
            raise EOFError
        done += count


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) != size:
        raise EOFError
    return data
