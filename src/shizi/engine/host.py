"""The inference node: the protocol's methods around one reader."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Final, Protocol

import grpc
from pydantic import TypeAdapter

from shizi.batching.claim import Claim
from shizi.engine import protocol
from shizi.engine.answer import digest, write_answer
from shizi.engine.failures import details, status, trailers
from shizi.engine.gate import Gate
from shizi.engine.options import HostOptions
from shizi.engine.reader import PageReader
from shizi.engine.regions import Regions
from shizi.engine.request import MODEL, VERSION, PageRequest, RequestParser, check_model
from shizi.errors import DeadlineExceeded, EngineUnavailable, InvalidRequest, OutOfMemory, ShiziError
from shizi.tracing import HEADERS, Untraced, span
from shizi.types import ModelInfo

BATCHES: Final = "shizi-batches"  # after a page: what the engine's recogniser ran until then
MODELS_KEY: Final = "shizi-models-bin"
BEGUN: Final = "shizi-begun"  # sent when a page is begun: if the engine then dies, it may be the page that did it
INSTANCE: Final = "shizi-instance"  # names one run of one engine
STALLED: Final = 75  # exit code of an engine in which a page never ended
# A page that is read alone may end the engine at once: what was sent must have left it before, or nobody knows that it was begun.
_HEARD_S: Final = 0.2
_SPARE_CALLS = 64  # beside those that wait: questions whether it is alive must always get through

log = logging.getLogger(__name__)


class Context(Protocol):
    """Of grpc.aio.ServicerContext what is used here."""

    async def abort(self, code: grpc.StatusCode, details: str, trailing_metadata: Sequence[tuple[str, str]]) -> None:
        """Ends the call with an error."""
        ...

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]] | None:
        """What came before the request."""
        ...

    def time_remaining(self) -> float | None:
        """Seconds until the client gives up."""
        ...

    async def send_initial_metadata(self, initial_metadata: Sequence[tuple[str, str | bytes]]) -> None:
        """What is sent at once."""
        ...

    def set_trailing_metadata(self, trailing_metadata: Sequence[tuple[str, str | bytes]]) -> None:
        """What is sent after the answer."""
        ...


class Host:
    """Answers calls; belongs to one event loop.

    Args:
        options: the bounds.
        shared_memory: whether clients may name shared memory: they then must be processes of the same user.
        version: of shizi.
    """

    def __init__(self, options: HostOptions, *, shared_memory: bool, version: str) -> None:
        self._options = options
        self._version = version
        self._regions = Regions(options.max_regions) if shared_memory else None
        self._parse = RequestParser(options, self._regions)
        self._gate = Gate(options.pages_at_a_time, options.max_waiting, options.max_waiting_bytes)
        self._pool = ThreadPoolExecutor(options.pages_at_a_time, "shizi-page")
        self._reader: PageReader | None = None
        self._instance = secrets.token_hex(8)

    @property
    def most_calls(self) -> int:
        """Calls that may be open at a time."""
        return self._options.max_waiting + self._options.pages_at_a_time + _SPARE_CALLS

    def open(self, reader: PageReader) -> None:
        """From now on the engine is ready."""
        self._reader = reader

    def close(self) -> None:
        """Ends the threads; a page that is still read is waited for."""
        self._pool.shutdown(cancel_futures=True)
        if self._reader is not None:
            self._reader.close()

    def handlers(self) -> grpc.GenericRpcHandler:
        """The methods, for a grpc.aio server; messages go in and out as bytes."""
        methods: dict[str, Callable[[bytes, Context], Awaitable[bytes]]] = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._infer,
            "SystemSharedMemoryStatus": self._status,
            "SystemSharedMemoryRegister": self._register,
            "SystemSharedMemoryUnregister": self._unregister,
        }
        return grpc.method_handlers_generic_handler(
            protocol.SERVICE,
            {name: grpc.unary_unary_rpc_method_handler(_guarded(method)) for name, method in methods.items()},
        )

    async def _live(self, data: bytes, _context: Context) -> bytes:
        protocol.parse("ServerLiveRequest", data)
        return _message("ServerLiveResponse", live=True)

    async def _ready(self, data: bytes, _context: Context) -> bytes:
        protocol.parse("ServerReadyRequest", data)
        return _message("ServerReadyResponse", ready=self._reader is not None)

    async def _model_ready(self, data: bytes, _context: Context) -> bytes:
        request = protocol.parse("ModelReadyRequest", data)
        check_model(request.name, request.version)
        return _message("ModelReadyResponse", ready=self._reader is not None)

    async def _server_metadata(self, data: bytes, _context: Context) -> bytes:
        protocol.parse("ServerMetadataRequest", data)
        extensions = [] if self._regions is None else ["system_shared_memory"]
        return _message("ServerMetadataResponse", name="shizi", version=self._version, extensions=extensions)

    async def _model_metadata(self, data: bytes, context: Context) -> bytes:
        request = protocol.parse("ModelMetadataRequest", data)
        check_model(request.name, request.version)
        models = models_to_json(self._opened().models)
        context.set_trailing_metadata(((MODELS_KEY, models), (INSTANCE, self._instance)))
        message = protocol.new("ModelMetadataResponse")
        message.name, message.platform = MODEL, "shizi"
        message.versions.append(VERSION)
        message.inputs.add(name="image", datatype="UINT8", shape=[-1, -1, 3])
        message.inputs.add(name="text_layer", datatype="BYTES", shape=[1])
        message.outputs.add(name="page", datatype="BYTES", shape=[1])
        written: bytes = message.SerializeToString()
        return written

    async def _status(self, data: bytes, _context: Context) -> bytes:
        message = protocol.new("SystemSharedMemoryStatusResponse")
        name = protocol.parse("SystemSharedMemoryStatusRequest", data).name
        for found, region in self._shared().status(name).items():
            entry = message.regions[found]
            entry.name, entry.key, entry.offset, entry.byte_size = found, region.key, region.offset, region.size
        written: bytes = message.SerializeToString()
        return written

    async def _register(self, data: bytes, _context: Context) -> bytes:
        request = protocol.parse("SystemSharedMemoryRegisterRequest", data)
        self._shared().register(request.name, request.key, request.offset, request.byte_size)
        return _message("SystemSharedMemoryRegisterResponse")

    async def _unregister(self, data: bytes, _context: Context) -> bytes:
        self._shared().unregister(protocol.parse("SystemSharedMemoryUnregisterRequest", data).name)
        return _message("SystemSharedMemoryUnregisterResponse")

    async def _infer(self, data: bytes, context: Context) -> bytes:
        arrived = time.monotonic()
        reader = self._opened()
        request = self._parse(data)
        allowed = (self._options.max_wait_s, request.deadline_s, context.time_remaining())
        deadline = arrived + min(seconds for seconds in allowed if seconds is not None)
        gone = threading.Event()
        claim = Claim(request.tenant, deadline, request.lane, gone.is_set)
        with span("read page", "server", _parent(context), lane=request.lane) as mark:
            await self._enter(request, claim, context)
            work = self._begin(request, claim, lambda: _read(reader, request, arrived, claim, mark))
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    answer = await asyncio.wrap_future(work)
                context.set_trailing_metadata(((BATCHES, reader.batches.text()),))
                return answer
            except TimeoutError:
                raise _late() from None
            finally:
                gone.set()

    async def _enter(self, request: PageRequest, claim: Claim, context: Context) -> None:
        """Waits for the page's turn, and says that it is begun."""
        await self._gate.enter(claim, request.size, alone=request.alone)
        try:
            await context.send_initial_metadata(((BEGUN, "1"),))
            if request.alone:
                await asyncio.sleep(_HEARD_S)
        except BaseException:
            self._gate.leave(claim, request.size, 0.0)
            raise

    def _begin(self, request: PageRequest, claim: Claim, read: Callable[[], bytes]) -> Future[bytes]:
        """Reads on a thread. The place in the gate is free when the thread is, whoever waits for the answer or does no more."""
        loop = asyncio.get_running_loop()
        begun = time.monotonic()
        size = request.size
        watch = loop.call_later(self._options.stall_s, _stalled, self._options.stall_s)

        def done(_work: Future[bytes]) -> None:
            watch.cancel()
            self._gate.leave(claim, size, time.monotonic() - begun)

        work = self._pool.submit(read)
        work.add_done_callback(lambda work: _on_loop(loop, done, work))
        return work

    def _opened(self) -> PageReader:
        if self._reader is None:
            raise EngineUnavailable("the engine loads and warms its models; try again in some seconds", 2.0)
        return self._reader

    def _shared(self) -> Regions:
        if self._regions is None:
            raise InvalidRequest("shared memory is there only at a Unix socket; send pixels as raw_input_contents")
        return self._regions


