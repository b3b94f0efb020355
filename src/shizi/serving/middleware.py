"""Around every request: its ids, its log line, its metrics, the headers that browsers need, and no error without an answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from shizi.errors import EngineUnavailable
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.logs import where
from shizi.serving.metrics import Metrics
from shizi.serving.options import ServiceOptions
from shizi.serving.problem import Problems
from shizi.serving.trace import Trace, begin_trace, context_of
from shizi.tracing import UNTRACED, Untraced, span

# Nothing that the API answers is a page: whoever opens an answer as one, or frames it, gets no script, no request, no form. The web
# page's own files bring their own policy.
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CLIENT_GONE: Final = 499  # as nginx writes it: nobody was there to be answered
_QUIET: Final = ("/healthz", "/readyz", "/metrics")


class Observed:
    """The outermost layer: nothing that happens inside leaves without an id, a log line and a count.

    Args:
        app: what answers.
        problems: answers what nobody expected.
        metrics: counts.
        log: one line per request.
        lifecycle: says when connections are to end.
    """

    def __init__(
        self, app: ASGIApp, problems: Problems, metrics: Metrics, log: FilteringBoundLogger, lifecycle: Lifecycle
    ) -> None:
        self._app = app
        self._problems, self._metrics, self._log, self._lifecycle = problems, metrics, log, lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = begin_trace(scope)
        answer = _Answer(send, trace, self._lifecycle)
        with _span(scope, trace) as mark:
            trace.trace_id = trace.trace_id or mark.trace_id
            try:
                await self._answered(scope, receive, answer, trace)
            finally:
                _describe(mark, scope, trace, answer)

    async def _answered(self, scope: Scope, receive: Receive, answer: _Answer, trace: Trace) -> None:
        start = time.perf_counter()
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, answer.send)
        except asyncio.CancelledError:
            # Only the end of the process cancels a request; its client is told to go elsewhere.
            if answer.status == 0:
                late = EngineUnavailable("this server has ended before the answer was ready; ask again", 1.0)
                await self._problems.answer(Request(scope), late)(scope, receive, answer.send)
            raise
        except Exception as error:
            self._log.error("unexpected error", request_id=trace.request_id, **where(error))
            if answer.status == 0:
                await self._problems.answer(Request(scope), error)(scope, receive, answer.send)
        finally:
            self._metrics.in_flight.dec()
            self._end(scope, trace, answer, time.perf_counter() - start)

    def _end(self, scope: Scope, trace: Trace, answer: _Answer, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        self._metrics.requests.labels(route, _method(scope), str(answer.status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        self._metrics.answer_bytes.inc(answer.bytes)
        if answer.status == CLIENT_GONE:
            self._metrics.abandoned.inc()
        if trace.code:
            self._metrics.errors.labels(trace.code).inc()
        if route in _QUIET and answer.status < 400:
            return
        fields: dict[str, Any] = {
            "request_id": trace.request_id,
            "trace_id": trace.trace_id,
            "parent_id": trace.parent_id,
            "tenant": trace.tenant,
            "method": _method(scope),
            "route": route,
            "status": answer.status,
            "ms": round(1000 * seconds, 1),
            "code": trace.code,
            "upload_bytes": trace.upload_bytes,
            "sha256": trace.sha256,
            "pages": trace.pages,
            "cache": trace.cache,
            "answer_bytes": answer.bytes,
            "timings_ms": {stage: round(value, 1) for stage, value in trace.timings_ms.items()},
        }
        self._log.info("request", **{name: value for name, value in fields.items() if value not in ("", {}, None)})


def _span(scope: Scope, trace: Trace) -> Untraced:
    if scope["path"] in _QUIET:
        return UNTRACED
    return span("request", "server", context_of(scope), request_id=trace.request_id)


def _describe(mark: Untraced, scope: Scope, trace: Trace, answer: _Answer) -> None:
    route = getattr(scope.get("route"), "path", "unknown")
    mark.rename(f"{_method(scope)} {route}")
    mark.note(
        method=_method(scope),
        route=route,
        status=answer.status,
        tenant=trace.tenant,
        upload_bytes=trace.upload_bytes,
        pages=trace.pages,
        cache=trace.cache,
    )
    if trace.code:
        mark.note(code=trace.code)
    if answer.status >= 500:
        mark.fail(trace.code or str(answer.status))


class _Answer:
    """What is sent: counted, and with the headers that every answer has."""

    def __init__(self, send: Send, trace: Trace, lifecycle: Lifecycle) -> None:
        self._send = send
        self._trace = trace
        self._lifecycle = lifecycle
        self.status = 0
        self.bytes = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._trace.request_id
            headers.update(self._trace.headers)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            if self._lifecycle.draining:
                headers["Connection"] = "close"  # the client's next request goes to a server that stays
        elif message["type"] == "http.response.body":
            self.bytes += len(message.get("body", b""))
        await self._send(message)


class Lingering:
    """Answers that come before the end of an upload reach their sender.

    A server that closes a connection with bytes still unread makes the system throw away the answer on its way. So the rest is
    taken, within bounds, before the answer's end is sent, and the connection is closed after it.
    """

    def __init__(self, app: ASGIApp, options: ServiceOptions) -> None:
        self._app = app
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        whole = asked = False

        async def receiving() -> Message:
            nonlocal whole, asked
            asked = True
            message = await receive()
            whole = whole or message["type"] == "http.disconnect" or not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            if whole:
                await send(message)
            elif message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
                await send(message)
            elif message.get("more_body", False):
                await send(message)
            else:
                await send({**message, "more_body": True})
                if asked or not _expects(scope):  # a client that waits for "100 Continue" has sent nothing
                    await self._take_rest(receive)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, receiving, sending)

    async def _take_rest(self, receive: Receive) -> None:
        left = self._options.linger_bytes
        try:
            async with asyncio.timeout(self._options.linger_s):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if message["type"] == "http.disconnect" or not message.get("more_body", False):
                        return
        except TimeoutError:
            return


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 ") != b"")
        for name, value in scope["headers"]
    )


def _expects(scope: Scope) -> bool:
    return any(name == b"expect" for name, _ in scope["headers"])


def _method(scope: Scope) -> str:
    """The method, or "other": a label must not grow by what clients make up."""
    method: str = scope["method"]
    return method if method in ("GET", "POST", "HEAD", "DELETE", "PUT", "PATCH", "OPTIONS") else "other"
