"""The process that lays text over the pages of a PDF: one request on stdin, one answer on stdout, then it ends."""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from collections.abc import Sequence
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from shizi.imaging.frames import receive_header, receive_into, send

_NO_SECURITY = -1
_EXACT = 1 << 14  # units a page side is divided into when its coordinates are asked for


_Document = Any  # pypdfium2 has no types
_Page = Any


class RefusalError(Exception):
    """An error that the caller turns into one of shizi's own, by its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def main() -> None:
    """Read the request, answer it."""
    back = sys.stdout.buffer
    request = receive_header(sys.stdin.buffer)
    _bound(int(request["memory"]), float(request["cpu_s"]))
    data = bytearray(request["bytes"])
    receive_into(sys.stdin.buffer, memoryview(data))
    overlay = bytearray(request["overlay"])
    receive_into(sys.stdin.buffer, memoryview(overlay))
    try:
        merged = merge(bytes(data), bytes(overlay), request["password"], request["pages"])
    except RefusalError as refusal:
        send(back, {"error": refusal.code, "message": str(refusal)})
    except MemoryError:
        send(back, {"error": "memory", "message": "not enough memory (pdf_memory) to lay text over the PDF"})
    else:
        send(back, {"unchanged": merged is None}, merged or b"")


def _bound(memory: int, cpu_s: float) -> None:
    """Limit this process where the system can."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    for kind, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, int(cpu_s) + 1), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # a stricter limit is set already
            resource.setrlimit(kind, (value, value))


def merge(data: bytes, overlay: bytes, password: str | None, numbers: Sequence[int]) -> bytes | None:
    """The new file, or None where it would be the old one; raises RefusalError."""
    document = _open(data, password)
    count = len(document)
    missing = sorted(number for number in numbers if not 1 <= number <= count)
    if missing:
        raise RefusalError(
            "request",
            f"the original has {count} pages, the document has a page {missing[0]}; give the right original",
        )
    if overlay:
        text = pdfium.PdfDocument(overlay)
        for index, number in enumerate(numbers):
            _lay_over(document, number - 1, text, index)
    if len(set(numbers)) < count:
        _keep_only(document, set(numbers), count)
    elif not overlay:
        return None
    out = io.BytesIO()
    document.save(out, flags=raw.FPDF_NO_INCREMENTAL)
    return out.getvalue()


def _open(data: bytes, password: str | None) -> _Document:
    try:
        return pdfium.PdfDocument(data, password=password)
    except pdfium.PdfiumError as error:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "assword" in str(error):
            said = "is wrong" if password else "is missing"
            raise RefusalError(
                "password",
                f"the PDF is encrypted and the password {said}: give the password (--password)",
            ) from error
        raise RefusalError("corrupt", f"the PDF cannot be opened: {error}") from error


def _lay_over(document: _Document, index: int, text: _Document, text_index: int) -> None:
    """Put a page of the overlay over a page, so that it fills the page as it is shown."""
    width, height = text.get_page_size(text_index)
    try:
        page = document[index]
    except pdfium.PdfiumError as error:
        raise RefusalError("corrupt", f"page {index + 1} of the PDF cannot be loaded: {error}") from error
    form = raw.FPDF_NewXObjectFromPage(document.raw, text.raw, text_index)
    placed = raw.FPDF_NewFormObjectFromXObject(form)
    corner, right, top = (_on_page(page, x, y) for x, y in ((0, _EXACT), (_EXACT, _EXACT), (0, 0)))
    matrix = raw.FS_MATRIX(
        (right[0] - corner[0]) / width,
        (right[1] - corner[1]) / width,
        (top[0] - corner[0]) / height,
        (top[1] - corner[1]) / height,
        *corner,
    )
    done = raw.FPDFPageObj_SetMatrix(placed, matrix)
    raw.FPDFPage_InsertObject(page.raw, placed)
    raw.FPDF_CloseXObject(form)
    if not done or not raw.FPDFPage_GenerateContent(page.raw):
        raise RefusalError("corrupt", f"page {index + 1} of the PDF does not take any text")
    page.close()


def _on_page(page: _Page, x: int, y: int) -> tuple[float, float]:
    """Coordinates of the page for a point of it as it is shown, its sides counted in _EXACT units."""
    across, up = ctypes.c_double(), ctypes.c_double()
    raw.FPDF_DeviceToPage(page.raw, 0, 0, _EXACT, _EXACT, 0, x, y, across, up)
    return across.value, up.value


def _keep_only(document: _Document, numbers: set[int], count: int) -> None:
    if raw.FPDF_GetSecurityHandlerRevision(document.raw) != _NO_SECURITY:
        raise RefusalError(
            "request",
            "only some pages of an encrypted PDF are to be exported: export all, or remove the encryption first",
        )
    for index in reversed(range(count)):
        if index + 1 not in numbers:
            raw.FPDFPage_Delete(document.raw, index)
