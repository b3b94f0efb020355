"""What the parts count, as metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from shizi.serving.reader import SandboxReader

if TYPE_CHECKING:
    from shizi.engine.supervisor import Supervisor
    from shizi.imaging.sandbox import Sandbox

Number = tuple[str, str, Mapping[str, str], float]
_STATES: Final = ("starting", "ready", "restarting", "stopped")


class ReaderNumbers:
    """Documents that wait."""

    def __init__(self, reader: SandboxReader) -> None:
        self._reader = reader

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield "queue_depth", "Documents that wait for their turn.", {}, self._reader.waiting

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield from ()


class EngineNumbers:
    """The state of the engine's process."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        for state in _STATES:
            yield (
                "engine_state",
                "1 for the state that the engine is in.",
                {"state": state},
                self._supervisor.state == state,
            )

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield "engine_restarts", "Engines started because one had died.", {}, self._supervisor.restarts
        yield "engine_replacements", "Engines replaced by another.", {}, self._supervisor.replacements


class SandboxNumbers:
    """The processes that decode."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        stats = self._sandbox.stats
        yield "sandbox_processes", "Processes that decode.", {}, stats.processes
        yield "sandbox_waiting", "Documents that wait for such a process.", {}, stats.waiting
        yield "sandbox_shared_bytes", "Shared memory of pages in flight.", {}, stats.shared_bytes

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        stats = self._sandbox.stats
        yield "sandbox_documents", "Documents that such a process took.", {}, stats.documents
        yield "sandbox_recycled", "Processes replaced because they were worn.", {}, stats.recycled
        for reason, count in stats.kills.items():
            yield "sandbox_kills", "Processes that died or were killed.", {"reason": reason}, count
