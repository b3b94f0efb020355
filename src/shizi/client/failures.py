"""What goes wrong between a client and its server, as errors of shizi."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx

from shizi.client.retry import NobodyListens
from shizi.errors import DeadlineExceeded, EngineUnavailable, InvalidRequest, ShiziError

_DEEPEST = 16


def as_shizi(error: Exception) -> ShiziError:
    """The error that stands for one of httpx; the address is not quoted, for its path may be somebody's secret."""
    causes = list(_causes(error))
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return EngineUnavailable("no connection to the server within the time allowed (connect_timeout_s)")
    if isinstance(error, httpx.TimeoutException):
        return DeadlineExceeded(
            "the server did not answer in the time allowed (timeout_s): allow more, or read fewer pages"
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        said = next(cause for cause in causes if isinstance(cause, ssl.SSLError))
        return EngineUnavailable(f"no safe connection to the server: {said.reason or said}; see the option tls")
    if isinstance(error, httpx.ConnectError):
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return NobodyListens("nobody listens at the server's address: is it started?")
        return EngineUnavailable(f"the server cannot be reached: {error}")
    if isinstance(error, httpx.LocalProtocolError):
        return InvalidRequest(f"the request cannot be sent: {error}")
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.ProxyError):
        return InvalidRequest(f"the server's address, or that of a proxy, cannot be used: {error}")
    return EngineUnavailable("the connection to the server broke before its answer was whole; ask again")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what led to it; asyncio wraps those of several addresses into a group."""
    waiting, seen = [error], 0
    while waiting and seen < _DEEPEST:
        seen += 1
        current = waiting.pop()
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting.extend(cause for cause in (current.__cause__, current.__context__) if cause is not None)
