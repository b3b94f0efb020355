"""From an answer to what it says: a value, or an error of shizi. Nothing here waits or sends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from shizi.errors import (
    DeadlineExceeded,
    EngineUnavailable,
    Forbidden,
    ImageTooLarge,
    InvalidRequest,
    NotFound,
    RateLimited,
    ShiziError,
    TryLater,
    Unauthenticated,
    UnsupportedFormat,
    taxonomy,
)

MAX_ERROR_BYTES: Final = 64 * 1024
_LONGEST_DETAIL: Final = 2000
_LONGEST_PAUSE_S: Final = 7 * 24 * 3600
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_CODES: Final = {error.code: error for error in taxonomy()}
# What a proxy means that stands before the server and speaks no problem+json.
_STATUSES: Final[Mapping[int, type[ShiziError]]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    408: DeadlineExceeded,
    413: ImageTooLarge,
    415: UnsupportedFormat,
    429: RateLimited,
    502: EngineUnavailable,
    503: EngineUnavailable,
    504: DeadlineExceeded,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, or as much of an error's as is looked at.

    Attributes:
        headers: by their names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def good(self) -> bool:
        """Whether the server did what it was asked to."""
        return 200 <= self.status < 300


def json_of(answer: Answer) -> Any:  # noqa: ANN401 (any value of JSON)
    """The value of an answer's JSON.

    Raises:
        ShiziError: it has none.
    """
    try:
        return json.loads(answer.content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise strange(answer, f"its body is no JSON ({type(error).__name__})") from None


def object_of(answer: Answer) -> dict[str, Any]:
    """The object of an answer's JSON.

    Raises:
        ShiziError: it has none.
    """
    value = json_of(answer)
    if not isinstance(value, dict):
        raise strange(answer, "its body is no JSON object")
    return value


def strange(answer: Answer, why: str) -> ShiziError:
    """The error for an answer that no server of shizi would give."""
    return _noted(
        ShiziError(
            f"the server's answer {answer.status} cannot be understood: {why}; is this the address of a shizi server?"
        ),
        answer,
    )


def error_of(answer: Answer) -> ShiziError:
    """The error that an answer stands for: its code's class; without a known code, the class of its status."""
    if 300 <= answer.status < 400:
        where = answer.headers.get("location", "elsewhere")[:200]
        return InvalidRequest(f"the server leads to {where!r}, and a client follows nowhere; give the right address")
    problem = _problem(answer)
    code = str(problem.get("code", ""))[:64]
    kind = _CODES.get(code)
    if kind is None:
        other = InvalidRequest if 400 <= answer.status < 500 else ShiziError
        kind = _STATUSES.get(answer.status, other)
    detail = problem.get("detail")
    if not isinstance(detail, str) or not detail:
        detail = f"the server answers {answer.status} and says no more" + (f" than {code}" if code else "")
    message = detail[:_LONGEST_DETAIL]
    error = kind(message, _retry_after(answer, problem)) if issubclass(kind, TryLater) else kind(message)
    return _noted(error, answer)


def _problem(answer: Answer) -> dict[str, Any]:
    try:
        value = json.loads(answer.content) if len(answer.content) <= MAX_ERROR_BYTES else None
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {}


def _retry_after(answer: Answer, problem: Mapping[str, Any]) -> float | None:
    """Seconds (RFC 9110, section 10.2.3; a date, which no server of shizi sends, counts as nothing)."""
    header = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(header):
        return float(min(int(header), _LONGEST_PAUSE_S))
    said = problem.get("retry_after")
    if isinstance(said, int | float) and not isinstance(said, bool) and 0 <= said <= _LONGEST_PAUSE_S:
        return float(said)
    return None


def _noted(error: ShiziError, answer: Answer) -> ShiziError:
    """With the request's id, which an operator finds in the server's log, in its traceback."""
    request_id = answer.headers.get("x-request-id", "")[:64]
    if request_id.isprintable() and request_id:
        error.add_note(f"request_id: {request_id}")
    return error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