def models_to_json(models: tuple[ModelInfo, ...]) -> bytes:
    """For the metadata beside a ModelMetadataResponse."""
    return TypeAdapter(list[dict[str, str]]).dump_json([asdict(model) for model in models])


def _parent(context: Context) -> dict[str, str]:
    """The span of the caller."""
    return {name: str(value) for name, value in context.invocation_metadata() or () if name in HEADERS}


def _read(reader: PageReader, request: PageRequest, arrived: float, claim: Claim, mark: Untraced) -> bytes:
    start = time.monotonic()
    if start > claim.deadline:
        raise _late()
    page, taken = reader.read_page(request.image(), request.options, claim)
    times = {"queue": 1000 * (start - arrived), **taken}
    mark.stages(times.items())
    return write_answer(request.id, page, times, digest(reader.models))


def _guarded(method: Callable[[bytes, Context], Awaitable[bytes]]) -> Callable[[bytes, Context], Awaitable[bytes]]:
    """The method, with every error that it raises as a status of gRPC. What nobody expected is told by its type alone."""

    async def answer(data: bytes, context: Context) -> bytes:
        try:
            return await method(data, context)
        except ShiziError as error:
            failure = error
        except MemoryError:
            failure = OutOfMemory("the engine has not enough memory for this page; scale it down, or try again later")
        except Exception as error:
            log.error("a page failed with %s at %s", type(error).__name__, _place(error))
            failure = ShiziError(f"unexpected {type(error).__name__} in the engine; this is a bug, its log says where")
        await context.abort(status(failure), details(failure), trailers(failure))
        raise AssertionError  # abort never returns

    return answer


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"


def _message(kind: str, /, **values: object) -> bytes:
    message = protocol.new(kind)
    for field, value in values.items():
        if isinstance(value, list):
            getattr(message, field).extend(value)
        else:
            setattr(message, field, value)
    written: bytes = message.SerializeToString()
    return written


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[Future[bytes]], None], work: Future[bytes]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, work)


def _stalled(seconds: float) -> None:
    log.critical("a page has taken more than %s s, the limit (stall_s): this engine ends itself", seconds)
    os._exit(STALLED)


def _late() -> DeadlineExceeded:
    return DeadlineExceeded("the time allowed for this page passed; allow more, or send a smaller one")
