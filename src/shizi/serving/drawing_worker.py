"""The process that draws one result: a request on stdin, the result on stdout, then it ends."""

from __future__ import annotations

import contextlib
import resource
import sys
from typing import Any

from shizi.errors import OutOfMemory, ShiziError
from shizi.imaging.frames import receive_header, receive_into, send


def main() -> None:
    """Read the request, answer it."""
    back = sys.stdout.buffer
    request = receive_header(sys.stdin.buffer)
    for kind, value in (
        (resource.RLIMIT_AS, int(request["memory"])),
        (resource.RLIMIT_CPU, int(request["cpu_s"]) + 1),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a stricter limit is set already
            resource.setrlimit(kind, (value, value))
    try:
        drawn = _drawn(request)
    except MemoryError:
        error: ShiziError = OutOfMemory("not enough memory to draw the pages: ask for json, or choose fewer pages")
        send(back, {"error": error.code, "message": str(error)})
    except ShiziError as refused:
        send(back, {"error": refused.code, "message": str(refused)})
    else:
        send(back, {}, drawn)


def _drawn(request: dict[str, Any]) -> bytes:
    from shizi.export import Original, export, from_json
    from shizi.imaging.limits import Limits

    document = bytearray(request["bytes"])
    receive_into(sys.stdin.buffer, memoryview(document))
    original = bytearray(request["upload"])
    receive_into(sys.stdin.buffer, memoryview(original))
    source = Original(bytes(original), request["password"], Limits(**request["limits"]))
    return export(from_json(bytes(document)), request["format"], source)
