"""Runs an inference node: listens first, so that it can say that it lives, then loads, warms, and is ready."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.metadata
import os
import signal
import stat
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc

from shizi.engine import address
from shizi.engine.host import Host
from shizi.engine.options import EngineProcess, HostOptions
from shizi.engine.reader import PageReader, open_reader
from shizi.engine.security import ServerSecurity, TokenDoor
from shizi.engine.warmup import warm_up
from shizi.errors import InvalidRequest
from shizi.pipeline.engine import MOST_STREAMS
from shizi.runtime.machine import cpu_count
from shizi.tracing import start_tracing

OWNER_ONLY: Final = stat.S_IRUSR | stat.S_IWUSR
_UMASK: Final = 0o177

# What happens ("listening", "ready"), and what about it: the address, the seconds that it took.
Report = Callable[[str, str], None]


async def serve(process: EngineProcess, report: Report) -> signal.Signals:
    """Serves until SIGTERM or SIGINT comes; then ends what runs, for at most `drain_s`.

    Args:
        process: where to listen, what to load.
        report: is told of "listening" and "ready".

    Returns:
        The signal that came.

    Raises:
        InvalidRequest: it cannot listen there.
        ShiziError: the reader cannot be made.
    """
    place = address.parse(process.listen)
    host = Host(process.host, shared_memory=place.kind == "unix", version=_version())
    stop: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    _on_signals(stop)
    end_tracing = start_tracing("shizi-engine", _version(), os.environ)
    server = _server(host, process.host, process.security.tokens())
    report("listening", await _listen(server, place, process.security))
    try:
        opening = asyncio.ensure_future(_open(process))
        await asyncio.wait((opening, stop), return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            reader, seconds = opening.result()
            host.open(reader)
            report("ready", f"{seconds:.1f}")
        opening.cancel()
        return await stop
    finally:
        await server.stop(process.host.drain_s)
        _tidy(place)
        await asyncio.to_thread(end_tracing)


def _on_signals(stop: asyncio.Future[signal.Signals]) -> None:
    def set_once(number: signal.Signals) -> None:
        if not stop.done():
            stop.set_result(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, set_once, number)


def _server(host: Host, options: HostOptions, tokens: Sequence[str]) -> grpc.aio.Server:
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", options.max_message_bytes),
            ("grpc.max_send_message_length", -1),  # what is sent was made here, of pages that are bounded
            ("grpc.so_reuseport", 0),
        ],
        maximum_concurrent_rpcs=host.most_calls,
        interceptors=[TokenDoor(tokens)] if tokens else None,
    )
    server.add_generic_rpc_handlers((host.handlers(),))
    return server


async def _listen(server: grpc.aio.Server, place: address.Address, security: ServerSecurity) -> str:
    """Where it listens now."""
    if place.path is not None:
        address.free(place.path)
    credentials = security.credentials()
    before = os.umask(_UMASK)
    try:
        if credentials is None or place.kind == "unix":
            port = server.add_insecure_port(place.target)
        else:
            port = server.add_secure_port(place.target, credentials)
        await server.start()
    except RuntimeError:
        raise InvalidRequest(
            f"nothing can listen at {place.target}: the address is not this machine's, is taken, or may not be used"
        ) from None
    finally:
        os.umask(before)
    return f"unix:{place.path}" if place.path is not None else f"tcp:{place.host}:{port}"


async def _open(process: EngineProcess) -> tuple[PageReader, float]:
    """The reader, warmed, and the seconds that it took."""
    start = time.monotonic()

    def work() -> PageReader:
        reader = open_reader(process.reader)
        warm_up(reader, process.host.warmup_batches, min(process.reader.threads or cpu_count(), MOST_STREAMS))
        gc.collect()
        gc.freeze()  # models and code stay; nothing is gained by looking through them for garbage again and again
        return reader

    with contextlib.ExitStack() as stack:
        pool = ThreadPoolExecutor(1, "shizi-open")
        stack.callback(pool.shutdown, wait=False)
        reader = await asyncio.get_running_loop().run_in_executor(pool, work)
    return reader, time.monotonic() - start


def _version() -> str:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version("shizi")
    return "0+unknown"  # run from its sources


def _tidy(place: address.Address) -> None:
    if place.path is not None:
        with contextlib.suppress(OSError):
            place.path.unlink()
