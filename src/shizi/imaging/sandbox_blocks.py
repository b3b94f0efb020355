"""Shared memory of all pages in flight, bounded; and a bound on how much memory decoding takes at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from shizi.errors import EngineUnavailable, OutOfMemory
from shizi.imaging.sandbox_budget import Budget, ClosedError
from shizi.imaging.shared import Block, SharedPixels, new_name, remove_stale

MIB = 2**20


class Blocks:
    """The blocks of one sandbox; thread-safe."""

    def __init__(self, max_shared: int, max_decoding: int) -> None:
        """Removes what earlier processes left behind.

        Args:
            max_shared: bytes of all blocks that were not released yet.
            max_decoding: bytes that all images may take while they are decoded, by the estimate from their headers.
        """
        self._shared = Budget(max_shared)
        self._decoding = Budget(max_decoding)
        self._lock = threading.Lock()
        self._live: set[Block] = set()
        self.removed = remove_stale()

    @property
    def live(self) -> int:
        """Blocks that were not released yet."""
        with self._lock:
            return len(self._live)

    @property
    def live_bytes(self) -> int:
        """Their bytes."""
        return self._shared.used

    def make(self, height: int, width: int, deadline: float) -> Block:
        """A new block, when there is room for it.

        Raises:
            OutOfMemory: there was none until the deadline, or there never can be.
            EngineUnavailable: `close` was called.
        """
        pixels = SharedPixels(new_name(), height, width)
        self._take(self._shared, pixels.size, deadline, "max_shared")
        try:
            block = Block(pixels, self._shared.give)
        except BaseException:
            self._shared.give(pixels.size)
            raise
        with self._lock:
            self._live.add(block)
        return block

    def release(self, block: Block) -> None:
        """Harmless when repeated."""
        block.release()
        with self._lock:
            self._live.discard(block)

    @contextlib.contextmanager
    def decoding(self, memory: int, deadline: float) -> Iterator[None]:
        """Held while an image is decoded that takes so many bytes; one that takes more than all may is decoded alone.

        Raises:
            OutOfMemory: its turn did not come before the deadline.
            EngineUnavailable: `close` was called.
        """
        memory = min(memory, self._decoding.limit)
        self._take(self._decoding, memory, deadline, "max_decoding")
        try:
            yield
        finally:
            self._decoding.give(memory)

    def close(self) -> None:
        """Ends all waiting and releases all blocks."""
        self._shared.close()
        self._decoding.close()
        with self._lock:
            live = list(self._live)
        for block in live:
            self.release(block)

    def _take(self, budget: Budget, size: int, deadline: float, limit: str) -> None:
        try:
            budget.take(size, deadline)
        except TimeoutError:
            raise OutOfMemory(
                f"{size / MIB:.0f} MiB for a page were not free before the deadline; all pages in flight may take "
                f"{budget.limit / MIB:.0f} MiB ({limit}): try again later, or raise the limit"
            ) from None
        except ClosedError:
            raise EngineUnavailable("the sandbox is closed: the program is ending") from None
