"""The process that makes one result: a request on stdin, the result on stdout, then it ends.

It sees the document, so it gives up what the sandboxes give up: memory, time, files, other processes, the network.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from PIL import Image, ImageColor, ImagePalette, JpegImagePlugin, PngImagePlugin

from shizi.errors import OutOfMemory, ShiziError
from shizi.export import (
    Original,
    alto,
    annotated,
    csv,
    edits,
    export,
    fonts,
    foreign,
    from_json,
    hocr,
    markdown,
    original,
    text,
)
from shizi.export.pdf import merge, searchable, worker
from shizi.imaging import sandbox_decode
from shizi.imaging.frames import receive_header, receive_into, send
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox_limits import bound_process
from shizi.serving import drawing_page

OFFICE = ("docx", "xlsx")

# Nothing can be imported afterwards that is not there already.
_IMPORTED = (
    Image, ImageColor, ImagePalette, JpegImagePlugin, PngImagePlugin,
    alto, annotated, csv, fonts, hocr, markdown, original, text, merge, searchable, worker, sandbox_decode,
)  # fmt: skip


def main() -> None:
    """Read the request, answer it."""
    back = sys.stdout.buffer
    request = receive_header(sys.stdin.buffer)
    Image.init()  # loads the plug-ins of all formats
    if request.get("format") in OFFICE:
        _load_office()
    # Saving a PDF calls back into Python, by code that ctypes makes: no memory can be made executable later, but what this one
    # takes has room for more.
    kept = ctypes.CFUNCTYPE(None)(_nothing)
    memory = int(request["memory"])
    bounds, meter = bound_process(memory, int(request["parent"]))
    meter.begin(memory, float(request["cpu_s"]))
    about = {"held": bounds.held, "missing": bounds.missing}
    try:
        made, facts = _made(request)
    except MemoryError:
        error: ShiziError = OutOfMemory("not enough memory for this document: ask for json, or choose fewer pages")
        send(back, {"error": error.code, "message": str(error), **about})
    except ShiziError as refused:
        send(back, {"error": refused.code, "message": str(refused), **about})
    else:
        send(back, {**about, **facts}, made)
    del kept
    os._exit(0)  # an interpreter that ends in order asks for more than is allowed here


def _load_office() -> None:
    """What takes a second to import, for those who ask for it."""
    from shizi.export import docx, xlsx

    docx.template()
    _ = xlsx


def _nothing() -> None:
    return


def _made(request: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    parts = {name: _received(size) for name, size in request["parts"].items()}
    limits, password = Limits(**request["limits"]), request["password"]
    if request["task"] == "page":
        asked = (request["page"], request["longest_side"], request["picture"])
        return drawing_page.page_picture(parts["file"], password, limits, *asked)
    source = Original(parts["file"], password, limits, apart=False) if "file" in parts else None
    if request["task"] == "draw":
        document = from_json(parts["document"])
    else:
        document = foreign.document_of(parts["document"], limits)
        document = edits.edited(document, edits.edits_from_json(parts.get("edits", b"")))
    return export(document, request["format"], source), {}


def _received(size: int) -> bytes:
    data = bytearray(size)
    receive_into(sys.stdin.buffer, memoryview(data))
    return bytes(data)
