"""The application: which parts answer which address, and nothing else."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from shizi.errors import ShiziError
from shizi.serving.middleware import CLIENT_GONE, Lingering, Observed
from shizi.serving.problem import Problems
from shizi.serving.refusals import MethodNotAllowed
from shizi.serving.routes.about import about_routes, health_routes, metrics_routes
from shizi.serving.routes.described import described
from shizi.serving.routes.dialects import FORMS, dialect_routes
from shizi.serving.routes.export import export_routes
from shizi.serving.routes.feedback import feedback_routes
from shizi.serving.routes.job_results import job_result_routes
from shizi.serving.routes.jobs import job_routes
from shizi.serving.routes.ocr import ocr_routes
from shizi.serving.routes.site import site_routes
from shizi.serving.service import Service

_DESCRIPTION: Final = (
    "Reads text from images and PDFs. Errors are problem+json (RFC 9457) with a stable code and number."
)


def public_app(service: Service) -> ASGIApp:
    """What clients may reach."""
    options = service.options
    routers = _routers(service)
    if not options.internal_apart:
        routers.append(metrics_routes(service))
    if options.ui is not None:
        routers.append(site_routes(options.ui))
    return _around(_app(service, routers, options.docs and not options.internal_apart), service)


def internal_app(service: Service) -> ASGIApp:
    """What only the operator may reach: metrics, health, and the description of the public application."""
    app = _app(service, [health_routes(service), metrics_routes(service)], docs=False)
    if service.options.docs:
        made = functools.cache(lambda: description(service))

        @app.get("/openapi.json", include_in_schema=False)
        def openapi() -> dict[str, Any]:
            return made()

    return _around(app, service)


def description(service: Service) -> dict[str, Any]:
    """What clients may ask, as OpenAPI; no part of the service is asked for it."""
    return _app(service, _routers(service), docs=True).openapi()


def _routers(service: Service) -> list[APIRouter]:
    """What clients may reach, but for metrics."""
    routers = [
        ocr_routes(service),
        export_routes(service),
        dialect_routes(service),
        about_routes(service),
        health_routes(service),
    ]
    if service.feedback is not None:
        routers.append(feedback_routes(service, service.feedback))
    if service.jobs is not None:
        routers += [job_routes(service, service.jobs), job_result_routes(service, service.jobs)]
    return routers


def _app(service: Service, routers: Sequence[APIRouter], docs: bool) -> FastAPI:
    app = FastAPI(
        title="shizi",
        version=service.options.version,
        description=_DESCRIPTION,
        openapi_url="/openapi.json" if docs else None,
        docs_url=None,  # FastAPI's page loads its scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.openapi = described(app)  # type: ignore[method-assign]
    problems = Problems(FORMS)

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return problems.answer(request, MethodNotAllowed(_allowed([app.router, *routers], request)))
        return problems.answer(request, error)

    async def nobody(_request: Request, _error: Exception) -> Response:
        return Response(status_code=CLIENT_GONE)

    app.add_exception_handler(ClientDisconnect, nobody)
    for kind in (ShiziError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)
    for router in routers:
        app.include_router(router)
    return app


def _allowed(routers: Sequence[APIRouter], request: Request) -> str:
    """The methods of an address; the framework names only those of the first route that it finds."""
    routes = [route for router in routers for route in router.routes if isinstance(route, Route)]
    found = [route for route in routes if route.matches(request.scope)[0] is Match.PARTIAL]
    # /v1/feedback/export is an address of its own, though /v1/feedback/{correction} would match it as well
    methods = [route.methods or set() for route in found if route.path == found[0].path]
    return ", ".join(sorted(set().union(*methods)))


def _around(app: FastAPI, service: Service) -> ASGIApp:
    lingering = Lingering(app, service.options)
    return Observed(lingering, Problems(FORMS), service.metrics, service.log, service.lifecycle)
