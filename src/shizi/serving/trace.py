"""What is known of one request while it is answered: for its log line, its metrics and its errors."""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from shizi.tracing import HEADERS

_KEY: Final = "shizi.trace"
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
# W3C Trace Context, section 3.2.2; version ff is forbidden, and so are identifiers of nothing but zeros.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)


@dataclass(slots=True)
class Trace:
    """One request's record; made by the middleware, filled in on the way, read at the end.

    Attributes:
        request_id: the client's `X-Request-ID` where it is a sane one, else made here.
        trace_id: of the W3C `traceparent`, 32 hexadecimal digits; "" without one.
        parent_id: the client's span in it, 16 digits.
        tenant: "anonymous" where nobody signed in.
        upload_bytes: size of the document.
        sha256: first twelve hexadecimal digits of its hash.
        pages: that were read.
        cache: hit, miss, shared or bypass; "" where no document was asked for.
        code: of the error that was answered; "" without one.
        timings_ms: stage → milliseconds.
        headers: that the answer is to have, such as those of rate limits.
    """

    request_id: str
    trace_id: str = ""
    parent_id: str = ""
    tenant: str = "anonymous"
    upload_bytes: int = 0
    sha256: str = ""
    pages: int = 0
    cache: str = ""
    code: str = ""
    timings_ms: dict[str, float] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def begin_trace(scope: MutableMapping[str, Any]) -> Trace:
    """The record of a new request, from its headers; kept in its scope."""
    headers = {
        name: value.decode("latin-1") for name, value in scope["headers"] if name in (b"x-request-id", b"traceparent")
    }
    asked = headers.get(b"x-request-id", "")
    trace = Trace(asked if _SANE_ID.fullmatch(asked) else secrets.token_hex(8))
    parent = _TRACEPARENT.fullmatch(headers.get(b"traceparent", ""))
    if parent is not None and not (parent[0].startswith("00") and parent[4]):
        trace.trace_id, trace.parent_id = parent[1], parent[2]
    scope[_KEY] = trace
    return trace


def context_of(scope: MutableMapping[str, Any]) -> dict[str, str]:
    """The headers of W3C Trace Context that the client sent."""
    names = {name.encode(): name for name in HEADERS}
    return {names[name]: value.decode("latin-1") for name, value in scope["headers"] if name in names}


def trace_of(scope: MutableMapping[str, Any]) -> Trace:
    """The record of a request that `begin_trace` was called for."""
    trace: Trace = scope[_KEY]
    return trace
