"""From a document to the answer that a client accepts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from shizi.export import EXPORTERS
from shizi.serving.reading import Asked, while_connected
from shizi.serving.refusals import NotAcceptable
from shizi.serving.results import Result
from shizi.serving.schemas import Format, ReadingForm
from shizi.serving.service import Service

_PIECE: Final = 64 * 1024
_PREVIEW: Final = b'{"preview":true,'


def chosen(form: ReadingForm, accept: str) -> Format:
    """The format that is asked for: by the parameter, else by the header Accept (RFC 9110, section 12.5.1), else JSON.

    Raises:
        NotAcceptable: nothing that the header names is made here.
    """
    if form.format is not None:
        return form.format
    best, best_quality = "", 0.0
    for part in accept.split(",")[:32]:
        pattern, _, parameters = (piece.strip().lower() for piece in part.partition(";"))
        quality = _quality(parameters)
        if quality <= best_quality:
            continue
        name = next((name for name in _BY_PREFERENCE if _matches(pattern, _media_type(name))), "")
        if name:
            best, best_quality = name, quality
    if not accept.strip():
        return "json"
    if not best:
        known = ", ".join(_media_type(name) for name in _BY_PREFERENCE)
        raise NotAcceptable(f"none of the types in Accept is made here; known are {known}")
    return cast(Format, best)


_BY_PREFERENCE: Final = ("json", *(name for name in EXPORTERS if name != "json"))


def _media_type(name: str) -> str:
    return EXPORTERS[name].media_type.partition(";")[0]


def _matches(pattern: str, media_type: str) -> bool:
    kind, _, rest = pattern.partition("/")
    return pattern in ("*/*", media_type) or (rest == "*" and media_type.startswith(f"{kind}/"))


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return min(1.0, float(value))
            except ValueError:
                return 0.0
    return 1.0


async def rendered(
    service: Service, request: Request, asked: Asked, result: Result, name: Format, preview: bool = False
) -> Response:
    """The document of a result in a format.

    Raises:
        ShiziError: it cannot be shown in this format.
    """
    exporter = EXPORTERS[name]
    if name == "json":
        return Response(_PREVIEW + result.json[1:] if preview else result.json, media_type=exporter.media_type)
    document = await service.results.document(result)
    if exporter.needs_original:
        upload = asked.received.upload
        drawing = service.drawings.draw(
            document, name, upload, asked.options.password, asked.deadline, asked.caller.tenant
        )
        drawn = await while_connected(request, drawing)
        return StreamingResponse(pieces(drawn), media_type=exporter.media_type, background=BackgroundTask(drawn.close))
    loop = asyncio.get_running_loop()
    body = await loop.run_in_executor(service.threads, exporter.render, document, None)
    return Response(body, media_type=exporter.media_type)


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """A file as it is sent; closed in the end."""
    with file:
        while piece := file.read(_PIECE):
            yield piece
