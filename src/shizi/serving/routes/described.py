"""Parts of the API's description that FastAPI cannot know, because bodies are taken piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

from shizi.serving.base64_json import NAME
from shizi.serving.problem import MEDIA_TYPE
from shizi.serving.schemas import ProblemBody

READING_ERRORS: Final = (400, 401, 403, 408, 413, 415, 422, 429, 500, 503, 504)
_DOCUMENT: Final = {"type": "string", "format": "binary", "description": "an image or a PDF"}
_BASE64: Final = {
    "type": "string",
    "contentEncoding": "base64",
    "description": "an image or a PDF; may begin with data:image/png;base64,",
}
# The smallest PNG that is one: a single white pixel.
_EXAMPLE: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"
_PROBLEM_EXAMPLE: Final = {
    "type": "urn:shizi:error:UNSUPPORTED_FORMAT",
    "title": "Unsupported format",
    "status": 415,
    "detail": "the first bytes are of no accepted format; JPEG, PNG, WebP, TIFF, BMP and PDF are",
    "code": "UNSUPPORTED_FORMAT",
    "number": 4001,
    "request_id": "5f0c1a9be2d47386",
    "retryable": False,
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route."""
    example = {"example": _PROBLEM_EXAMPLE}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}} | (example if status == 415 else {})
            },
        }
        for status in statuses
    }


def errors_of(form: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The error answers of a dialect."""
    return {status: {"description": HTTPStatus(status).phrase, "model": form} for status in READING_ERRORS}


def header(name: str, pattern: str, description: str) -> dict[str, Any]:
    """The description of a header that may be absent; the framework's own would let it be null."""
    schema = {"type": "string", "pattern": pattern}
    return {
        "parameters": [{"name": name, "in": "header", "required": False, "schema": schema, "description": description}]
    }


def request_body(
    field: str | None, form: type[BaseModel], *, json: bool = True, answers: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The description of a route's body.

    Args:
        field: of the form that holds the document; None where no form is taken.
        form: the other fields.
        json: whether a JSON object is taken.
        answers: description to lay over that of the answers.
    """
    fields = form.model_json_schema()["properties"]
    content: dict[str, Any] = {}
    if field is not None:
        content["multipart/form-data"] = {"schema": _object({field: _DOCUMENT}, fields)}
    if json:
        content["application/json"] = {
            "schema": _object({NAME: _BASE64}, fields),
            "example": {NAME: _EXAMPLE, "languages": "zh,en"},
        }
    return {"requestBody": {"required": True, "content": content}} | (answers or {})


def _object(document: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": document | fields,
        "required": list(document),
        "additionalProperties": False,
    }


def described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The function that makes the description of an app: FastAPI's own, with the problem's schema in it."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = original()
            components = schema.setdefault("components", {}).setdefault("schemas", {})
            components["Problem"] = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
            components.update(components["Problem"].pop("$defs", {}))
            for unused in ("HTTPValidationError", "ValidationError"):
                components.pop(unused, None)
            app.openapi_schema = schema
        return app.openapi_schema

    return openapi
