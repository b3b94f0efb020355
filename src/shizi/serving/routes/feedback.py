"""`/v1/feedback`: corrections are sent, listed, exported, deleted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shizi.release.correction import as_plain
from shizi.serving.caller import FEEDBACK, Caller
from shizi.serving.feedback import (
    BODY_S,
    EVERY_DOCUMENT,
    MAX_BODY_BYTES,
    CorrectionBody,
    DeletedBody,
    DeleteQuery,
    ExportQuery,
    Feedback,
    KeptBody,
    ListBody,
    ListQuery,
)
from shizi.serving.routes.described import problems
from shizi.serving.service import Service
from shizi.serving.small_body import json_body

_PIECE: Final = 64 * 1024
_EXAMPLE: Final = {
    "document": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "page": 1,
    "line": 3,
    "polygon": [[120.0, 80.0], [410.0, 80.0], [410.0, 112.0], [120.0, 112.0]],
    "original": "Total l20.00",
    "correction": "Total 120.00",
    "model": "ppocrv6-small-rec",
    "model_version": "PP-OCRv6",
}
_KEPT_EXAMPLE: Final = _EXAMPLE | {
    "id": "fb_019a7c1e5b2a4f0e6d8c9b7a5f3e1d2c4b6a8f9e0d1c",
    "editor": "key:4k2m8q0z1x7c",
    "created": "2026-11-21T00:00:00.000Z",
    "crop_bytes": 2345,
}
_READING: Final = (401, 403, 422, 429, 500, 503)
_TYPES: Final = {"jsonl": "application/x-ndjson", "tar": "application/x-tar"}
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_EXPORTED: Final = dict.fromkeys(_TYPES.values(), _BINARY)


class _Export(StreamingResponse):
    """An export that keeps its place and its file until it is sent."""

    def __init__(
        self, place: contextlib.ExitStack, pieces: Iterator[bytes], headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(pieces, headers=headers, media_type=media_type)
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        with self._place:
            await super().__call__(scope, receive, send)


def feedback_routes(service: Service, feedback: Feedback) -> APIRouter:
    """The router of corrections."""
    router = APIRouter(tags=["feedback"])
    _sending(router, service, feedback)
    _listing(router, service, feedback)
    _exporting(router, service, feedback)
    _deleting(router, service, feedback)
    _single(router, service, feedback)
    return router


async def _reader(service: Service, feedback: Feedback, request: Request) -> Caller:
    """Whoever may see the corrections of a tenant."""
    caller = await service.gate.caller(request, FEEDBACK)
    feedback.check_reader(caller)
    return caller


def _listing(router: APIRouter, service: Service, feedback: Feedback) -> None:
    @router.get("/v1/feedback", summary="List corrections", responses=problems(*_READING))
    async def listed(request: Request, query: Annotated[ListQuery, Query()]) -> ListBody:
        """In the order in which they came, those of one's own tenant alone."""
        caller = await _reader(service, feedback, request)
        found = await feedback.run(
            feedback.store.list, caller.tenant, document=query.document, after=query.after or "", limit=query.limit + 1
        )
        shown = [KeptBody.model_validate(as_plain(kept)) for kept in found[: query.limit]]
        return ListBody(corrections=shown, next=shown[-1].id if len(found) > query.limit else None)


def _exporting(router: APIRouter, service: Service, feedback: Feedback) -> None:
    @router.get(
        "/v1/feedback/export",
        summary="Export corrections to train on",
        response_class=Response,
        responses={200: {"description": "The lines, or an archive.", "content": _EXPORTED}, **problems(*_READING)},
    )
    async def export(request: Request, query: Annotated[ExportQuery, Query()]) -> Response:
        """`jsonl`: a line each, with `crop` and `text` first. `tar`: the crops, and the lines as `corrections.jsonl`."""
        caller = await _reader(service, feedback, request)
        with contextlib.ExitStack() as place:
            place.enter_context(feedback.sending(caller.tenant))
            file, size = await feedback.export(caller.tenant, query)
            place.callback(file.close)
            headers = {
                "Content-Length": str(size),
                "Content-Disposition": f'attachment; filename="corrections.{query.format}"',
            }
            return _Export(place.pop_all(), _pieces(file), headers, _TYPES[query.format])


def _deleting(router: APIRouter, service: Service, feedback: Feedback) -> None:
    @router.delete("/v1/feedback", summary="Delete corrections", responses=problems(404, *_READING))
    async def delete_many(request: Request, query: Annotated[DeleteQuery, Query()]) -> DeletedBody:
        """Those of a document, or all of the tenant (`document=all`), with their crops."""
        caller = await _reader(service, feedback, request)
        if query.document == EVERY_DOCUMENT:
            return DeletedBody(deleted=await feedback.run(feedback.store.delete_all, caller.tenant))
        return DeletedBody(deleted=await feedback.run(feedback.store.delete_document, caller.tenant, query.document))


def _sending(router: APIRouter, service: Service, feedback: Feedback) -> None:
    description = CorrectionBody.model_json_schema(ref_template="#/components/schemas/{model}")
    body = {"required": True, "content": {"application/json": {"schema": description, "example": _EXAMPLE}}}

    @router.post(
        "/v1/feedback",
        summary="Correct a line",
        status_code=201,
        responses={
            200: {"description": "The same was sent before, and is kept once.", "model": KeptBody},
            201: {"content": {"application/json": {"example": _KEPT_EXAMPLE}}},
            **problems(400, 408, 409, 413, 415, *_READING),
        },
        openapi_extra={"requestBody": body},
    )
    async def send(request: Request, response: Response) -> KeptBody:
        """Keeps what a line should have been read as. What the same caller sends again is kept once."""
        caller = await service.gate.caller(request, FEEDBACK)
        asked = await json_body(request, CorrectionBody, MAX_BODY_BYTES, BODY_S)
        kept, new = await feedback.run(feedback.store.add, caller.tenant, caller.subject, asked.said(), asked.picture())
        response.status_code = 201 if new else 200
        response.headers["Location"] = f"{request.url.path.rstrip('/')}/{kept.id}"
        return KeptBody.model_validate(as_plain(kept))


def _single(router: APIRouter, service: Service, feedback: Feedback) -> None:
    found: dict[int | str, dict[str, Any]] = problems(404, *_READING)

    @router.get("/v1/feedback/{correction}", summary="One correction", responses=found)
    async def one(request: Request, correction: str) -> KeptBody:
        """As it is kept."""
        caller = await _reader(service, feedback, request)
        kept = await feedback.run(feedback.store.get, caller.tenant, correction)
        return KeptBody.model_validate(as_plain(kept))

    @router.get(
        "/v1/feedback/{correction}/crop",
        summary="The picture of its line",
        response_class=Response,
        responses={200: {"content": {"image/png": _BINARY}}, **found},
    )
    async def crop(request: Request, correction: str) -> Response:
        """A PNG; 404 where the correction came without one."""
        caller = await _reader(service, feedback, request)
        data = await feedback.run(feedback.store.crop, caller.tenant, correction)
        return Response(data, media_type="image/png")

    @router.delete(
        "/v1/feedback/{correction}",
        summary="Delete a correction",
        status_code=204,
        response_class=Response,
        responses=found,
    )
    async def delete(request: Request, correction: str) -> Response:
        """With its crop."""
        caller = await _reader(service, feedback, request)
        await feedback.run(feedback.store.delete, caller.tenant, correction)
        return Response(status_code=204)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
