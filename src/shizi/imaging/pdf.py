"""PDF pages from a process of their own: a crash, a hang or a bomb in one costs that document and nothing else."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator
from itertools import zip_longest
from typing import Any, Literal

import numpy as np

from shizi.errors import (
    CorruptDocument,
    DeadlineExceeded,
    EncryptedDocument,
    ImageTooLarge,
    InvalidRequest,
    OutOfMemory,
)
from shizi.imaging.child import pipes, start_child, stop_child
from shizi.imaging.frames import Header, receive_header, receive_into, send
from shizi.imaging.limits import Limits, select_pages
from shizi.imaging.pages import LayerLine, PageImage, TextLayer
from shizi.types import Polygon, Word

WORKER = "shizi.imaging.pdf_worker"

_ERRORS = {"corrupt": CorruptDocument, "memory": OutOfMemory, "too-large": ImageTooLarge}


def read_pdf(
    data: bytes,
    limits: Limits,
    pages: Collection[int] | None,
    password: str | None,
    text_layer: Literal["auto", "ignore", "only"],
    worker: str = WORKER,
) -> Iterator[PageImage]:
    """Pages of a PDF, the next one being rendered while the caller works on this one.

    Args:
        data: the whole file.
        limits: bounds.
        pages: numbers from 1, None for all.
        password: None where none was given.
        text_layer: as in `open_pages`.
        worker: module that is the other side of the pipe.

    Raises:
        ShiziError: as in `open_pages`.
    """
    _check_password(password)
    child = _Worker(worker, limits)
    try:
        count = child.open(data, password)
        del data
        wanted = select_pages(count, pages, limits)
        task = {"op": "page", "render": text_layer != "only", "text": text_layer != "ignore"}
        tasks: list[Header] = [{**task, "page": number} for number in wanted]
        child.ask(tasks[0])
        for number, following in zip_longest(wanted, tasks[1:]):
            yield child.page(number, text_layer != "only", following)  # held by nobody here
    finally:
        child.close()


class _Worker:
    """One process and the pipe to it; used by one thread at a time."""

    def __init__(self, module: str, limits: Limits) -> None:
        self._limits = limits
        self._what = "opening it"
        self._expired = threading.Event()
        self._process = start_child(module)
        self._to, self._from = pipes(self._process)

    def open(self, data: bytes, password: str | None) -> int:
        """Number of pages."""
        limits = self._limits
        with self._guarded():
            bounds: Header = {"max_side": limits.max_side, "dpi": limits.pdf_dpi, "max_pixels": limits.pdf_max_pixels}
            bounds |= {"memory": limits.pdf_memory, "timeout_s": limits.pdf_timeout_s}
            send(self._to, {"op": "open", "password": password, "limits": bounds}, data)
            header = self._reply(password)
            count = header["pages"]
            if not isinstance(count, int):
                raise ValueError("no number of pages")
        if count < 1:
            raise CorruptDocument("the PDF has no pages")
        return count

    def ask(self, task: Header) -> None:
        """Have the worker begin with a page; small enough never to block."""
        self._what = f"page {task['page']}"
        with self._guarded():
            send(self._to, task)

    def page(self, number: int, rendered: bool, following: Header | None) -> PageImage:
        """The page that was asked for; has the worker begin with the following one."""
        self._what = f"page {number}"
        with self._guarded():
            header = self._reply(None)
            width, height = int(header["width"]), int(header["height"])
            size = width * height * 3 if rendered else 0
            if not (0 < width <= self._limits.max_side and 0 < height <= self._limits.max_side):
                raise ValueError("a page outside of the limits")
            if header["bytes"] != size or width * height > self._limits.pdf_max_pixels:
                raise ValueError("a page that is not what was asked for")
            pixels = None
            if rendered:
                pixels = np.empty((height, width, 3), np.uint8)
                receive_into(self._from, pixels.data.cast("B"))
            layer = _layer(header["layer"]) if header["layer"] is not None else None
            warnings = tuple(str(warning) for warning in header["warnings"])
        if following is not None:
            self.ask(following)
        return PageImage(number, pixels, width, height, layer, warnings)

    def close(self) -> None:
        """Kill the process, whatever it does; called in every case."""
        stop_child(self._process)

    def _reply(self, password: str | None) -> Header:
        header = receive_header(self._from)
        if "error" not in header:
            return header
        code, message = str(header["error"]), str(header.get("message", ""))
        if code == "password":
            said = "is wrong" if password else "is missing"
            raise EncryptedDocument(f"the PDF is encrypted and the password {said}: give the password (--password)")
        if code == "security":
            raise EncryptedDocument(f"the PDF is encrypted in a way that cannot be opened: {message}")
        raise _ERRORS.get(code, CorruptDocument)(f"the PDF, {self._what}: {message}")

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Bound the time of an exchange, and turn the end of the worker into one clear error."""
        timer = threading.Timer(self._limits.pdf_timeout_s, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        except MemoryError as error:
            raise OutOfMemory(f"the PDF, {self._what}: not enough memory for its pixels") from error
        except (EOFError, OSError) as error:
            raise self._gone() from error
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise CorruptDocument(
                f"the PDF, {self._what}: the process that reads it answered nonsense ({error})"
            ) from error
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._expired.set()
        self._process.kill()

    def _gone(self) -> CorruptDocument | DeadlineExceeded:
        self._process.kill()
        status = self._process.wait()
        if self._expired.is_set():
            return DeadlineExceeded(
                f"the PDF, {self._what}: took longer than "
                f"{self._limits.pdf_timeout_s:g} s (pdf_timeout_s), it was "
                "stopped: leave the page out, or raise the limit"
            )
        return CorruptDocument(
            f"the PDF, {self._what}: the process that reads it died (status {status}); the page is damaged, "
            f"or needs more than {self._limits.pdf_memory // 2**20} MiB (pdf_memory)"
        )


def _layer(layer: dict[str, Any]) -> TextLayer:
    lines = tuple(
        LayerLine(
            str(line["text"]),
            _polygon(line["polygon"]),
            tuple(Word(str(text), 1.0, _polygon(polygon)) for text, polygon in line["words"]),
            float(line["angle"]),
            bool(line["vertical"]),
        )
        for line in layer["lines"]
    )
    boxes = tuple(_polygon(box) for box in layer["image_boxes"])
    return TextLayer(lines, bool(layer["sound"]), str(layer["reason"]), bool(layer["has_images"]), boxes)


def _polygon(points: list[list[float]]) -> Polygon:
    return tuple((float(x), float(y)) for x, y in points)


def _check_password(password: str | None) -> None:
    if password is not None and "\0" in password:
        raise InvalidRequest("password holds a NUL character, which no PDF password has")
