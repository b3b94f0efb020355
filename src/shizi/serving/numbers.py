"""What the parts count, as metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from shizi.serving.admission import Admission
from shizi.serving.breaker import Breaker
from shizi.serving.cache import ResultCache
from shizi.serving.cache_memory import MemoryBackend
from shizi.serving.cache_redis import RedisBackend
from shizi.serving.ratelimit import RateLimiter
from shizi.serving.reader import SandboxReader

if TYPE_CHECKING:
    from shizi.imaging.sandbox import Sandbox

Number = tuple[str, str, Mapping[str, str], float]


class ReaderNumbers:
    """Documents that wait."""

    def __init__(self, reader: SandboxReader) -> None:
        self._reader = reader

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield "queue_depth", "Documents that wait for their turn.", {}, self._reader.waiting

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        for stage, count in self._reader.missed.items():
            yield "missed", "Deadlines that passed, by the stage that a document was in.", {"reason": stage}, count


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


class AdmissionNumbers:
    """Who was let in."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield "admitted_requests", "Requests that were let in and are not done.", {}, self._admission.requests
        yield "admitted_bytes", "Bytes of their documents.", {}, self._admission.bytes
        yield "backlog_seconds", "Seconds until all of them are likely to be done.", {}, self._admission.backlog_seconds

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        for reason, count in self._admission.refused.items():
            yield "shed", "Requests refused because there was too much to do.", {"reason": reason}, count


class BreakerNumbers:
    """Whether an engine is left alone."""

    def __init__(self, engine: str, breaker: Breaker) -> None:
        self._engine = engine
        self._breaker = breaker

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        for state in ("closed", "open", "half-open"):
            labels = {"engine": self._engine, "state": state}
            yield "breaker_state", "1 for the state that the breaker is in.", labels, self._breaker.state == state

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        labels = {"engine": self._engine}
        yield "breaker_opened", "How often the breaker opened.", labels, self._breaker.opened
        yield "breaker_refused", "Calls that it refused.", labels, self._breaker.refused


class CacheNumbers:
    """What is kept."""

    def __init__(self, cache: ResultCache, kept: MemoryBackend | RedisBackend) -> None:
        self._cache = cache
        self._kept = kept

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield "cache_bytes", "Bytes of the results that are kept.", {}, self._kept.bytes
        if isinstance(self._kept, RedisBackend):
            left_alone = self._kept.breaker.state != "closed"
            yield "cache_storage_left_alone", "1 while the storage of results fails.", {}, left_alone

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        for outcome, count in self._cache.outcomes.items():
            yield "cache_requests", "Requests by what came of them.", {"outcome": outcome}, count
        yield "cache_evicted", "Results that made room or were too old.", {}, self._kept.evicted
        if isinstance(self._kept, RedisBackend):
            yield "cache_storage_failures", "Questions that their storage did not answer.", {}, self._kept.failures


class RateNumbers:
    """Where requests are counted."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield "rate_storage_left_alone", "1 while this server counts rates alone.", {}, self._limiter.alone

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield "rate_storage_failures", "Counts that the shared storage did not answer.", {}, self._limiter.failures
