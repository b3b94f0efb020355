"""Workers that fail on purpose, to show what a failing PDF costs: name this module as the worker of `pdf.read_pdf`.

What to do stands in the document itself: its bytes are one of FAILURES.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from shizi.imaging.frames import Header
from shizi.imaging.pdf_worker import serve

FAILURES = (b"nothing", b"crash", b"crash on page 2", b"hang", b"hang on page 2", b"eat memory", b"babble", b"lie")
SIDE = 4  # pixels of a page that succeeds

Answer = tuple[Header, bytes]


def main() -> None:
    """Answer like the real worker, until the failure."""
    serve(_open)


def _open(data: bytearray, _task: Header) -> Callable[[Header], Answer]:
    failure = bytes(data)
    if failure not in FAILURES:
        raise SystemExit(f"no such failure: {failure!r}")

    def answer(task: Header) -> Answer:
        if task["op"] == "open":
            return {"pages": 3}, b""
        if not failure.endswith(b"on page 2") or task["page"] == 2:
            _fail(failure.split()[0])
        if failure == b"babble":
            return {"width": "wide"}, b"babble"
        if failure == b"lie":
            return {"width": 10**6, "height": 10**6, "layer": None, "warnings": []}, b""
        return {"width": SIDE, "height": SIDE, "layer": None, "warnings": []}, bytes(SIDE * SIDE * 3)

    return answer


def _fail(how: bytes) -> None:
    if how == b"crash":
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    if how == b"hang":
        time.sleep(3600)
    if how == b"eat":
        hoard = []
        while True:
            hoard.append(bytearray(2**24))
