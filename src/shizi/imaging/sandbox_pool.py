"""The processes that decode: started when they are needed, lent to one document at a time, replaced when they are worn."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable

from shizi.errors import DeadlineExceeded, EngineUnavailable
from shizi.imaging.sandbox_budget import Budget, ClosedError
from shizi.imaging.sandbox_death import GoneError, Reason
from shizi.imaging.sandbox_process import Bounds, SandboxProcess


class Pool:
    """Thread-safe; whoever waits longest is served first."""

    def __init__(
        self, start: Callable[[], SandboxProcess], size: int, is_worn: Callable[[SandboxProcess], bool]
    ) -> None:
        """Starts nothing yet.

        Args:
            start: gives a new process, without waiting for it.
            size: most processes at once.
            is_worn: whether a process that did its work is to be replaced.
        """
        self.kills: Counter[Reason] = Counter()
        self.documents = 0
        self.recycled = 0
        self.started = 0
        self._start = start
        self._is_worn = is_worn
        self._slots = Budget(size)
        self._lock = threading.Lock()
        self._all: set[SandboxProcess] = set()
        self._idle: list[SandboxProcess] = []
        self._closed = False

    def warm(self, count: int) -> None:
        """Starts so many processes now, as far as the pool's size goes."""
        for _ in range(min(count, self._slots.limit) - len(self._all)):
            self._idle.append(self._new())

    def take(self, deadline: float) -> SandboxProcess:
        """A process that nobody else uses, perhaps still starting; to be given to `back` or `lose`.

        Raises:
            DeadlineExceeded: none was free before the deadline.
            EngineUnavailable: the pool is closed, or no process can be started.
        """
        try:
            self._slots.take(1, deadline)
        except TimeoutError:
            message = f"none of the {self._slots.limit} processes that decode was free before the deadline"
            raise DeadlineExceeded(f"{message}: try again, or allow more processes") from None
        except ClosedError:
            raise _closed() from None
        try:
            return self._idle_one() or self._new()
        except BaseException:
            self._slots.give(1)
            raise

    @property
    def waiting(self) -> int:
        """How many wait for a process."""
        return self._slots.waiting

    def count_document(self) -> None:
        """One more was taken by a process."""
        with self._lock:
            self.documents += 1

    def back(self, process: SandboxProcess) -> None:
        """It has finished a document; a worn one is replaced, so that the next document finds one that is ready."""
        is_worn = self._is_worn(process)
        with self._lock:
            keep = not is_worn and not self._closed
            self.recycled += is_worn
            if keep:
                self._idle.append(process)
        if not keep:
            self._replace(process)
        self._slots.give(1)

    def lose(self, process: SandboxProcess, reason: Reason) -> None:
        """It died or must; it is replaced."""
        with self._lock:
            self.kills[reason] += 1
        self._replace(process)
        self._slots.give(1)

    def bounds(self, deadline: float) -> Bounds:
        """What holds in its processes.

        Raises:
            DeadlineExceeded: none was ready before the deadline.
            EngineUnavailable: none starts.
        """
        process = self.take(deadline)
        try:
            is_ready = process.wait_until_ready(deadline)
        except GoneError as gone:
            self.lose(process, gone.reason)
            raise gone.error from gone
        bounds = process.bounds
        self.back(process)
        if not is_ready or bounds is None:
            raise DeadlineExceeded("no process for decoding was ready before the deadline: allow more time")
        return bounds

    def close(self) -> None:
        """Ends all processes; those at work are killed, and whoever waits for their answer is told."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
        self._slots.close()
        for process in busy:
            process.kill()
        for process in idle:
            self._forget(process)

    def numbers(self) -> list[int]:
        """Of the processes that live."""
        with self._lock:
            return sorted(process.number for process in self._all)

    def _idle_one(self) -> SandboxProcess | None:
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None or process.is_alive():
                return process
            with self._lock:
                self.kills["start"] += 1
            self._forget(process)

    def _new(self) -> SandboxProcess:
        with self._lock:  # held while it starts (a few ms), so that `close` misses none
            if self._closed:
                raise _closed()
            process = self._start()
            self._all.add(process)
            self.started += 1
            return process

    def _replace(self, process: SandboxProcess) -> None:
        self._forget(process)
        with contextlib.suppress(EngineUnavailable):  # whoever needs one will be told
            fresh = self._new()
            with self._lock:
                if not self._closed:
                    self._idle.append(fresh)
                    return
            self._forget(fresh)

    def _forget(self, process: SandboxProcess) -> None:
        process.end(at_once=True)
        with self._lock:
            self._all.discard(process)


def _closed() -> EngineUnavailable:
    return EngineUnavailable("the sandbox is closed: the program is ending")
