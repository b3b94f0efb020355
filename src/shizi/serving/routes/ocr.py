"""`POST /v1/ocr` and `POST /v1/preview`."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from shizi.export import EXPORTERS
from shizi.serving.answers import chosen, rendered
from shizi.serving.reading import asked_of, read
from shizi.serving.routes.described import READING_ERRORS, problems, request_body
from shizi.serving.schemas import DocumentBody, ReadingForm, ReadingQuery, check_format
from shizi.serving.service import Service

_TYPES: Final = {exporter.media_type.partition(";")[0] for exporter in EXPORTERS.values()} - {"application/json"}
_OTHERS: Final[dict[str, Any]] = {
    media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in sorted(_TYPES)
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "What was read, in the form that was asked for.", "content": _OTHERS},
    **problems(406, *READING_ERRORS),
}


def ocr_routes(service: Service) -> APIRouter:
    """The router of the main addresses."""
    router = APIRouter(tags=["read"])

    async def answer(request: Request, query: ReadingQuery, longest_side: int | None) -> Response:
        async with asked_of(service, request, "file", query, ReadingForm) as asked:
            form = ReadingForm.model_validate(asked.form.model_dump(exclude_unset=True))
            name = chosen(form, request.headers.get("accept", ""))
            check_format(form.recognize, name)
            result = await read(service, request, asked, longest_side)
            return await rendered(service, request, asked, result, name, preview=longest_side is not None)

    @router.post(
        "/v1/ocr",
        summary="Read a document",
        response_class=Response,
        responses={**_ANSWERS, 200: _ANSWERS[200] | {"model": DocumentBody}},
        openapi_extra=request_body("file", ReadingForm),
    )
    async def ocr(request: Request, query: Annotated[ReadingQuery, Query()]) -> Response:
        """Reads an image (JPEG, PNG, WebP, TIFF, BMP) or a PDF; its first bytes say which it is."""
        return await answer(request, query, None)

    @router.post(
        "/v1/preview",
        summary="Read a document quickly",
        response_class=Response,
        responses={**_ANSWERS, 200: _ANSWERS[200] | {"model": DocumentBody}},
        openapi_extra=request_body("file", ReadingForm),
    )
    async def preview(request: Request, query: Annotated[ReadingQuery, Query()]) -> Response:
        """The same on pages that are made smaller first: sooner, but small print may be missing. Its JSON has `preview: true`."""
        return await answer(request, query, service.options.preview_side)

    return router
