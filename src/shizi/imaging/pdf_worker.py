"""The process that opens PDFs: it bounds itself, answers over a pipe, and may die without harm.

It imports pdfium and the standard library, nothing else, so that it starts in a tenth of a second.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import BinaryIO

import pypdfium2.raw as pdfium

from shizi.imaging import pdf_content, pdf_page
from shizi.imaging.frames import Header, receive_header, receive_into, send
from shizi.imaging.pdf_content import Handle


class RefusalError(Exception):
    """An error that the other side turns into one of shizi's own; the first argument is its code."""


def main() -> None:
    """Answer until the pipe is closed."""
    serve(_open)


def serve(opener: Callable[[bytearray, Header], Callable[[Header], tuple[Header, bytearray | bytes]]]) -> None:
    """Speak the protocol on stdin and stdout; opener makes of a document a function that answers tasks."""
    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints by accident must not reach the pipe
    answer: Callable[[Header], tuple[Header, bytearray | bytes]] | None = None
    while True:
        try:
            task = receive_header(incoming)
        except (EOFError, KeyboardInterrupt):
            return
        try:
            if task["op"] == "open":
                bound_process(task["limits"])
                answer = opener(_payload(incoming, task["bytes"]), task)
            if answer is None:
                raise RefusalError("corrupt", "no document was opened")
            reply, payload = answer(task)
        except RefusalError as refusal:
            reply, payload = {"error": refusal.args[0], "message": refusal.args[1]}, b""
        except MemoryError:
            reply, payload = {"error": "memory", "message": "not enough memory (pdf_memory)"}, b""
        send(outgoing, reply, memoryview(payload))


def bound_process(limits: Header) -> None:
    """Set what the system can enforce: address space, no core file, no written files, processor time for one task."""
    try:
        import resource
    except ImportError:  # not on Windows: there the other side's clock is the only bound
        return
    for kind, value in (("RLIMIT_AS", limits["memory"]), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0)):
        _lower(resource, kind, value)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource, "RLIMIT_CPU", int(used.ru_utime + used.ru_stime + limits["timeout_s"]) + 2)


def _lower(resource: ModuleType, kind: str, value: int) -> None:
    which = getattr(resource, kind, None)
    if which is None:
        return
    _, hard = resource.getrlimit(which)
    try:
        resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
    except (ValueError, OSError):  # macOS refuses to bound address space
        return


def _payload(incoming: BinaryIO, size: int) -> bytearray:
    data = bytearray(size)
    receive_into(incoming, memoryview(data))
    return data


def _open(data: bytearray, task: Header) -> Callable[[Header], tuple[Header, bytearray | bytes]]:
    pdfium.FPDF_InitLibrary()
    document = _load(data, task.get("password"))
    forms = pdfium.FPDF_FORMFILLINFO(version=2)
    environment = None
    if pdfium.FPDF_GetFormType(document) != pdfium.FORMTYPE_NONE:
        environment = pdfium.FPDFDOC_InitFormFillEnvironment(document, forms)
    count = pdfium.FPDF_GetPageCount(document)
    limits = task["limits"]

    def answer(task: Header) -> tuple[Header, bytearray | bytes]:
        _keep = (data, forms)  # pdfium reads from both as long as the document is open
        if task["op"] == "open":
            return {"pages": count}, b""
        bound_process(limits)
        return _page(document, environment, task, limits)

    return answer


def _load(data: bytearray, password: str | None) -> Handle:
    buffer = (ctypes.c_char * len(data)).from_buffer(data)
    attempts = (
        [None] if password is None else [password.encode("utf-8", "replace"), password.encode("latin-1", "replace")]
    )
    error = 0
    for attempt in attempts:  # the encoding of passwords changed with PDF 2.0
        document = pdfium.FPDF_LoadMemDocument64(buffer, len(data), attempt)
        if document:
            return document
        error = pdfium.FPDF_GetLastError()
    if error == pdfium.FPDF_ERR_PASSWORD:
        raise RefusalError("password", "")
    if error == pdfium.FPDF_ERR_SECURITY:
        raise RefusalError("security", "save it without protection first")
    raise RefusalError("corrupt", "it is truncated or damaged")


def _page(document: Handle, environment: Handle, task: Header, limits: Header) -> tuple[Header, bytearray | bytes]:
    page = pdfium.FPDF_LoadPage(document, task["page"] - 1)
    if not page:
        raise RefusalError("corrupt", "it is damaged")
    try:
        content = pdf_content.scan_page(page)
        width, height, warnings = _size(page, content, limits)
        to_pixels = pdf_content.page_to_pixels(page, width, height)
        layer = pdf_page.text_layer(page, content, to_pixels, (width, height)) if task["text"] else None
        pixels = _render(page, environment, width, height) if task["render"] else b""
    finally:
        pdfium.FPDF_ClosePage(page)
    return {"width": width, "height": height, "layer": layer, "warnings": warnings}, pixels


def _size(page: Handle, content: pdf_content.Content, limits: Header) -> tuple[int, int, list[str]]:
    """Pixels of the rendering, and what to say about it."""
    across, up = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
    if not (math.isfinite(across) and math.isfinite(up) and across > 0 and up > 0):
        raise RefusalError("corrupt", f"its size is {across:g} x {up:g} points")
    scale = limits["dpi"] / 72
    own = pdf_content.own_scale(content, pdf_page.page_box(page))
    if own is not None:
        scale = max(scale, own) if content.visible else own
    wanted = min(scale, limits["dpi"] / 72)
    scale = min(scale, limits["max_side"] / max(across, up), math.sqrt(limits["max_pixels"] / (across * up)))
    width, height = max(1, round(across * scale)), max(1, round(up * scale))
    if width * height > limits["max_pixels"] or max(width, height) > limits["max_side"]:
        width, height = max(1, int(across * scale)), max(1, int(up * scale))
    width, height = (
        min(width, limits["max_pixels"]),
        min(height, limits["max_pixels"] // min(width, limits["max_pixels"])),
    )
    warnings = []
    if scale < 0.99 * wanted:
        warnings.append(
            f"the page is {across / 72:.1f} x {up / 72:.1f} inches: it was rendered at {scale * 72:.0f} dpi, "
            f"not {wanted * 72:.0f}, to stay within the limits (pdf_max_pixels, max_side)"
        )
    return width, height, warnings


def _render(page: Handle, environment: Handle, width: int, height: int) -> bytearray:
    pixels = bytearray(width * height * 3)
    buffer = (ctypes.c_char * len(pixels)).from_buffer(pixels)
    bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_BGR, buffer, width * 3)
    if not bitmap:
        raise RefusalError("memory", f"no bitmap of {width} x {height} pixels (pdf_memory)")
    try:
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
        flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER | pdfium.FPDF_RENDER_LIMITEDIMAGECACHE
        pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, flags)
        if environment:
            pdfium.FPDF_FFLDraw(environment, bitmap, page, 0, 0, width, height, 0, flags)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
    return pixels
