"""What a worker says of itself over HTTP, on an internal address alone: alive, ready, metrics."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from structlog.typing import FilteringBoundLogger

from shizi.database.connect import Database
from shizi.errors import EngineUnavailable, ShiziError, StorageUnavailable
from shizi.serving.engines.pool import Engines
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.metrics import MEDIA_TYPE, Metrics
from shizi.serving.middleware import Observed
from shizi.serving.problem import Problems

_PATIENCE_S: Final = 1.0


class DatabaseProbe:
    """Whether the database answers; belongs to one event loop.

    However many ask, and however long it is silent, one question at a time waits for it.
    """

    def __init__(self, database: Database, patience_s: float = _PATIENCE_S) -> None:
        self._database, self._patience_s = database, patience_s
        self._asked: asyncio.Future[bool] | None = None

    async def answers(self) -> bool:
        """Whether it did within a second."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.ensure_future(asyncio.to_thread(self._ask))
        done, _ = await asyncio.wait((self._asked,), timeout=self._patience_s)
        return any(future.result() for future in done)

    def _ask(self) -> bool:
        try:
            with self._database.read() as connection:
                connection.execute(sa.text("SELECT 1"))
        except StorageUnavailable:
            return False
        return True


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What the answers are made of."""

    engines: Engines
    database: DatabaseProbe
    lifecycle: Lifecycle
    metrics: Metrics
    log: FilteringBoundLogger


def worker_app(parts: WorkerParts) -> ASGIApp:
    """The application."""
    problems = Problems({})

    async def alive(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(_request: Request) -> Response:
        if parts.lifecycle.draining:
            raise EngineUnavailable("draining: this worker is about to end", 1.0)
        if parts.engines.state != "ready":
            raise EngineUnavailable(f"{parts.engines.state}: the models are not ready yet", 1.0)
        if not await parts.database.answers():
            raise StorageUnavailable("the database of the jobs does not answer", 1.0)
        return JSONResponse({"status": "ready"})

    def metrics(_request: Request) -> Response:
        return Response(parts.metrics.render(), media_type=MEDIA_TYPE)

    async def answer(request: Request, error: Exception) -> Response:
        return problems.answer(request, error)

    routes = [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]
    app = Starlette(routes=routes, exception_handlers={ShiziError: answer, HTTPException: answer})
    return Observed(app, problems, parts.metrics, parts.log, parts.lifecycle)
