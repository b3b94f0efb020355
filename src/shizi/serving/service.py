"""The parts of a running service, made once; requests change none of them."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from shizi.serving.drawing import Drawings
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.metrics import Metrics
from shizi.serving.options import ServiceOptions
from shizi.serving.reader import DocumentReader, Engine


@dataclass(frozen=True, slots=True)
class Service:
    """See the modules of the parts."""

    options: ServiceOptions
    reader: DocumentReader
    engine: Engine
    drawings: Drawings
    metrics: Metrics
    log: FilteringBoundLogger
    lifecycle: Lifecycle
    threads: Executor
