"""Inside of a sandbox: PDF pages, by pdfium in this very process.

The sandbox is bounded as tightly as the process that `open_pages` starts for a PDF (and more), takes one document at a time, and
may start no process: a second one inside of it would add its start and a copy of each page, and protect nothing more. Unlike
that process it lives on, so everything of a document is closed after it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2.raw as pdfium

from shizi.errors import CorruptDocument, EncryptedDocument, ImageTooLarge, OutOfMemory, ShiziError
from shizi.imaging.frames import Header
from shizi.imaging.limits import Limits, select_pages
from shizi.imaging.pdf import _check_password as check_password
from shizi.imaging.pdf_content import Handle
from shizi.imaging.pdf_worker import RefusalError
from shizi.imaging.pdf_worker import _load as load_document
from shizi.imaging.pdf_worker import _page as read_page

if TYPE_CHECKING:
    from shizi.imaging.sandbox_decode import Room, Task

_ERRORS: dict[str, type[ShiziError]] = {"corrupt": CorruptDocument, "memory": OutOfMemory, "too-large": ImageTooLarge}


def pdf_pages(data: bytes, task: Task, room: Room) -> Iterator[Header]:
    """Pages, as `sandbox_decode.read_document` has them.

    Raises:
        ShiziError: as in `open_pages`.
    """
    check_password(task.password)
    with _opened(bytearray(data), task.password) as (document, forms):
        del data
        count = pdfium.FPDF_GetPageCount(document)
        if count < 1:
            raise CorruptDocument("the PDF has no pages")
        numbers = select_pages(count, task.pages, task.limits)
        for number in numbers:
            last = number == numbers[-1]
            with _refusals(f"page {number}", task.password):
                page = _read(document, forms, number, task, room)
            if last:
                break
            yield {**page, "count": count, "last": False}
    yield {**page, "count": count, "last": True}  # what can go wrong in closing the document has gone wrong


def _read(document: Handle, forms: Handle, number: int, task: Task, room: Room) -> Header:
    render = task.text_layer != "only"
    wanted = {"page": number, "render": render, "text": task.text_layer != "ignore"}
    header, rendered = read_page(document, forms, wanted, _bounds(task.limits))
    width, height = header["width"], header["height"]
    if render:
        room(height, width, 0)[:] = np.frombuffer(rendered, np.uint8).reshape(height, width, 3)
    return {**header, "number": number, "pixels": render}


@contextlib.contextmanager
def _opened(data: bytearray, password: str | None) -> Iterator[tuple[Handle, Handle]]:
    """A document and its environment of forms (None where it has none), both closed at the end."""
    pdfium.FPDF_InitLibrary()
    with _refusals("opening it", password):
        document = load_document(data, password)
    forms = pdfium.FPDF_FORMFILLINFO(version=2)  # read by the environment as long as it lives
    environment = None
    try:
        if pdfium.FPDF_GetFormType(document) != pdfium.FORMTYPE_NONE:
            environment = pdfium.FPDFDOC_InitFormFillEnvironment(document, forms)
        yield document, environment
    finally:
        if environment:
            pdfium.FPDFDOC_ExitFormFillEnvironment(environment)
        pdfium.FPDF_CloseDocument(document)
        del data  # read by the document as long as it was open


@contextlib.contextmanager
def _refusals(what: str, password: str | None) -> Iterator[None]:
    """Turns a refusal of pdfium's side into an error of ours, in the words of `read_pdf`."""
    try:
        yield
    except RefusalError as refusal:
        code, message = refusal.args
        if code == "password":
            said = "is wrong" if password else "is missing"
            text = f"the PDF is encrypted and the password {said}: give the password (--password)"
            raise EncryptedDocument(text) from refusal
        if code == "security":
            raise EncryptedDocument(f"the PDF is encrypted in a way that cannot be opened: {message}") from refusal
        raise _ERRORS.get(code, CorruptDocument)(f"the PDF, {what}: {message}") from refusal
    except MemoryError as error:
        raise OutOfMemory(f"the PDF, {what}: not enough memory (pdf_memory)") from error


def _bounds(limits: Limits) -> Header:
    return {"max_side": limits.max_side, "dpi": limits.pdf_dpi, "max_pixels": limits.pdf_max_pixels}
