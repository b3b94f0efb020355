"""Errors as HTTP answers: RFC 9457 problem details, or the form of a foreign dialect."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shizi.errors import Forbidden, NotFound, ShiziError, StorageUnavailable, TryLater, Unauthenticated
from shizi.serving.refusals import BadRequest, InvalidParameters, MethodNotAllowed
from shizi.serving.trace import trace_of

MEDIA_TYPE: Final = "application/problem+json"
Problem = dict[str, Any]
# The body of an error, from its problem: dialects have their own.
Form = Callable[[Problem], Mapping[str, Any]]

# Its own words name machines and folders, for the operator's log.
_AWAY: Final = "the server cannot keep or find anything now: try again later"
_BUG: Final = "an unexpected error: this is a bug; the log of the server has more under this request_id"


@dataclass(frozen=True, slots=True)
class Problems:
    """Makes the answers of errors.

    Attributes:
        forms: route → form of its error bodies, where it is not a problem of RFC 9457.
    """

    forms: Mapping[str, Form]

    def answer(self, request: Request, error: Exception) -> Response:
        """The answer of any exception; one that is none of ours says nothing of itself."""
        known = as_shizi(error)
        trace = trace_of(request.scope)
        trace.code = known.code
        form = self.forms.get(request.scope["path"])
        body = problem(known, trace.request_id)
        if form is None:
            return _response(known, body, MEDIA_TYPE)
        return _response(known, form(body), "application/json")


def problem(error: ShiziError, request_id: str) -> Problem:
    """The members of the problem, in the order in which people read them."""
    body: Problem = {
        "type": f"urn:shizi:error:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.http_status,
        "detail": _AWAY if isinstance(error, StorageUnavailable) else str(error),
        "code": error.code,
        "number": error.number,
        "request_id": request_id,
        "retryable": error.retryable,
    }
    if isinstance(error, InvalidParameters):
        body["parameters"] = [{"name": name, "detail": said} for name, said in error.faults]
    if isinstance(error, TryLater) and error.retry_after is not None:
        body["retry_after"] = _seconds(error.retry_after)
    return body


def as_shizi(error: Exception) -> ShiziError:
    """The error of ours that stands for any exception."""
    if isinstance(error, ShiziError):
        return error
    if isinstance(error, RequestValidationError):
        return InvalidParameters([_fault(entry) for entry in error.errors()])
    if isinstance(error, HTTPException):
        return _from_framework(error)
    return ShiziError(_BUG)


def faults(errors: Sequence[Mapping[str, Any]]) -> InvalidParameters:
    """The error for what pydantic found wrong in parameters of ours."""
    return InvalidParameters([_fault(entry) for entry in errors])


def _fault(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Name and message; never the value, which may be a password."""
    where = [str(part) for part in entry["loc"] if part not in ("query", "body", "path", "header")]
    if entry["type"] == "extra_forbidden":
        return ".".join(where)[:80], "is unknown; /v1/capabilities and /openapi.json list what there is"
    return ".".join(where)[:80], str(entry["msg"])


def _from_framework(error: HTTPException) -> ShiziError:
    if error.status_code == 404:
        return NotFound("there is nothing at this address; /openapi.json lists what there is")
    if error.status_code == 405:
        return MethodNotAllowed((error.headers or {}).get("Allow", "others"))
    if error.status_code in (401, 403):
        return (Unauthenticated if error.status_code == 401 else Forbidden)(str(error.detail))
    return BadRequest("the request cannot be understood") if error.status_code < 500 else ShiziError(_BUG)


def _response(error: ShiziError, body: Mapping[str, Any], media_type: str) -> Response:
    response = Response(
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"),
        error.http_status,
        media_type=media_type,
        headers={"Cache-Control": "no-store"},
    )
    if isinstance(error, TryLater):
        response.headers["Retry-After"] = str(_seconds(error.retry_after if error.retry_after is not None else 1.0))
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = error.allowed
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _seconds(wait: float) -> int:
    """Whole seconds, as Retry-After wants them (RFC 9110, section 10.2.3), at least one."""
    return max(1, math.ceil(wait))
