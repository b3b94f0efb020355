"""Sends calls on an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import httpx

from shizi.client.answer import Answer, error_of
from shizi.client.body import Body
from shizi.client.calls import Call
from shizi.client.exchange import FAILURES, Incoming, Plan
from shizi.client.failures import as_shizi
from shizi.client.lines import Lines
from shizi.client.options import ClientOptions
from shizi.errors import DeadlineExceeded

T = TypeVar("T")

_LARGE: Final = 64 * 1024
_GRACE_S: Final = 1.0


class AsyncTransport:
    """The way to one server; belongs to one event loop."""

    def __init__(self, url: str, key: str | None, options: ClientOptions) -> None:
        self._plan = Plan(url, key, options)
        self._http = httpx.AsyncClient(**self._plan.settings())

    async def send(self, call: Call[T]) -> T:
        """See `Transport.send`."""
        end, attempt = self._plan.end(call), 0
        while True:
            attempt += 1
            try:
                # httpx's own bounds come first and close what they end; this one is for what dodges them, drop by drop.
                async with asyncio.timeout(end - time.monotonic() + _GRACE_S):
                    answer = await self._try(call, end)
                if answer.good:
                    return await _read(call, answer)
                error, status = error_of(answer), answer.status
            except TimeoutError:
                raise DeadlineExceeded(
                    "the server did not answer in the time allowed (timeout_s): allow more, or read fewer pages"
                ) from None
            except FAILURES as failure:
                error, status = as_shizi(failure), 0
            await asyncio.sleep(self._plan.wait(call, error, status, attempt, end))

    @asynccontextmanager
    async def lines(self, call: Call[Any]) -> AsyncIterator[AsyncIterator[str]]:
        """See `Transport.lines`."""
        end = self._plan.end(call)
        try:
            async with self._http.stream(**self._arguments(call, end)) as response:
                if response.status_code != httpx.codes.OK:
                    raise error_of(await self._collect(response, end))
                yield _lines(response)
        except FAILURES as failure:
            raise as_shizi(failure) from None

    async def close(self) -> None:
        """Ends the connections."""
        await self._http.aclose()

    async def _try(self, call: Call[Any], end: float) -> Answer:
        async with self._http.stream(**self._arguments(call, end)) as response:
            return await self._collect(response, end)

    def _arguments(self, call: Call[Any], end: float) -> dict[str, Any]:
        return self._plan.request(call, None if call.body is None else _pieces(call.body), end)

    async def _collect(self, response: httpx.Response, end: float) -> Answer:
        incoming = Incoming(response, self._plan.options, end)
        async for piece in response.aiter_raw():
            if not incoming.add(piece):
                break
        return incoming.answer()


async def _read(call: Call[T], answer: Answer) -> T:
    """Large answers take long to be understood: the loop does not wait for them."""
    if len(answer.content) < _LARGE:
        return call.read(answer)
    return await asyncio.to_thread(call.read, answer)


async def _pieces(body: Body) -> AsyncIterator[bytes]:
    pieces = body.pieces()
    if body.in_memory:
        for piece in pieces:
            yield piece
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    lines = Lines()
    async for piece in response.aiter_raw():
        for line in lines.feed(piece):
            yield line
