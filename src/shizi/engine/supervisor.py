"""Keeps one engine process running: starts it, starts it again when it dies, replaces it without a failed request."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from shizi.engine.client import EngineClient
from shizi.engine.launch import Child, launch
from shizi.engine.link import ClientOptions, Link
from shizi.engine.options import EngineProcess, HostOptions, ReaderOptions
from shizi.errors import EngineUnavailable, ShiziError

State = Literal["starting", "ready", "restarting", "stopped"]

_NOTICED_S: Final = 1.0  # until a broken connection is noticed
_KILL_AFTER_S: Final = 5.0
_MOST_DOUBLINGS: Final = 16

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SupervisorOptions:
    """How an engine is looked after.

    Attributes:
        reader: how its reader is made.
        host: what it takes.
        client: bounds of the client.
        folder: where the private folder of its socket is made; None for the system's.
        start_timeout_s: seconds until an engine must be ready; fetching models for the first time counts.
        first_pause_s: before the first restart; each further one waits twice as long.
        longest_pause_s: between two restarts.
        steady_s: an engine that lived so long is a healthy one: the pauses begin anew.
        max_rss: bytes of memory above which it is replaced; None for no bound.
        look_s: seconds between two looks at its memory.
    """

    reader: ReaderOptions = field(default_factory=ReaderOptions)
    host: HostOptions = field(default_factory=HostOptions)
    client: ClientOptions = field(default_factory=ClientOptions)
    folder: Path | None = None
    start_timeout_s: float = 300.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 30.0
    steady_s: float = 60.0
    max_rss: int | None = None
    look_s: float = 1.0


def pause(failures: int, options: SupervisorOptions) -> float:
    """Seconds before the restart after so many that did not last."""
    return min(options.first_pause_s * 2.0 ** min(failures, _MOST_DOUBLINGS), options.longest_pause_s)


class Supervisor:
    """One engine on a Unix socket in a folder of its own; belongs to one event loop.

    Attributes:
        restarts: how often it had to be started again.
        replacements: how often it was replaced by `reload`, or because of its memory.
        state: "starting" before the first is ready, "restarting" while there is none, "stopped" at the end.
    """

    def __init__(self, options: SupervisorOptions) -> None:
        self._options = options
        self.restarts = 0
        self.replacements = 0
        self.state: State = "starting"
        self._numbers = itertools.count(1)
        self._lock = asyncio.Lock()
        self._folder: Path | None = None
        self._client: EngineClient | None = None
        self._child: Child | None = None
        self._since = 0.0
        self._start_s = 1.0
        self._failures = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def client(self) -> EngineClient:
        """The same one for the whole life of the supervisor, whatever engine is behind it.

        Raises:
            EngineUnavailable: it was not started.
        """
        if self._client is None:
            raise EngineUnavailable("the engine was not started, or has been stopped")
        return self._client

    @property
    def pid(self) -> int | None:
        """Number of the engine's process; None while there is none."""
        return None if self._child is None else self._child.pid

    async def start(self) -> None:
        """Starts the engine and returns when it is ready.

        Raises:
            EngineUnavailable: it was not ready in time, or it died.
            ShiziError: what it said, such as ModelLoadFailed.
        """
        if self._folder is not None or self.state == "stopped":
            raise RuntimeError("a supervisor is started once")
        self._folder = Path(tempfile.mkdtemp(prefix="shizi-", dir=self._options.folder))  # its mode is 0700
        self._client = EngineClient(None, self._options.client)
        try:
            await self._take(await self._launch())
        except BaseException:
            await self.stop()
            raise
        if self._options.max_rss is not None:
            self._keep(self._look(self._options.max_rss))

    async def stop(self) -> None:
        """Ends the engine, after the pages that it reads, for at most `drain_s`."""
        self.state = "stopped"
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._child is not None:
            await self._child.stop(self._options.host.drain_s + _KILL_AFTER_S)
            self._child = None
        if self._client is not None:
            await self._client.close()
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def reload(self) -> None:
        """Starts a second engine, hands over to it when it is ready, and ends the first one when its last page is read.

        Raises:
            EngineUnavailable: there is no engine to replace now; or the second one failed, and the first one stays.
            ShiziError: what the second one said; the first one stays.
        """
        self._replaceable()
        work = self._keep(self._replace())
        await asyncio.wait((work,))
        if work.cancelled():
            raise EngineUnavailable("the engine was not replaced: its supervisor was stopped")
        work.result()

    async def _replace(self) -> None:
        async with self._lock:
            self._replaceable()
            new = await self._launch()
            old, self._child = self._child, new
            link = self.client.switch(new.target)
            self.state = "ready"  # also where the old one died meanwhile
            self._since = time.monotonic()
            self._keep(self._restart_after(new))
            self.replacements += 1
        await self._retire(old, link)

    def _replaceable(self) -> None:
        if self.state != "ready":
            raise EngineUnavailable(
                f"the engine cannot be replaced while it is {self.state}; try again when it is ready"
            )

    async def _launch(self) -> Child:
        assert self._folder is not None  # noqa: S101 (made by start)
        begun = time.monotonic()
        listen = f"unix:{self._folder / f'{next(self._numbers)}.sock'}"
        process = EngineProcess(listen, self._options.reader, self._options.host)
        try:
            child = await launch(process, self._options.start_timeout_s)
        except BaseException:
            _remove(listen)
            raise
        self._start_s = time.monotonic() - begun
        return child

    async def _take(self, child: Child) -> None:
        """This is the engine now."""
        self._child = child
        self._since = time.monotonic()
        before = self.client.switch(child.target)
        self.state = "ready"
        self._keep(self._restart_after(child))
        if before is not None:
            await before.close()

    async def _retire(self, child: Child | None, link: Link | None) -> None:
        try:
            if link is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._options.host.drain_s):
                        await link.idle()
            if child is not None:
                await child.stop(self._options.host.drain_s + _KILL_AFTER_S)
        finally:
            if child is not None:
                await child.kill()
            if link is not None:
                await link.close()

    def _keep(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _restart_after(self, child: Child) -> None:
        code = await child.ended()
        _remove(child.target)
        if self._child is not child:
            return  # it was replaced
        log.warning("the engine %d ended with %d", child.pid, code)
        self._child = None
        self.state = "restarting"
        before = self.client.switch(None, self._options.first_pause_s)
        if before is not None:
            # Its calls fail by themselves, and say then whether their pages had been begun; those that are cancelled do not.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_NOTICED_S):
                    await before.idle()
            await before.close()
        async with self._lock:
            if self._child is None:  # else `reload` was about to replace it anyway
                await self._restart()

    async def _restart(self) -> None:
        while True:
            lasted = time.monotonic() - self._since >= self._options.steady_s
            self._failures = 0 if lasted else self._failures + 1
            seconds = pause(max(self._failures - 1, 0), self._options)
            self.client.switch(None, seconds + self._start_s)
            await asyncio.sleep(seconds)
            self.restarts += 1
            try:
                await self._take(await self._launch())
            except ShiziError as error:
                log.warning("the engine could not be started again: %s", error)
                self._since = time.monotonic()
            else:
                return

    async def _look(self, most: int) -> None:
        while True:
            await asyncio.sleep(self._options.look_s)
            used = 0 if self._child is None else _memory(self._child.pid)
            if used <= most:
                continue
            log.warning("the engine has %d bytes, the limit (max_rss) is %d: it is replaced", used, most)
            with contextlib.suppress(EngineUnavailable):
                await self.reload()
            await asyncio.sleep(self._options.look_s)


def _remove(target: str) -> None:
    """The socket of an engine that has ended; one that was killed leaves it behind."""
    with contextlib.suppress(OSError):
        Path(target.removeprefix("unix:")).unlink()


def _memory(pid: int) -> int:
    """Bytes of resident memory; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
