"""What the engines of a server count, as metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shizi.serving.engines.local import LocalEngine
from shizi.serving.engines.member import Member
from shizi.serving.engines.pool import Engines
from shizi.serving.numbers import BreakerNumbers, Number

_STATES: Final = ("starting", "ready", "restarting", "unavailable", "refused", "odd", "stopped")


def _batches(member: Member) -> Iterator[Number]:
    engine, run = {"engine": member.source.name}, member.batches
    yield "batches", "Runs of the engine's recogniser.", engine, run.batches
    yield "batch_lines", "Lines in these runs.", engine, run.lines
    for kind, pixels in (("lines", run.pixels), ("padding", run.padding)):
        yield "batch_pixels", "Pixels of width in these runs.", {**engine, "kind": kind}, pixels


class EngineNumbers:
    """Each engine by its name: "local", or its address."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._breakers = [BreakerNumbers(member.source.name, member.breaker) for member in engines.members]

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        for member in self._engines.members:
            name, now = member.source.name, self._engines.state_of(member)
            for state in _STATES:
                labels = {"engine": name, "state": state}
                yield "engine_state", "1 for the state that the engine is in.", labels, now == state
            yield "engine_pages_in_flight", "Pages that the engine has.", {"engine": name}, member.pages
        for model in self._engines.known:
            labels = {"task": model.task, "name": model.name, "version": model.version, "sha256": model.sha256}
            yield "model_info", "1 for each model that pages are read with.", labels, 1
        yield (
            "engine_suspects",
            "Pages that are remembered because an engine died of them, or may have.",
            {},
            len(self._engines.blame),
        )
        for breaker in self._breakers:
            yield from breaker.gauges()

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        for member in self._engines.members:
            for outcome, count in sorted(member.outcomes.items()):
                labels = {"engine": member.source.name, "outcome": outcome}
                yield "engine_pages", "Pages that the engine was given, by what came of them.", labels, count
            yield from _batches(member)
            if isinstance(member.source, LocalEngine):
                supervisor = member.source.supervisor
                yield "engine_restarts", "Engines started because one had died.", {}, supervisor.restarts
                yield "engine_replacements", "Engines replaced by another.", {}, supervisor.replacements
        blame = self._engines.blame
        yield "engine_retries", "Pages that were given to an engine once more.", {}, self._engines.retries
        yield "engine_convicted", "Pages that ended engines that read nothing else.", {}, blame.convicted
        yield "engine_refused", "Times that such a page came again and was refused.", {}, blame.refused
        for breaker in self._breakers:
            yield from breaker.counters()
