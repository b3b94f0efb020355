"""Small JSON bodies, taken whole within bounds."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from shizi.errors import ImageTooLarge
from shizi.serving.problem import faults
from shizi.serving.refusals import BadRequest, UploadTooSlow, WrongMediaType
from shizi.serving.strictjson import strict_json

M = TypeVar("M", bound=BaseModel)


async def json_body(request: Request, model: type[M], most: int, seconds: float) -> M:
    """The body of a request.

    Args:
        request: whose body was not touched yet.
        model: what it must be.
        most: bytes.
        seconds: from its first to its last byte.

    Raises:
        UnsupportedFormat: it does not say that it is JSON.
        ImageTooLarge: over its bound.
        UploadTooSlow: it took too long.
        InvalidRequest: it is no JSON, or not what is expected.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise WrongMediaType("the body must be JSON (Content-Type: application/json)")
    body = await _taken(request, most, seconds)
    try:
        strict_json(body)
    except ValueError as error:
        raise BadRequest(f"the body is no JSON: {error}") from None
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise faults(error.errors(include_url=False, include_input=False, include_context=False)) from None


async def _taken(request: Request, most: int, seconds: float) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise ImageTooLarge(f"the body has more than {most} bytes, the limit here")
    except TimeoutError:
        raise UploadTooSlow(f"the body took longer than {seconds:g} s: send it faster") from None
    return bytes(body)
