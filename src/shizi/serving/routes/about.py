"""What the server says of itself: alive, ready, models, capabilities."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from shizi.errors import EngineUnavailable
from shizi.serving.capabilities import capabilities
from shizi.serving.metrics import MEDIA_TYPE
from shizi.serving.routes.described import problems
from shizi.serving.schemas import ModelsBody, StateBody
from shizi.serving.service import Service


def about_routes(service: Service) -> APIRouter:
    """The router of what every client may know."""
    router = APIRouter(tags=["about"])

    @router.get("/v1/models", summary="The models that read", responses=problems(401, 503))
    async def models(request: Request) -> ModelsBody:
        """Name, version and SHA-256 of each model. Needs no key; one that comes must hold, so that a key can be tried here."""
        await service.gate.known(request)
        return ModelsBody(models=list(await service.engine.models()))

    @router.get("/v1/capabilities", summary="What this server offers, and its limits")
    @router.get("/capabilities", include_in_schema=False)
    async def offered() -> dict[str, Any]:
        """Formats, parameters, dialects and every limit, by the name that errors call it."""
        return capabilities(service.options, service.jobs, service.feedback) | {"engines": service.engine.facts()}

    return router


def health_routes(service: Service) -> APIRouter:
    """The router of what a supervisor asks."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Whether the process is alive")
    async def alive() -> StateBody:
        """200 as long as the process answers at all."""
        return StateBody(status="alive")

    @router.get("/readyz", summary="Whether it may be given work", responses=problems(503))
    async def ready() -> StateBody:
        """200 when the models are warm; 503 while they are loaded or replaced, and as soon as the process was told to end."""
        if service.lifecycle.draining:
            raise EngineUnavailable("draining: this server is about to end", 1.0)
        if service.engine.state != "ready":
            raise EngineUnavailable(f"{service.engine.state}: the models are not ready yet", 1.0)
        return StateBody(status="ready")

    return router


def metrics_routes(service: Service) -> APIRouter:
    """The router of what a monitoring system asks."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def metrics() -> Response:
        """The text format of Prometheus."""
        return Response(service.metrics.render(), media_type=MEDIA_TYPE)

    return router
