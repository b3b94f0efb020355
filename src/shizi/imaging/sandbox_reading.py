"""One document in a sandbox, page by page: what the process says is checked here before anybody relies on it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from shizi.errors import (
    CorruptDocument,
    DeadlineExceeded,
    EncryptedDocument,
    EngineUnavailable,
    ImageTooLarge,
    InvalidRequest,
    OutOfMemory,
    ShiziError,
    UnsupportedFormat,
)
from shizi.imaging.frames import Header
from shizi.imaging.limits import Limits
from shizi.imaging.pages import TextLayer
from shizi.imaging.pdf import _layer as read_layer
from shizi.imaging.sandbox_blocks import Blocks
from shizi.imaging.sandbox_death import GoneError, Reason
from shizi.imaging.sandbox_document import Handed, handed_over
from shizi.imaging.sandbox_pool import Pool
from shizi.imaging.sandbox_process import SandboxProcess
from shizi.imaging.shared import Block, SharedPixels
from shizi.page_numbers import LARGEST

# What a document can be refused for: a hostile process shall not speak of keys, quotas or deadlines.
_REFUSALS: tuple[type[ShiziError], ...] = (
    CorruptDocument,
    EncryptedDocument,
    ImageTooLarge,
    InvalidRequest,
    OutOfMemory,
    UnsupportedFormat,
)
_ERRORS = {error.code: error for error in _REFUSALS}
_MOST_MESSAGE = 2000  # characters
_WRONG = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class SharedPage:
    """One page, upright as its file says, like `PageImage`, with its pixels in shared memory.

    Attributes:
        number: counted from 1, as in the source document.
        pixels: where they are, until `release`; None only where rendering was not asked for.
        width: pixels.
        height: pixels.
        text_layer: of a PDF page, where it was asked for.
        warnings: what a person should know about this page.
        count: pages that the document has, as it says.
    """

    number: int
    pixels: SharedPixels | None
    width: int
    height: int
    text_layer: TextLayer | None = None
    warnings: tuple[str, ...] = ()
    _owner: tuple[Blocks, Block] | None = field(default=None, repr=False, compare=False)
    count: int = 1

    def release(self) -> None:
        """Frees the memory, at once or when the last process that maps it lets go; harmless when repeated."""
        if self._owner is not None:
            blocks, block = self._owner
            blocks.release(block)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a document, as in `Sandbox.open`; pages are sorted and without repetition."""

    pages: tuple[int, ...] | None
    password: str | None
    text_layer: Literal["auto", "ignore", "only"]
    deadline: float


