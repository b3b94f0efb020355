"""Works tasks off: takes one, reads it, says how it ended; and keeps its lease all the while."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from shizi.errors import ImageTooLarge, InvalidRequest, ShiziError, StorageUnavailable
from shizi.jobs.delivery import Delivery
from shizi.jobs.job import MIB, Claim, LeaseLostError, Made
from shizi.jobs.reading import PageReader, Source, Terms, Verdict, judge, read_options
from shizi.jobs.spool import Spool
from shizi.jobs.tasks import TaskStore
from shizi.jobs.turns import Turns
from shizi.tracing import span
from shizi.types import Page

P = ParamSpec("P")
T = TypeVar("T")

_SAY_AGAIN_S: Final = 1.0

log = logging.getLogger(__name__)


def _own_name() -> str:
    return f"{socket.gethostname()[:64]}:{os.getpid()}:{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker works.

    Attributes:
        slots: tasks at a time.
        poll_s: seconds after which it looks for work by itself.
        grace_s: seconds that pages which are being read may take when the worker is told to stop.
        folder: for documents that are being read; None for the system's temporary one.
        spool_bytes: of documents that are kept between tasks.
        name: of the worker, in the rows of the tasks that it holds.
    """

    slots: int = 2
    poll_s: float = 2.0
    grace_s: float = 5.0
    folder: Path | None = None
    spool_bytes: int = 1024 * MIB
    name: str = field(default_factory=_own_name)


