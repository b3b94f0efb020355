"""The process that draws one result: a request on stdin, the result on stdout, then it ends.

It sees the document, so it gives up what the sandboxes give up: memory, time, files, other processes, the network.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from PIL import Image, ImageColor, ImagePalette, JpegImagePlugin, PngImagePlugin

from shizi.errors import OutOfMemory, ShiziError
from shizi.export import Original, annotated, export, fonts, from_json, original
from shizi.export.pdf import merge, searchable, worker
from shizi.imaging import sandbox_decode
from shizi.imaging.frames import receive_header, receive_into, send
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox_limits import bound_process

# Nothing can be imported afterwards that is not there already.
_IMPORTED = (
    Image, ImageColor, ImagePalette, JpegImagePlugin, PngImagePlugin,
    annotated, fonts, original, merge, searchable, worker, sandbox_decode,
)  # fmt: skip


def main() -> None:
    """Read the request, answer it."""
    back = sys.stdout.buffer
    request = receive_header(sys.stdin.buffer)
    Image.init()  # loads the plug-ins of all formats
    # Saving a PDF calls back into Python, by code that ctypes makes: no memory can be made executable later, but what this one
    # takes has room for more.
    kept = ctypes.CFUNCTYPE(None)(_nothing)
    memory = int(request["memory"])
    bounds, meter = bound_process(memory, int(request["parent"]))
    meter.begin(memory, float(request["cpu_s"]))
    about = {"held": bounds.held, "missing": bounds.missing}
    try:
        drawn = _drawn(request)
    except MemoryError:
        error: ShiziError = OutOfMemory("not enough memory to draw the pages: ask for json, or choose fewer pages")
        send(back, {"error": error.code, "message": str(error), **about})
    except ShiziError as refused:
        send(back, {"error": refused.code, "message": str(refused), **about})
    else:
        send(back, about, drawn)
    del kept
    os._exit(0)  # an interpreter that ends in order asks for more than is allowed here


def _nothing() -> None:
    return


def _drawn(request: dict[str, Any]) -> bytes:
    document = bytearray(request["bytes"])
    receive_into(sys.stdin.buffer, memoryview(document))
    data = bytearray(request["upload"])
    receive_into(sys.stdin.buffer, memoryview(data))
    source = Original(bytes(data), request["password"], Limits(**request["limits"]), apart=False)
    return export(from_json(bytes(document)), request["format"], source)
