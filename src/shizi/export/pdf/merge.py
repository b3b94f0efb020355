"""Text laid over the pages of an existing PDF, by pdfium in a process of its own: the file may be hostile."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from shizi.errors import CorruptDocument, DeadlineExceeded, EncryptedDocument, InvalidRequest, OutOfMemory
from shizi.export.base import Original
from shizi.imaging.child import Child, pipes, start_child, stop_child
from shizi.imaging.frames import Header, receive_header, receive_into, send

WORKER = "shizi.export.pdf.worker"
SECONDS_PER_PAGE = 1.0  # besides the time for opening the file; a page takes a few milliseconds
ROOM = 64 * 2**20  # bytes by which the result may be larger than twice what went in

_ERRORS = {
    "corrupt": CorruptDocument,
    "password": EncryptedDocument,
    "memory": OutOfMemory,
    "request": InvalidRequest,
}


def lay_over(original: Original, numbers: Sequence[int], overlay: bytes | None, worker: str = WORKER) -> bytes:
    """The original's pages of these numbers with the pages of `overlay` over them, one for one.

    Args:
        original: a PDF; its encryption and passwords stay.
        numbers: from 1, upwards.
        overlay: a PDF with one page per number, whose sides stand for those of the page as it is shown; None where
            there is nothing to lay over.
        worker: module that is the other side of the pipe.

    Raises:
        InvalidRequest: there is no page of a number, or only some pages of an encrypted PDF are wanted.
        CorruptDocument: it cannot be read, or crashed the process.
        EncryptedDocument: the password is missing or wrong.
        DeadlineExceeded: it took longer than the limits allow.
        OutOfMemory: it took more memory than the limits allow.
    """
    if not original.apart:
        return _here(original, numbers, overlay or b"")
    limits = original.limits
    seconds = limits.pdf_timeout_s + SECONDS_PER_PAGE * len(numbers)
    size = len(original.data) + len(overlay or b"")
    memory = limits.pdf_memory + 4 * size
    request: Header = {"password": original.password, "pages": list(numbers), "overlay": len(overlay or b"")}
    request |= {"memory": memory, "cpu_s": seconds}
    process = start_child(worker)
    expired = threading.Event()
    timer = threading.Timer(seconds, _expire, (process, expired))
    timer.daemon = True
    timer.start()
    try:
        merged = _exchange(process, request, original.data, overlay or b"", 2 * size + ROOM)
    except (EOFError, OSError, ValueError, KeyError) as error:
        process.kill()
        status = process.wait()
        if expired.is_set():
            raise DeadlineExceeded(
                f"laying text over the PDF took longer than {seconds:g} s (pdf_timeout_s, and {SECONDS_PER_PAGE:g} s "
                "for each page), it was stopped: export fewer pages, or raise the limit"
            ) from error
        raise CorruptDocument(
            f"the process that lays text over the PDF died (status {status}); the file is damaged, or needs more than "
            f"{memory // 2**20} MiB (pdf_memory and four times the file)"
        ) from error
    finally:
        timer.cancel()
        stop_child(process)
    return original.data if merged is None else merged


def _here(original: Original, numbers: Sequence[int], overlay: bytes) -> bytes:
    from shizi.export.pdf.worker import RefusalError, merge

    try:
        merged = merge(original.data, overlay, original.password, numbers)
    except RefusalError as refusal:
        raise _ERRORS[refusal.code](str(refusal)) from refusal
    return original.data if merged is None else merged


def _exchange(process: Child, request: Header, data: bytes, overlay: bytes, most: int) -> bytes | None:
    """What the worker answers; None where nothing had to change. It reads everything before it writes anything."""
    to, back = pipes(process)
    send(to, request, data)
    to.write(overlay)
    to.flush()
    header = receive_header(back)
    if "error" in header:
        raise _ERRORS[str(header["error"])](str(header["message"]))
    if header["unchanged"]:
        return None
    if not 0 < header["bytes"] <= most:
        raise ValueError(f"a result of {header['bytes']} bytes")
    merged = bytearray(header["bytes"])
    receive_into(back, memoryview(merged))
    return bytes(merged)


def _expire(process: Child, expired: threading.Event) -> None:
    expired.set()
    process.kill()
