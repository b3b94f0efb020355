"""The engines of a server, started, watched, replaced when that is asked for, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from shizi.engine.address import parse
from shizi.engine.link import ClientOptions
from shizi.engine.supervisor import Supervisor, SupervisorOptions
from shizi.errors import InvalidRequest, ShiziError
from shizi.serving.breaker import Breaker, BreakerOptions
from shizi.serving.engines.blame import Blame, BlameOptions
from shizi.serving.engines.local import LocalEngine
from shizi.serving.engines.member import Member
from shizi.serving.engines.pool import Engines
from shizi.serving.engines.remote import RemoteEngine

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EnginesOptions:
    """Where pages are read.

    Attributes:
        local: the engine that this server runs itself, where it has no others.
        remote: addresses of engines elsewhere; then none is run here.
        client: how those are called.
        breaker: in front of each engine.
        blame: of pages that engines die of.
        look_s: seconds between two questions whether an engine elsewhere is ready.
    """

    local: SupervisorOptions | None = None
    remote: tuple[str, ...] = ()
    client: ClientOptions = field(default_factory=ClientOptions)
    breaker: BreakerOptions = field(default_factory=BreakerOptions)
    blame: BlameOptions = field(default_factory=BlameOptions)
    look_s: float = 1.0

    def __post_init__(self) -> None:
        if (self.local is None) == (not self.remote):
            raise InvalidRequest("a server has an engine of its own, or others elsewhere")
        if len({parse(address).text for address in self.remote}) < len(self.remote):
            raise InvalidRequest("an engine is named twice; name each address once")


@contextlib.asynccontextmanager
async def running(options: EnginesOptions) -> AsyncIterator[tuple[Engines, asyncio.Future[None]]]:
    """The engines, and a future that fails where there can be none."""
    async with contextlib.AsyncExitStack() as stack:
        if options.local is not None:
            supervisor = Supervisor(options.local)
            stack.push_async_callback(supervisor.stop)
            engines = Engines([Member(LocalEngine(supervisor), Breaker(options.breaker))], Blame(options.blame))
            work = asyncio.ensure_future(_start(supervisor))
        else:
            sources = [RemoteEngine(address, options.client, options.look_s) for address in options.remote]
            for source in sources:
                stack.push_async_callback(source.stop)
            members = [Member(source, Breaker(options.breaker)) for source in sources]
            engines = Engines(members, Blame(options.blame))
            work = asyncio.ensure_future(_watch(sources))
        stack.push_async_callback(_cancelled, work)
        yield engines, work


async def reload(engines: Engines) -> None:
    """Replaces the engine that this server runs itself; says in the log what came of it."""
    local = [member.source.supervisor for member in engines.members if isinstance(member.source, LocalEngine)]
    if not local:
        log.warning("nothing to replace: the engines of this server are run elsewhere")
    for supervisor in local:
        log.warning("the engine is being replaced")
        try:
            await supervisor.reload()
            await engines.models()
        except ShiziError as error:
            log.error("the engine was not replaced: %s", error)
        else:
            log.warning("the engine was replaced")


@contextlib.contextmanager
def replacing_on_signal(engines: Engines) -> Iterator[None]:
    """SIGHUP replaces the engine, while pages go on being read."""
    loop = asyncio.get_running_loop()
    wanted = asyncio.Event()

    async def replacing() -> None:
        while True:
            await wanted.wait()
            wanted.clear()  # who asks from now on may mean models that came meanwhile
            await reload(engines)

    task = asyncio.ensure_future(replacing())
    loop.add_signal_handler(signal.SIGHUP, wanted.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        task.cancel()


async def _start(supervisor: Supervisor) -> None:
    await supervisor.start()
    with contextlib.suppress(ShiziError):
        await supervisor.client.models()  # so that metrics know them before the first page


async def _watch(sources: list[RemoteEngine]) -> None:
    await asyncio.gather(*(source.watch() for source in sources))


async def _cancelled(work: asyncio.Future[None]) -> None:
    if not work.done():
        work.cancel()
        await asyncio.wait([work])
