"""The way of one request that reads a document, from its body to the document; the same for every dialect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from shizi.pipeline.options import ReadOptions
from shizi.serving.caller import OCR, Caller
from shizi.serving.refusals import InvalidParameters
from shizi.serving.results import Asking, Result
from shizi.serving.schemas import DialectForm, Reading, ReadingForm, merged, read_options
from shizi.serving.service import Service
from shizi.serving.trace import trace_of
from shizi.serving.uploads import Received, receive

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose body is here and whose parameters hold.

    Attributes:
        received: the document and what came with it.
        form: the parameters.
        options: the same for the engine.
        deadline: in `time.monotonic()`.
        caller: who asks.
    """

    received: Received
    form: ReadingForm | DialectForm
    options: ReadOptions
    deadline: float
    caller: Caller


@asynccontextmanager
async def asked_of(
    service: Service, request: Request, name: str, query: Reading, model: type[ReadingForm | DialectForm]
) -> AsyncIterator[Asked]:
    """Takes a request's body; its document is gone when the context ends.

    Args:
        service: the parts.
        request: whose body was not touched yet.
        name: of the form's field that holds the document.
        query: the parameters of the query.
        model: all parameters.

    Raises:
        ShiziError: anything that is wrong with the body or the parameters.
    """
    caller = await service.gate.caller(request, OCR)
    received = await receive(request, name, service.options.uploads, service.threads)
    with received.upload as upload:
        trace = trace_of(request.scope)
        trace.upload_bytes, trace.sha256 = upload.size, upload.sha256[:12]
        service.metrics.upload_bytes.observe(upload.size)
        form = merged(query, dict(received.fields), model)
        yield Asked(received, form, read_options(form), time.monotonic() + allowed_s(service, form.timeout), caller)


async def read(service: Service, request: Request, asked: Asked, longest_side: int | None = None) -> Result:
    """Reads the document of a request; drops it when the client goes away.

    Raises:
        ShiziError: as `Results.get`.
        ClientDisconnect: nobody waits for the answer any more.
    """
    asking = Asking(
        asked.caller.tenant,
        asked.received.upload,
        asked.options,
        asked.deadline,
        longest_side,
        service.gate.pixels(request, asked.caller),
        "no-store" not in request.headers.get("cache-control", "").lower(),
    )
    result = await while_connected(request, service.results.get(asking))
    trace = trace_of(request.scope)
    trace.cache = result.outcome
    if result.document is not None:
        trace.pages = len(result.document.pages)
        trace.timings_ms.update(result.document.timings_ms)
    return result


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is cancelled when the client of a request (whose body was taken) goes away.

    Raises:
        ClientDisconnect: it went away.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        leaving.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait((working,))
        if not working.cancelled():
            working.exception()  # looked at: it is nobody's any more


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def allowed_s(service: Service, timeout: float | None) -> float:
    """Seconds that a document may take, of those that its client asks for.

    Raises:
        InvalidRequest: they are too many.
    """
    longest = service.options.longest_timeout_s
    if timeout is None:
        return service.options.request_timeout_s
    if timeout > longest:
        raise InvalidParameters([("timeout", f"is {timeout:g}; this server allows up to {longest:g} seconds")])
    return timeout