class _StoppedError(Exception):
    """The worker goes home; what was read is kept."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """The document has so many pages."""

    pages: int


@dataclass(frozen=True, slots=True)
class _Read:
    """All pages were read."""


_Outcome = _Counted | _Read | Verdict
_RELEASED: Final = Verdict("released", "", "")


class Worker:
    """Belongs to one event loop.

    Args:
        tasks: where work comes from.
        reader: what reads.
        delivery: what says that there is work; it listens already.
        options: how.

    Attributes:
        slots: tasks at a time.
        held: tasks at work now.
        ended: attempts that ended, by how: those of `job.Ending`, quarantined (the last one that a task gets), lost.
        pages: that were read and saved.
        page_seconds: that went by from the beginning of their task, or the page before, to the end of each.
    """

    def __init__(self, tasks: TaskStore, reader: PageReader, delivery: Delivery, options: WorkerOptions) -> None:
        self._tasks, self._reader, self._delivery, self._options = tasks, reader, delivery, options
        self._limits = tasks.limits
        self._spool = Spool(tasks, options.folder, options.spool_bytes)
        self._threads = ThreadPoolExecutor(2 * options.slots + 1, "shizi-job")
        self._turns = Turns()
        self._stopping = asyncio.Event()
        self.slots = options.slots
        self.held = 0
        self.ended: Counter[str] = Counter()
        self.pages = 0
        self.page_seconds = 0.0

    async def run(self) -> None:
        """Works until `stop`, or until it is cancelled; then nothing is held any more."""
        slots = [asyncio.create_task(self._slot()) for _ in range(self._options.slots)]
        try:
            await asyncio.gather(*slots)
        finally:
            for slot in slots:
                slot.cancel()
            await asyncio.gather(*slots, return_exceptions=True)
            self._spool.close()
            self._threads.shutdown(cancel_futures=True)

    def stop(self) -> None:
        """Takes no further task; pages that are being read may end within `grace_s`, then `run` returns."""
        self._stopping.set()

    async def _slot(self) -> None:
        while not self._stopping.is_set():
            try:
                async with self._turns.together():
                    claim = await self._claim()
                    if claim is not None:
                        await self._hold(claim)
                        continue
            except StorageUnavailable as error:
                log.warning("%s", error)
            except Exception:  # one task that cannot be written down must not end the work on all others
                log.exception("a task was dropped unexpectedly; it is taken back when its lease runs out")
            self._spool.tidy()
            await self._pause()

    async def _claim(self) -> Claim | None:
        if self._stopping.is_set() or not self._reader.ready:
            return None
        claiming = asyncio.ensure_future(self._in_thread(self._tasks.claim, self._options.name))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with contextlib.suppress(StorageUnavailable):
                if (claim := await claiming) is not None:  # nobody would know that it is held here
                    await self._say(claim, _RELEASED)
            raise

    async def _pause(self) -> None:
        """Until there may be work, or the worker is stopped."""
        waits = [
            asyncio.ensure_future(self._stopping.wait()),
            asyncio.ensure_future(self._delivery.wait(self._options.poll_s)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _ended(waits)

    async def _hold(self, claim: Claim) -> None:
        """Works on a task while something else keeps its lease, and says how it ended, if it is still ours to say."""
        self.held += 1
        working = asyncio.ensure_future(self._attempt(claim))
        keeping = asyncio.ensure_future(self._keep(claim))
        leaving = asyncio.ensure_future(self._leave())
        try:
            await asyncio.wait((working, keeping, leaving), return_when=asyncio.FIRST_COMPLETED)
            outcome = working.result() if working.done() else None
            if outcome is None and not keeping.done():
                outcome = _RELEASED
        except asyncio.CancelledError:
            outcome = _RELEASED
            raise
        finally:
            await _ended((working, keeping, leaving))
            try:
                if outcome is not None:
                    await self._unbroken(self._say(claim, outcome))
                else:
                    self.ended["lost"] += 1
            finally:
                self.held -= 1

    async def _attempt(self, claim: Claim) -> _Outcome | None:
        """Reads; None where the task turned out to be somebody else's."""
        try:
            async with self._turns.alone() if claim.alone else contextlib.nullcontext():
                what = span("task", job=claim.job_id, document=claim.document, attempt=claim.attempts)
                with what, contextlib.ExitStack() as stack:
                    source = await self._in_thread(lambda: stack.enter_context(self._spool.open(claim)))
                    return await self._read(claim, source)
        except LeaseLostError:
            return None
        except _StoppedError:
            return _RELEASED
        except Exception as error:
            verdict = judge(error)
            if verdict.error == ShiziError.code:
                log.exception("the task %s failed unexpectedly", claim.task_id)
            return verdict

    async def _read(self, claim: Claim, source: Source) -> _Outcome:
        options = read_options(claim.options, claim.pages)
        if claim.kind == "split":
            deadline = time.monotonic() + self._limits.page_timeout_s
            return _Counted(await self._reader.count(source, options.password, deadline))
        if claim.pages == ():
            return _Read()  # all of them were there when the last attempt ended

        last = time.monotonic()

        async def save(page: Page, made: Made) -> None:
            nonlocal last
            await self._in_thread(self._tasks.save, claim, page, made)
            before, last = last, time.monotonic()
            self.pages += 1
            self.page_seconds += last - before
            if self._stopping.is_set():
                raise _StoppedError

        pages = self._limits.pages_per_task if claim.pages is None else len(claim.pages)
        deadline = time.monotonic() + self._limits.page_timeout_s * pages
        await self._reader.read(source, options, Terms(claim.tenant, deadline, claim.alone, save))
        return _Read()

    async def _keep(self, claim: Claim) -> None:
        """Returns when the lease is lost, for sure or for all that can be known."""
        last = time.monotonic()
        while time.monotonic() - last < self._limits.lease_s:
            await asyncio.sleep(self._limits.renew_s)
            try:
                await self._in_thread(self._tasks.renew, claim)
                last = time.monotonic()
            except LeaseLostError:
                return
            except StorageUnavailable as error:
                log.warning("%s", error)

    async def _leave(self) -> None:
        await self._stopping.wait()
        await asyncio.sleep(self._options.grace_s)

    async def _say(self, claim: Claim, outcome: _Outcome) -> None:
        """Commits how it ended; while the database is away as long as the lease may be ours."""
        end = time.monotonic() + self._limits.lease_s
        while True:
            try:
                self.ended[await self._in_thread(self._commit, claim, outcome)] += 1
            except LeaseLostError:
                self.ended["lost"] += 1
            except StorageUnavailable as error:
                log.warning("%s", error)
                if time.monotonic() < end:
                    await asyncio.sleep(_SAY_AGAIN_S)
                    continue
                self.ended["lost"] += 1
            return

    def _commit(self, claim: Claim, outcome: _Outcome) -> str:
        """How it ended."""
        try:
            if isinstance(outcome, _Counted):
                self._tasks.split(claim, outcome.pages)
            elif isinstance(outcome, _Read):
                self._tasks.succeed(claim)
        except (ImageTooLarge, InvalidRequest) as error:
            outcome = judge(error)
        if not isinstance(outcome, Verdict):
            return "succeeded"
        state = self._tasks.end(claim, outcome.ending, outcome.error or None, outcome.message)
        return state if state == "quarantined" else outcome.ending

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of blocking work, which always ends before this does."""
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._threads, functools.partial(work, *args, **kwargs))
        return await self._unbroken(working)

    async def _unbroken(self, work: Awaitable[T]) -> T:
        """The same, and a cancellation comes after its end."""
        working = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait((working,))
            raise


async def _ended(parts: Iterable[asyncio.Future[Any]]) -> None:
    """Cancels what is not done, and waits for the end of all."""
    for part in parts:
        part.cancel()
    await asyncio.gather(*parts, return_exceptions=True)
