"""The parts of a running service, made once; requests change none of them."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

from structlog.typing import FilteringBoundLogger

from shizi.serving.drawing import Drawings
from shizi.serving.feedback import Feedback
from shizi.serving.gate import Gate
from shizi.serving.jobs import Jobs
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.metrics import Metrics
from shizi.serving.options import ServiceOptions
from shizi.serving.results import Results
from shizi.types import ModelInfo


class Models(Protocol):
    """What the service asks of engines beside reading."""

    @property
    def state(self) -> str:
        """In a word: ready, or why not."""
        ...

    def facts(self) -> list[dict[str, Any]]:
        """Which engine is in which state, for clients."""
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """Raises EngineUnavailable where none is ready."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """See the modules of the parts."""

    options: ServiceOptions
    results: Results
    engine: Models
    gate: Gate
    drawings: Drawings
    metrics: Metrics
    log: FilteringBoundLogger
    lifecycle: Lifecycle
    threads: Executor
    feedback: Feedback | None = None
    jobs: Jobs | None = None
