"""What is made of what a client sent, beyond reading it, by a process of its own: results that show the pages, documents that
were read before in another format, pictures of a page.

All of it opens what may be hostile, so it is done where that harms nobody: in a process with the bounds of a sandbox that lives
for one result.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, cast

from shizi.errors import CorruptDocument, DeadlineExceeded, Overloaded, ShiziError, taxonomy
from shizi.export import to_json
from shizi.imaging.child import Child, pipes, start_child, stop_child
from shizi.imaging.frames import receive_header, send
from shizi.imaging.limits import MIB, Limits
from shizi.serving.uploads import Upload
from shizi.types import Document

_BASE: Final = 512 * MIB  # beyond what decoding takes: pages side by side, and the result
_OF_JSON: Final = 16  # times the bytes of a document's JSON: its plain values, the document, and what is made of them
_OF_FILE: Final = 4
_PIECE: Final = 2**20
WAITING: Final = 16  # orders for each process; more would miss their deadlines, and keep their uploads on the disk
TENANT_SHARE: Final = 0.7  # of all orders, as of what is read
_ERRORS: Final = {error.code: error for error in taxonomy()}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made.

    Attributes:
        task: "draw" makes a format of a document of ours; "export" of one that a client sent, with edits; "page" a picture of one
            page.
        result: what to call it.
        parts: what it is made of, by name: `document` and `edits` as JSON, `file` the original.
        said: further values for the task.
        tenant: who ordered it.
    """

    task: Literal["draw", "export", "page"]
    result: str
    parts: Mapping[str, bytes | Upload]
    said: Mapping[str, object]
    tenant: str

    @property
    def memory(self) -> int:
        """Bytes that the parts take, one way or another."""
        return sum(
            len(pieces) * _OF_JSON
            if isinstance(pieces, bytes)
            else pieces.size * (_OF_FILE if name == "file" else _OF_JSON)
            for name, pieces in self.parts.items()
        )


@dataclass(frozen=True, slots=True)
class Made:
    """A result.

    Attributes:
        file: unnamed, at its beginning.
        size: bytes.
        facts: numbers that there are to say about it.
    """

    file: BinaryIO
    size: int
    facts: Mapping[str, int]


class Drawings:
    """A bounded number of such processes.

    Args:
        limits: of decoding.
        most: processes at the same time; sixteen times as many orders wait, and of one tenant no more than its share.
    """

    def __init__(self, limits: Limits, most: int) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(most, "shizi-draw")
        self._free = asyncio.Semaphore(most)
        self._most = most * (1 + WAITING)
        self._orders: Counter[str] = Counter()  # under way, by tenant

    async def draw(
        self, document: Document, name: str, upload: Upload, password: str | None, deadline: float, tenant: str
    ) -> BinaryIO:
        """The document in a format that shows its pages, as an unnamed file at its beginning.

        Args:
            document: what was read.
            name: of the format.
            upload: what it was read from.
            password: that opened it.
            deadline: in `time.monotonic()`.
            tenant: who asks for it.

        Raises:
            DeadlineExceeded: it was not done in time.
            Overloaded: as `make`.
            ShiziError: as the exporter.
        """
        json = to_json(document, indent=None).encode()
        order = Order("draw", name, {"document": json, "file": upload}, {"format": name, "password": password}, tenant)
        return (await self.make(order, deadline)).file

    async def make(self, order: Order, deadline: float) -> Made:
        """What was ordered.

        Args:
            order: whose uploads stay open until this returns.
            deadline: in `time.monotonic()`.

        Raises:
            DeadlineExceeded: it was not done in time.
            Overloaded: too much is under way.
            ShiziError: whatever is wrong with the parts.
        """
        try:
            with self._place(order.tenant):
                async with asyncio.timeout(deadline - time.monotonic()), self._free:
                    header: dict[str, object] = {
                        **order.said,
                        "task": order.task,
                        "limits": dataclasses.asdict(self._limits),
                        "memory": _BASE + max(self._limits.max_memory, self._limits.pdf_memory) + order.memory,
                        "parent": os.getpid(),
                        "cpu_s": max(1.0, deadline - time.monotonic()),
                        "parts": {name: _size(pieces) for name, pieces in order.parts.items()},
                    }
                    return await self._run(header, order)
        except TimeoutError:
            raise DeadlineExceeded(
                f"the time for this document was over before its {order.result} was made: choose fewer pages, or allow "
                "more time"
            ) from None

    @contextlib.contextmanager
    def _place(self, tenant: str) -> Iterator[None]:
        whole, own = self._orders.total(), self._orders[tenant]
        if whole >= self._most or own + 1 > TENANT_SHARE * self._most:
            raise Overloaded(
                f"{whole} results are made or wait for it, {own} of them of this tenant; the limits are {self._most}, and "
                f"{int(TENANT_SHARE * self._most)} of one tenant: try again later",
                1.0,
            )
        self._orders[tenant] += 1
        try:
            yield
        finally:
            self._orders[tenant] -= 1
            if not self._orders[tenant]:
                del self._orders[tenant]

    async def _run(self, header: dict[str, object], order: Order) -> Made:
        child = start_child("shizi.serving.drawing_worker", bare=True)
        working = asyncio.get_running_loop().run_in_executor(self._threads, _talk, child, header, order)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            child.kill()
            await asyncio.wait([working])
            if not working.cancelled() and working.exception() is None:
                working.result().file.close()
            raise

    def close(self) -> None:
        """Waits for what is being drawn."""
        self._threads.shutdown()


def _size(pieces: bytes | Upload) -> int:
    return len(pieces) if isinstance(pieces, bytes) else pieces.size


def _pieces(order: Order) -> Iterator[bytes]:
    for pieces in order.parts.values():
        if isinstance(pieces, bytes):
            yield pieces
            continue
        pieces.file.seek(0)
        while piece := pieces.file.read(_PIECE):
            yield piece


def _talk(child: Child, header: dict[str, object], order: Order) -> Made:
    """Hands everything over and takes the result; in a thread."""
    into, back = pipes(child)
    result = cast(BinaryIO, tempfile.TemporaryFile(prefix="shizi-"))  # noqa: SIM115
    try:
        send(into, header)
        for piece in _pieces(order):
            into.write(piece)
        into.flush()
        answer = receive_header(back)
        if "error" in answer:
            raise _ERRORS.get(str(answer["error"]), ShiziError)(str(answer["message"]))
        left = size = int(answer["bytes"])
        if not 0 <= size <= int(cast(int, header["memory"])):  # more than it may hold: it is no longer ours
            raise ValueError
        while left and (piece := back.read(min(left, _PIECE))):
            result.write(piece)
            left -= len(piece)
        if left:
            raise EOFError
        result.seek(0)
    except (OSError, EOFError, ValueError):
        result.close()
        raise CorruptDocument(
            f"what was sent made the process end that makes its {order.result}: it is damaged, or needs too much memory"
        ) from None
    except BaseException:
        result.close()
        raise
    finally:
        with contextlib.suppress(OSError):
            stop_child(child)
    return Made(result, size, {name: value for name, value in answer.items() if isinstance(value, int)})
