"""The process that decodes what may be hostile: one document at a time, with nothing at hand but that document.

The owner says `start` once (bounds), then for each document `open` (with its descriptor) and, page by page, `next`. The answers
are `taken`, before a byte of the document has been looked into beyond its first ones; `block`, to which the owner answers with
shared memory; and `page`, or `error`. After the last page, or an error, nothing of the document is kept.
"""

from __future__ import annotations

import mmap
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shizi.errors import CorruptDocument, OutOfMemory, ShiziError
from shizi.imaging.decode import sniff
from shizi.imaging.frames import Header
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox_channel import Channel
from shizi.imaging.sandbox_death import EXIT_MEMORY
from shizi.imaging.sandbox_decode import Pixels, Room, Task, read_document
from shizi.imaging.sandbox_limits import bound_process, most_resident

SNIFFED = 1029  # bytes
MOST_MESSAGE = 2000  # characters

Opener = Callable[[bytes, Task, Room], Iterator[Header]]


def main() -> None:
    """Answers until the socket, which is standard input, is closed."""
    serve(read_document)


def serve(opener: Opener) -> None:
    """Speaks the protocol; opener makes pages of a document."""
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to all of a service at once; its owner decides when to end
        signal.signal(number, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=0))
    try:
        worker = _Worker(channel, channel.receive(), opener)
        while True:
            worker.document()
    except (EOFError, OSError, KeyboardInterrupt):
        return
    except MemoryError:
        os._exit(EXIT_MEMORY)


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the owner says of a document."""

    descriptor: int
    start: int
    size: int
    seconds: float
    task: Task


class _Worker:
    """The loop over documents."""

    def __init__(self, channel: Channel, start: Header, opener: Opener) -> None:
        self._channel = channel
        self._opener = opener
        self._limits = Limits(**start["limits"])
        bounds, self._meter = bound_process(_most_memory(self._limits), start["parent"])
        channel.send({"peak": most_resident(), "held": bounds.held, "missing": bounds.missing})

    def document(self) -> None:
        """Decodes one; its last answer is sent when everything of it has been given back."""
        header, descriptor = self._channel.receive_with_descriptor()
        if descriptor is None:
            raise EOFError("a document without a descriptor")
        task = Task(self._limits, header["pages"], header["password"], header["text_layer"])
        opened = _Opened(descriptor, header["start"], header["size"], header["seconds"], task)
        self._channel.send(self._read(opened))

    def _read(self, opened: _Opened) -> Header:
        try:
            return self._pages(opened)
        except ShiziError as error:
            return {"error": error.code, "message": str(error)[:MOST_MESSAGE]}
        except MemoryError:
            return {"error": OutOfMemory.code, "message": "not enough memory to decode the document (max_memory)"}

    def _pages(self, opened: _Opened) -> Header:
        """Answers all pages but the last, which is returned."""
        try:
            is_pdf = sniff(os.pread(opened.descriptor, SNIFFED, opened.start)) == "PDF"
            self._channel.send({"taken": True, "pdf": is_pdf})
            memory = opened.task.limits.pdf_memory if is_pdf else opened.task.limits.max_memory
            self._meter.begin(memory + 3 * opened.size, opened.seconds)
            data = _whole(opened.descriptor, opened.start, opened.size)
        finally:
            os.close(opened.descriptor)
        pages = self._opener(data, opened.task, self._room)
        del data
        for page in pages:
            if page["last"]:
                return {"page": page}
            self._channel.send({"page": page})
            if "next" not in self._channel.receive():
                raise EOFError
            self._meter.begin(memory + 3 * opened.size, opened.seconds)
        raise CorruptDocument("the document has no pages")

    def _room(self, height: int, width: int, memory: int) -> Pixels:
        """(height, width, 3) uint8 of shared memory, for an image that takes so many bytes while it is decoded."""
        self._channel.send({"block": {"height": height, "width": width, "memory": memory}})
        header, descriptor = self._channel.receive_with_descriptor()
        if descriptor is None or "block" not in header:
            raise EOFError("no block")
        try:
            size = height * width * 3
            self._meter.more(size)
            memory_map = mmap.mmap(descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        finally:
            os.close(descriptor)
        pixels: NDArray[np.uint8] = np.frombuffer(memory_map, np.uint8)
        return pixels.reshape(height, width, 3)


def _whole(descriptor: int, start: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := os.pread(descriptor, size, start)):
        parts.append(part)
        start, size = start + len(part), size - len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _most_memory(limits: Limits) -> int:
    """Bytes that the largest document can take: itself, its minimal stream, a copy, its decoding and its pixels."""
    pixels = 3 * max(limits.max_pixels, limits.pdf_max_pixels)
    return max(limits.max_memory, limits.pdf_memory) + 3 * limits.max_bytes + pixels
