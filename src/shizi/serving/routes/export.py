"""`POST /v1/export` and `POST /v1/render`: what was read before in another form, and pages as pictures."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from shizi.export import EXPORTERS, to_dict
from shizi.export.base import Exporter
from shizi.serving.answers import pieces
from shizi.serving.caller import OCR
from shizi.serving.drawing import Made, Order
from shizi.serving.export_schemas import (
    MOST_DOCUMENT_BYTES,
    MOST_EDITS_BYTES,
    ExportForm,
    RenderForm,
    checked,
    edits_schema,
)
from shizi.serving.job_schemas import NoQuery
from shizi.serving.parts import Parts, receive_parts
from shizi.serving.reading import allowed_s, while_connected
from shizi.serving.refusals import InvalidParameters
from shizi.serving.routes.described import READING_ERRORS, problems, request_body
from shizi.serving.service import Service
from shizi.serving.trace import trace_of
from shizi.serving.uploads import Upload, receive
from shizi.types import Document, Line, Page

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_TYPES: Final = {exporter.media_type.partition(";")[0]: _BINARY for exporter in EXPORTERS.values()}
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff"*/:<>?\\|]+')
_CORNERS: Final = ((120.0, 80.0), (410.0, 80.0), (410.0, 112.0), (120.0, 112.0))
_EXAMPLE: Final = Document((Page(1, 1240, 1754, lines=(Line("Total l20.00", 0.83, _CORNERS),), text="Total l20.00"),))
_EDITS_EXAMPLE: Final = [
    {"page": 1, "line": 1, "text": "Total 120.00"},
    {
        "page": 1,
        "line": None,
        "after": 1,
        "polygon": [[120, 140], [300, 140], [300, 172], [120, 172]],
        "text": "Thank you",
    },
]


def _measure(said: str) -> dict[str, Any]:
    return {"description": said, "schema": {"type": "integer", "minimum": 1}}


_HEADERS: Final = {
    "X-Page-Width": _measure("pixels of the page as it is read"),
    "X-Page-Height": _measure("pixels of the page as it is read"),
    "X-Pages": _measure("pages of the document"),
}


def export_routes(service: Service) -> APIRouter:
    """The router of both."""
    router = APIRouter(tags=["read"])

    @router.post(
        "/v1/export",
        summary="A document that was read, in another format",
        response_class=Response,
        responses={200: {"description": "The file.", "content": _TYPES}, **problems(*READING_ERRORS)},
        openapi_extra=_export_body(),
    )
    async def export(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
        """With the corrections of a person in it. Nothing is read again, and nothing is kept."""
        caller = await service.gate.caller(request, OCR)
        limits = service.options.uploads
        most = {"document": MOST_DOCUMENT_BYTES, "edits": MOST_EDITS_BYTES, "file": limits.max_bytes}
        with await receive_parts(request, "document", most, limits, service.threads) as parts:
            _trace(request, parts.uploads)
            form = checked(parts.fields, ExportForm)
            order = _export_order(form, parts, caller.tenant)
            made = await _made(service, request, order, form.timeout)
        exporter = EXPORTERS[form.format]
        return _file(made, exporter.media_type, {"Content-Disposition": _disposition(form.name, exporter)})

    @router.post(
        "/v1/render",
        summary="A page as a picture",
        response_class=Response,
        responses={
            200: {
                "description": "The picture.",
                "content": {"image/jpeg": _BINARY, "image/png": _BINARY},
                "headers": _HEADERS,
            },
            **problems(*READING_ERRORS),
        },
        openapi_extra=request_body("file", RenderForm),
    )
    async def render(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
        """Upright, in the pixels that coordinates of the document are in or fewer: for formats that browsers do not show."""
        caller = await service.gate.caller(request, OCR)
        received = await receive(request, "file", service.options.uploads, service.threads)
        with received.upload as upload:
            _trace(request, {"file": upload})
            form = checked(received.fields, RenderForm)
            said: dict[str, object] = {"page": form.page, "longest_side": form.longest_side, "picture": form.picture}
            said |= {"password": _password(form)}
            order = Order("page", "picture", {"file": upload}, said, caller.tenant)
            made = await _made(service, request, order, form.timeout)
        headers = {name: str(made.facts[name.rpartition("-")[2].lower()]) for name in _HEADERS}
        return _file(made, f"image/{form.picture}", headers)

    return router


def _export_order(form: ExportForm, parts: Parts, tenant: str) -> Order:
    exporter = EXPORTERS[form.format]
    if exporter.needs_original and "file" not in parts.uploads:
        raise InvalidParameters([("file", f"is missing: the format {form.format} shows the pages of the original")])
    used = {name: upload for name, upload in parts.uploads.items() if name != "file" or exporter.needs_original}
    return Order("export", form.format, used, {"format": form.format, "password": _password(form)}, tenant)


def _password(form: ExportForm | RenderForm) -> str | None:
    return None if form.password is None else form.password.get_secret_value()


def _trace(request: Request, uploads: Mapping[str, Upload]) -> None:
    trace = trace_of(request.scope)
    trace.upload_bytes = sum(upload.size for upload in uploads.values())
    if "file" in uploads:
        trace.sha256 = uploads["file"].sha256[:12]


async def _made(service: Service, request: Request, order: Order, timeout: float | None) -> Made:
    service.metrics.upload_bytes.observe(trace_of(request.scope).upload_bytes)
    deadline = time.monotonic() + allowed_s(service, timeout)
    return await while_connected(request, service.drawings.make(order, deadline))


def _file(made: Made, media_type: str, headers: Mapping[str, str]) -> Response:
    whole = {"Content-Length": str(made.size), **headers}
    done = BackgroundTask(made.file.close)
    return StreamingResponse(pieces(made.file), headers=whole, media_type=media_type, background=done)


def _disposition(name: str | None, exporter: Exporter) -> str:
    """The header by which a browser saves the answer (RFC 6266); names are never paths, and never hidden files."""
    stem = _UNSAFE.sub(" ", name or "").strip(" .")
    stem = stem.removesuffix(exporter.extension).strip(" .") or "document"
    file = f"{stem}{exporter.extension}"
    return f"attachment; filename=\"document{exporter.extension}\"; filename*=UTF-8''{quote(file, safe='')}"


def _export_body() -> dict[str, Any]:
    """The description of the form, with its large fields."""
    fields = ExportForm.model_json_schema()["properties"]
    document = {"$ref": "#/components/schemas/DocumentBody"}
    file = {"type": "string", "format": "binary", "description": "the original; looked at for pdf and annotated only"}
    schema = {
        "type": "object",
        "properties": {"document": document, "edits": edits_schema(), "file": file, **fields},
        "required": ["document", "format"],
        "additionalProperties": False,
    }
    example = {"document": to_dict(_EXAMPLE), "edits": _EDITS_EXAMPLE, "format": "text", "name": "发票 2026"}
    encoding = {name: {"contentType": "application/json"} for name in ("document", "edits")}
    content = {"multipart/form-data": {"schema": schema, "encoding": encoding, "example": example}}
    return {"requestBody": {"required": True, "content": content}}