class Reading(Iterator[SharedPage]):
    """Pages of one document; used by one thread at a time, but `close` may be called from any."""

    def __init__(self, document: BinaryIO, wish: Wish, limits: Limits, pool: Pool, blocks: Blocks) -> None:
        self._document = document
        self._wish = wish
        self._limits = limits
        self._pool = pool
        self._blocks = blocks
        self._lock = threading.Lock()
        self._process: SandboxProcess | None = None  # while it works on this document
        self._made: list[Block] = []
        self._is_running = False  # a thread is in __next__
        self._is_done = False
        self._is_closed = False
        self._is_pdf = False
        self._last = 0  # number of the page that came last
        self._count = 0

    def __next__(self) -> SharedPage:
        with self._lock:
            if self._is_done:
                raise StopIteration
            self._is_running = True
        try:
            page = self._page()
        except GoneError as gone:
            self._end(gone.reason)
            raise gone.error from gone
        except BaseException:  # also an interrupt: what the process is doing then belongs to nobody
            self._end("abandoned")
            raise
        finally:
            with self._lock:
                self._is_running = False
                is_closed = self._is_closed
            if is_closed:
                self._sweep()
        if is_closed:
            raise StopIteration
        return page

    def close(self) -> None:
        """Stops the work and releases all blocks; a thread that waits for a page finds no further one, or an error."""
        with self._lock:
            self._is_closed = self._is_done = True
            if self._is_running:
                if self._process is not None:
                    self._process.kill()
                return  # the other thread sweeps
        self._sweep()

    def _sweep(self) -> None:
        self._end("abandoned")
        for block in self._made:
            self._blocks.release(block)

    def _end(self, reason: Reason | None) -> None:
        """No further page; the process goes back (None) or is lost, where it was not already."""
        with self._lock:
            self._is_done = True
            process, self._process = self._process, None
        if process is not None and reason is None:
            self._pool.back(process)
        elif process is not None and reason is not None:
            self._pool.lose(process, reason)

    def _page(self) -> SharedPage:
        if time.monotonic() >= self._wish.deadline:
            raise DeadlineExceeded("the deadline passed before the next page was decoded: allow more time")
        process = self._process or self._begin()
        header = self._receive(process)
        block = None
        if "block" in header:
            block = self._block(process, header["block"])
            header = self._filled(process, block, header["block"])
        if "error" in header:
            raise self._refusal(process, header)
        try:
            page = self._built(header["page"], block)
            is_last = header["page"]["last"] is True
        except _WRONG as error:
            raise process.nonsense(f"a page that is none: {error}") from error
        if is_last:
            self._end(None)
        else:
            process.send({"next": True}, self._wish.deadline)  # it works while the caller does
        return page

    def _begin(self) -> SandboxProcess:
        wish = self._wish
        with handed_over(self._document, self._limits) as handed:
            process = self._opened(handed) or self._opened(handed, again=True)
        if process is None:
            raise EngineUnavailable(f"no process for decoding was ready before the deadline ({wish.deadline:g})")
        return process

    def _opened(self, handed: Handed, again: bool = False) -> SandboxProcess | None:
        """A process that has taken the document; None where one died before it looked into it, which is no fault of it."""
        wish = self._wish
        process = self._pool.take(wish.deadline)
        with self._lock:
            self._process = process
        try:
            if not process.wait_until_ready(wish.deadline):
                self._end(None)
                raise DeadlineExceeded("no process for decoding was ready before the deadline: try again")
            header: Header = {"start": handed.start, "size": handed.size, "seconds": wish.deadline - time.monotonic()}
            header |= {"pages": self._numbers(), "password": wish.password, "text_layer": wish.text_layer}
            self._is_pdf = process.open(header, handed.descriptor, wish.deadline)
        except GoneError as gone:
            if gone.reason != "start" or again or self._is_closed:
                raise
            with self._lock:
                self._process = None
            self._pool.lose(process, "start")
            return None
        self._pool.count_document()
        return process

    def _numbers(self) -> list[int] | None:
        """Pages to ask for; of more than are allowed only as many as show that."""
        pages, most = self._wish.pages, self._limits.max_pages
        if pages is None or len(pages) <= most:
            return pages if pages is None else list(pages)
        return [*pages[:most], pages[-1]]

    def _receive(self, process: SandboxProcess) -> Header:
        return process.receive(self._wish.deadline, self._limits.pdf_timeout_s if self._is_pdf else None)

    def _block(self, process: SandboxProcess, size: Header) -> Block:
        try:
            height, width = _side(size["height"], self._limits), _side(size["width"], self._limits)
            if height * width > (self._limits.pdf_max_pixels if self._is_pdf else self._limits.max_pixels):
                raise ValueError("more pixels than the limits allow")
            if not 0 <= int(size["memory"]) <= self._limits.max_memory:
                raise ValueError("more memory than the limits allow")
        except _WRONG as error:
            raise process.nonsense(f"a page that is none: {error}") from error
        block = self._blocks.make(height, width, self._wish.deadline)
        self._made = [*(made for made in self._made if not made.is_released), block]
        return block

    def _filled(self, process: SandboxProcess, block: Block, size: Header) -> Header:
        """What the process says when it has filled the block; on an error the block is gone."""
        try:
            with self._blocks.decoding(int(size["memory"]), self._wish.deadline):
                process.send({"block": True}, self._wish.deadline, block.descriptor)
                block.close_descriptor()
                header = self._receive(process)
        except BaseException:
            self._blocks.release(block)
            raise
        if "page" not in header:
            self._blocks.release(block)
        return header

    def _refusal(self, process: SandboxProcess, header: Header) -> ShiziError:
        """The process refuses the document, and is well; where it had no memory it is replaced."""
        error = _ERRORS.get(str(header["error"]))
        if error is None:
            raise process.nonsense("an error that is none")
        self._end("memory" if error is OutOfMemory else None)
        return error(str(header.get("message", ""))[:_MOST_MESSAGE])

    def _built(self, page: Header, block: Block | None) -> SharedPage:
        number, height, width = (
            int(page["number"]),
            _side(page["height"], self._limits),
            _side(page["width"], self._limits),
        )
        self._count += 1
        if number <= self._last or self._count > self._limits.max_pages:
            raise ValueError("pages that were not asked for")
        self._last = number
        has_pixels = not (self._is_pdf and self._wish.text_layer == "only")
        if has_pixels != (block is not None):
            raise ValueError("pixels where none were asked for, or none")
        if block is not None and (block.pixels.height, block.pixels.width) != (height, width):
            raise ValueError("another size than was said")
        layer = read_layer(page["layer"]) if page["layer"] is not None else None
        if layer is not None:
            _check_finite(layer)
        warnings = tuple(str(warning) for warning in page["warnings"])
        owner = (self._blocks, block) if block is not None else None
        count = int(page["count"])
        if not number <= count <= LARGEST:
            raise ValueError("a page behind the last one")
        return SharedPage(number, block.pixels if block else None, width, height, layer, warnings, owner, count)


def _side(value: object, limits: Limits) -> int:
    if not isinstance(value, int) or not 0 < value <= limits.max_side:
        raise ValueError("a side outside of the limits")
    return value


def _check_finite(layer: TextLayer) -> None:
    polygons = [line.polygon for line in layer.lines] + list(layer.image_boxes)
    polygons += [word.polygon for line in layer.lines for word in line.words]
    if not all(math.isfinite(value) for polygon in polygons for point in polygon for value in point):
        raise ValueError("a place that is no number")
