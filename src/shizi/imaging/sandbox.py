"""Decoding where it can harm nobody: in bounded processes of their own, whose pixels come back through shared memory.

`open_pages` decodes in the calling process and suits files of one's own. A service takes this: whatever a document does to the
decoder, it costs that document. See docs/sandbox.md for the bounds, and for what they cost.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from shizi.errors import InvalidRequest
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox_blocks import Blocks
from shizi.imaging.sandbox_pool import Pool
from shizi.imaging.sandbox_process import Bounds, SandboxProcess
from shizi.imaging.sandbox_reading import Reading, SharedPage, Wish
from shizi.imaging.shared import SharedPixels

__all__ = ["Bounds", "Sandbox", "SandboxOptions", "SandboxStats", "SharedPage", "SharedPixels"]

WORKER = "shizi.imaging.sandbox_worker"
MOST_PROCESSES = 8
MIB = 2**20


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Bounds of the pool; those of a document are `Limits`.

    Attributes:
        processes: most at once; None for one per CPU, at most 8.
        warm: started at once rather than with the first document.
        max_documents: after which a process is replaced, so that nothing piles up in it; 1 keeps documents apart entirely.
        max_resident: bytes of memory that a process may keep between documents; with more it is replaced.
        max_shared: bytes of all pages that were not released yet.
        max_decoding: bytes that all images together may take while they are decoded, as their headers say.
    """

    processes: int | None = None
    warm: int = 1
    max_documents: int = 200
    max_resident: int = 300 * MIB
    max_shared: int = 2048 * MIB
    max_decoding: int = 1024 * MIB

    def __post_init__(self) -> None:
        for name in ("processes", "max_documents", "max_resident", "max_shared", "max_decoding"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidRequest(f"{name} of the sandbox is {value}; it must be 1 or more")
        if self.warm < 0:
            raise InvalidRequest(f"warm of the sandbox is {self.warm}; it must be 0 or more")


@dataclass(frozen=True, slots=True)
class SandboxStats:
    """Plain numbers, since the start.

    Attributes:
        documents: taken by a process.
        started: processes.
        recycled: processes replaced because they were worn.
        kills: processes that died or were killed, by reason: crash, deadline, memory, nonsense, abandoned (the caller wanted
            no further page), start (it died without a document).
        processes: alive now.
        waiting: documents that wait for a process now.
        shared_blocks: pages that were not released yet, now.
        shared_bytes: their bytes.
        stale_blocks: removed at the start, of processes that had died.
    """

    documents: int
    started: int
    recycled: int
    kills: Mapping[str, int]
    processes: int
    waiting: int
    shared_blocks: int
    shared_bytes: int
    stale_blocks: int


class Sandbox:
    """A pool of bounded processes that decode one document at a time; thread-safe, blocking."""

    def __init__(self, limits: Limits, options: SandboxOptions, worker: str = WORKER) -> None:
        """Starts `options.warm` processes, and removes shared memory that dead processes of ours left behind.

        Args:
            limits: bounds of each document.
            options: bounds of the pool.
            worker: module that is the other side.

        Raises:
            InvalidRequest: this system has no Unix sockets (Windows).
            EngineUnavailable: no process can be started.
        """
        if sys.platform == "win32":
            raise InvalidRequest("sandboxed decoding needs Linux or macOS")
        self._limits = limits
        self._options = options
        self._blocks = Blocks(options.max_shared, options.max_decoding)
        self._pool = Pool(lambda: SandboxProcess(worker, limits), options.processes or _processors(), self._is_worn)
        self._pool.warm(options.warm)

    @contextlib.contextmanager
    def open(
        self,
        document: BinaryIO,
        *,
        pages: Collection[int] | None = None,
        password: str | None = None,
        text_layer: Literal["auto", "ignore", "only"] = "ignore",
        deadline: float,
    ) -> Iterator[Iterator[SharedPage]]:
        """Pages of a document, as `open_pages` has them, decoded as they are asked for, at most one ahead.

        Nothing happens before the first page is asked for. At the end of the context the work on the document is stopped and
        all its pages are released; before it, `SharedPage.release` frees each.

        Args:
            document: binary file object, read from where it stands, not closed. A real file is not read here at all.
            pages: numbers, from 1; None for all.
            password: of an encrypted PDF.
            text_layer: as in `open_pages`.
            deadline: in time.monotonic(); for everything, waiting for a process included.

        Raises:
            ShiziError: as `open_pages`; besides CorruptDocument where the decoder crashed, DeadlineExceeded,
                OutOfMemory where it took more memory than the limits allow (or pages in flight do), EngineUnavailable where
                no process could be started or the sandbox was closed.
        """
        if text_layer not in ("auto", "ignore", "only"):
            raise InvalidRequest(f"text_layer is {text_layer!r}; allowed are 'auto', 'ignore' and 'only'")
        if not math.isfinite(deadline):
            raise InvalidRequest(f"deadline is {deadline}; give a moment of time.monotonic()")
        wish = Wish(_numbers(pages), password, text_layer, deadline)
        reading = Reading(document, wish, self._limits, self._pool, self._blocks)
        try:
            yield reading
        finally:
            reading.close()

    def bounds(self, timeout_s: float = 30.0) -> Bounds:
        """Which bounds hold on this machine, and which could not be had and why; asks a process, so it may take a moment.

        Raises:
            DeadlineExceeded: none was ready in time.
            EngineUnavailable: none starts.
        """
        return self._pool.bounds(time.monotonic() + timeout_s)

    @property
    def stats(self) -> SandboxStats:
        """Numbers for metrics."""
        pool, blocks = self._pool, self._blocks
        return SandboxStats(
            documents=pool.documents,
            started=pool.started,
            recycled=pool.recycled,
            kills=cast(Mapping[str, int], dict(pool.kills)),
            processes=len(pool.numbers()),
            waiting=pool.waiting,
            shared_blocks=blocks.live,
            shared_bytes=blocks.live_bytes,
            stale_blocks=blocks.removed,
        )

    @property
    def processes(self) -> list[int]:
        """Numbers of the processes that live, for whoever watches them."""
        return self._pool.numbers()

    def close(self) -> None:
        """Ends all processes and releases all pages; documents in work get EngineUnavailable. Harmless when repeated."""
        self._pool.close()
        self._blocks.close()

    def _is_worn(self, process: SandboxProcess) -> bool:
        options = self._options
        return process.documents >= options.max_documents or process.resident > options.max_resident


def _numbers(pages: Collection[int] | None) -> tuple[int, ...] | None:
    if pages is None:
        return None
    wrong = [number for number in pages if isinstance(number, bool) or not isinstance(number, int) or number < 1]
    if wrong or not pages:
        raise InvalidRequest(
            f"pages holds {wrong[0]!r}" if wrong else "pages is empty; give numbers from 1, or None for all"
        )
    return tuple(sorted(set(pages)))


def _processors() -> int:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(count, MOST_PROCESSES)
