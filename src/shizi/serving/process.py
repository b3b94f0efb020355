"""The whole service as one process: its parts are made, started, and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from shizi.database.connect import Database
from shizi.imaging.sandbox import Sandbox, SandboxOptions
from shizi.release.feedback import FeedbackLimits, FeedbackStore
from shizi.serving.addresses import ClientAddress, ProxyOptions
from shizi.serving.admission import Admission, AdmissionOptions
from shizi.serving.app import internal_app, public_app
from shizi.serving.auth import AuthOptions, authenticator, is_loopback
from shizi.serving.cache import CacheOptions, ResultCache
from shizi.serving.cache_memory import MemoryBackend
from shizi.serving.cache_redis import RedisBackend, RedisCacheOptions
from shizi.serving.drawing import Drawings
from shizi.serving.engines.numbers import EngineNumbers
from shizi.serving.engines.pool import Engines
from shizi.serving.engines.settled import SettledReader
from shizi.serving.engines.start import EnginesOptions, replacing_on_signal, running
from shizi.serving.feedback import Feedback
from shizi.serving.gate import Gate
from shizi.serving.job_parts import JobParts, JobsSetup, running_jobs
from shizi.serving.jwks import Jwks, JwksOptions
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.logs import make_log, quiet_library_logs
from shizi.serving.metrics import Metrics
from shizi.serving.numbers import (
    AdmissionNumbers,
    CacheNumbers,
    RateNumbers,
    ReaderNumbers,
    SandboxNumbers,
)
from shizi.serving.options import ServerOptions, ServiceOptions
from shizi.serving.ratelimit import RateLimiter, RateOptions
from shizi.serving.reader import SandboxReader
from shizi.serving.results import Results
from shizi.serving.server import bind, place, serve
from shizi.serving.service import Service
from shizi.serving.storage import StorageOptions, opened
from shizi.serving.tokens import TokenOptions, TokenVerifier
from shizi.tracing import start_tracing


@dataclass(frozen=True, slots=True)
class TokenSource:
    """What tokens must be, and where the keys are that they are checked with."""

    options: TokenOptions
    keys: JwksOptions


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of every part."""

    service: ServiceOptions
    server: ServerOptions
    auth: AuthOptions
    api_keys: Path | None
    tokens: TokenSource | None
    rates: RateOptions
    proxies: ProxyOptions
    engines: EnginesOptions
    admission: AdmissionOptions
    cache: CacheOptions
    cache_storage: RedisCacheOptions | None = None
    storage: StorageOptions = field(default_factory=StorageOptions)
    feedback: FeedbackLimits = field(default_factory=FeedbackLimits)
    jobs: JobsSetup = field(default_factory=JobsSetup)


