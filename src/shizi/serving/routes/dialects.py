"""For programs that speak other dialects: `POST /api/v1/ocr` and `POST /ocr`. Their errors have their own form, too."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from shizi.serving.problem import Form, Problem
from shizi.serving.reading import asked_of, read
from shizi.serving.routes.described import errors_of, request_body
from shizi.serving.schemas import DialectForm, NestedErrorBody, Reading, SimpleBody, SimpleErrorBody
from shizi.serving.service import Service
from shizi.types import Document

SIMPLE: Final = "/api/v1/ocr"
NESTED: Final = "/ocr"
_NESTED_EXAMPLE: Final = [[[[[12.0, 8.0], [96.0, 8.0], [96.0, 30.0], [12.0, 30.0]], ["识字", 0.98]]]]


def _simple_error(problem: Problem) -> Mapping[str, Any]:
    return {"status": "error", "text": [], "time_cost": 0.0, "message": problem["detail"]} | _numbers(problem)


def _nested_error(problem: Problem) -> Mapping[str, Any]:
    return {"error": problem["detail"]} | _numbers(problem)


def _numbers(problem: Problem) -> dict[str, Any]:
    names = ("code", "number", "request_id", "retry_after")
    return {name: problem[name] for name in names if name in problem}


FORMS: Final[Mapping[str, Form]] = {SIMPLE: _simple_error, NESTED: _nested_error}


def dialect_routes(service: Service) -> APIRouter:
    """The router of the dialects."""
    router = APIRouter(tags=["dialects"])

    @router.post(
        SIMPLE,
        summary="Read an image: status, text, time_cost",
        response_class=Response,
        responses={200: {"description": "The lines.", "model": SimpleBody}, **errors_of(SimpleErrorBody)},
        openapi_extra=request_body(None, DialectForm),
    )
    async def simple(request: Request, query: Annotated[Reading, Query()]) -> Response:
        """Takes `{"image_base64": …}`; answers the lines as texts. Errors have `status: error` and a message."""
        start = time.perf_counter()
        async with asked_of(service, request, "file", query, DialectForm) as asked:
            document = await service.results.document(await read(service, request, asked))
        lines = [line.text for page in document.pages for line in page.lines]
        return _json({"status": "success", "text": lines, "time_cost": round(time.perf_counter() - start, 4)})

    @router.post(
        NESTED,
        summary="Read an image: the nested list of PaddleOCR",
        response_class=Response,
        responses={
            200: {
                "description": "For each page its lines, each as [four corners, [text, score]].",
                "content": {"application/json": {"schema": {"type": "array"}, "example": _NESTED_EXAMPLE}},
            },
            **errors_of(NestedErrorBody),
        },
        openapi_extra=request_body("image", DialectForm),
    )
    async def nested(request: Request, query: Annotated[Reading, Query()]) -> Response:
        """Takes a form with the field `image`. Errors are an object with `error` and `code`."""
        async with asked_of(service, request, "image", query, DialectForm) as asked:
            document = await service.results.document(await read(service, request, asked))
        return _json(_nested(document))

    return router


def _nested(document: Document) -> list[Any]:
    return [
        [
            [[[round(x, 2), round(y, 2)] for x, y in line.polygon], [line.text, round(line.score, 4)]]
            for line in page.lines
        ]
        for page in document.pages
    ]


def _json(value: object) -> Response:
    body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    return Response(body, media_type="application/json")