def run(options: ServeOptions, say: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        options: of every part.
        say: takes lines for the person who started it.

    Raises:
        InvalidRequest: an address cannot be listened on, or strangers beyond this machine could use the server and nobody
            said that they may.
        ShiziError: the engine cannot be started.
    """
    asyncio.run(_run(options, say))


async def _run(options: ServeOptions, say: Callable[[str], None]) -> None:
    log = make_log()
    quiet_library_logs(log)
    end_tracing = start_tracing("shizi", options.service.version, os.environ)
    try:
        await _served(options, log, say)
    finally:
        await asyncio.to_thread(end_tracing)


async def _served(options: ServeOptions, log: FilteringBoundLogger, say: Callable[[str], None]) -> None:
    server = options.server
    with contextlib.ExitStack() as sockets:
        public = sockets.enter_context(bind(server.host, server.port, server.backlog))
        internal = None
        if server.internal_port is not None:
            internal = sockets.enter_context(bind(server.internal_host, server.internal_port, server.backlog))
        async with (
            opened(options.storage) as database,
            _gate(options) as gate,
            running(options.engines) as (engines, starting),
            _cache(options) as cached,
            running_jobs(options.jobs, database, engines, options.service.limits) as work,
        ):
            service, parts = _service(options, gate, engines, cached, log)
            service = _with_jobs(_with_feedback(service, options, database), work)
            listeners = [(public_app(service), public)]
            if internal is not None:
                listeners.append((internal_app(service), internal))
            gc.collect()
            gc.freeze()  # code and schemas stay; nothing is gained by looking through them for garbage again and again
            with parts, replacing_on_signal(engines), _essential(starting, work) as essential:
                await serve(
                    listeners,
                    server,
                    service.lifecycle,
                    lambda: say(_listening(public, internal)),
                    essential,
                )
                if starting.done():
                    starting.result()


def _with_feedback(service: Service, options: ServeOptions, database: Database) -> Service:
    store = FeedbackStore(database, options.feedback)
    feedback = Feedback(store, service.threads, strangers_read=is_loopback(options.server.host))
    return replace(service, feedback=feedback)


def _with_jobs(service: Service, work: JobParts) -> Service:
    service.metrics.add(work.numbers)
    # Others can have the work before this server has ended.
    service.lifecycle.when_draining(work.worker.stop)
    return replace(service, jobs=work.jobs)


@contextlib.contextmanager
def _essential(starting: asyncio.Future[None], work: JobParts) -> Iterator[asyncio.Future[None]]:
    """Fails where the engine does not start, or the work at jobs has ended by an error."""

    async def both() -> None:
        await asyncio.gather(asyncio.shield(starting), work.worker.ended())

    task = asyncio.create_task(both())
    try:
        yield task
    finally:
        task.cancel()


@contextlib.asynccontextmanager
async def _gate(options: ServeOptions) -> AsyncIterator[Gate]:
    loopback = is_loopback(options.server.host)
    tokens = None
    if options.tokens is not None:
        tokens = TokenVerifier(options.tokens.options, Jwks(options.tokens.keys))
    people = authenticator(options.auth, loopback_only=loopback, keys=options.api_keys, tokens=tokens)
    limiter = RateLimiter(options.rates, counted=not loopback)
    try:
        yield Gate(people, limiter, ClientAddress(options.proxies))
    finally:
        await people.close()
        await limiter.close()


@contextlib.asynccontextmanager
async def _cache(options: ServeOptions) -> AsyncIterator[tuple[ResultCache, CacheNumbers]]:
    """The cache, and what it counts."""
    shared = options.cache_storage
    kept = MemoryBackend(options.cache) if shared is None else RedisBackend(shared, options.cache)
    cache = ResultCache(kept, None if shared is None else shared.secret)
    try:
        yield cache, CacheNumbers(cache, kept)
    finally:
        await cache.close()


def _service(
    options: ServeOptions,
    gate: Gate,
    engines: Engines,
    cached: tuple[ResultCache, CacheNumbers],
    log: FilteringBoundLogger,
) -> tuple[Service, contextlib.ExitStack]:
    """The parts, and what frees them."""
    wanted = options.service
    stack = contextlib.ExitStack()
    threads = ThreadPoolExecutor(wanted.threads, "shizi-serve")
    stack.callback(threads.shutdown, cancel_futures=True)
    sandbox = Sandbox(wanted.limits, SandboxOptions(processes=wanted.documents))
    stack.callback(sandbox.close)
    admission = Admission(options.admission)
    reader = SandboxReader(sandbox, engines, wanted.limits, wanted.documents)
    stack.callback(reader.close)
    drawings = Drawings(wanted.limits, wanted.drawings)
    stack.callback(drawings.close)
    cache, cache_numbers = cached
    numbers = (
        ReaderNumbers(reader),
        EngineNumbers(engines),
        SandboxNumbers(sandbox),
        AdmissionNumbers(admission),
        cache_numbers,
        RateNumbers(gate.limiter),
    )
    metrics = Metrics(wanted.version, numbers)
    results = Results(
        SettledReader(reader, engines), engines.models, admission, cache, metrics, wanted.version, threads
    )
    return Service(wanted, results, engines, gate, drawings, metrics, log, Lifecycle(), threads), stack


def _listening(public: socket.socket, internal: socket.socket | None) -> str:
    said = f"shizi serve: http://{place(public)}"
    return said if internal is None else f"{said} (metrics and docs: http://{place(internal)})"
