"""From an upload to a document: pages are decoded in a sandbox and read by the engine, at most two at a time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, TypeVar

from shizi.batching.claim import NOBODY, Claim, Lane
from shizi.errors import DeadlineExceeded
from shizi.imaging.limits import Limits
from shizi.imaging.shared import Block
from shizi.pipeline.budget import Budget
from shizi.pipeline.options import ReadOptions, TextLayerUse
from shizi.serving.preview import enlarged, reduced
from shizi.serving.uploads import Upload
from shizi.tracing import span
from shizi.types import Document, ModelInfo, Page

if TYPE_CHECKING:
    from shizi.imaging.sandbox import SharedPage

_CLOCKS_S: Final = 0.01  # by which timers may be early
_AT_A_TIME: Final = 2  # pages of one document that are decoded or read

T = TypeVar("T")


async def _nothing(*_of_page: object) -> None:
    return


@dataclass(frozen=True, slots=True)
class Terms:
    """How a document is read, beside what its client asked for.

    Attributes:
        longest_side: pixels to which larger pages are reduced before they are read; None reads them as they are.
        on_page: told the pixels of each decoded page before it is read; what it raises ends the document.
        tenant: whose it is: engines share themselves among tenants.
        lane: "bulk" for what nobody sits and waits for.
        on_read: takes each page when it is read, in order, and the milliseconds of each stage up to it; what it raises ends the
            document.
    """

    longest_side: int | None = None
    on_page: Callable[[int], Awaitable[None]] = _nothing
    tenant: str = NOBODY
    lane: Lane = "interactive"
    on_read: Callable[[Page, Mapping[str, float]], Awaitable[None]] = _nothing


AS_IT_IS: Final = Terms()


class DocumentReader(Protocol):
    """What reads documents for the service."""

    async def read(self, upload: Upload, options: ReadOptions, deadline: float, terms: Terms = AS_IT_IS) -> Document:
        """Reads one document.

        Args:
            upload: the document; its file is read from the beginning.
            options: what is asked for.
            deadline: in `time.monotonic()`.
            terms: how.

        Raises:
            ShiziError: as `OCR.read`; also DeadlineExceeded, Overloaded, EngineUnavailable.
        """
        ...


class Decoder(Protocol):
    """What decodes documents, as `shizi.imaging.sandbox.Sandbox` does; blocking, and called from threads."""

    def open(
        self,
        document: BinaryIO,
        *,
        pages: Collection[int] | None,
        password: str | None,
        text_layer: TextLayerUse,
        deadline: float,
    ) -> AbstractContextManager[Iterator[SharedPage]]:
        """Pages, decoded as they are asked for."""
        ...


class Engine(Protocol):
    """What reads pages, as `shizi.serving.engines.pool.Engines` does."""

    async def read_page(
        self, page: SharedPage, options: ReadOptions, claim: Claim, source: str
    ) -> tuple[Page, Mapping[str, float]]:
        """One page, and the milliseconds of each stage; `source` is the same for the same page of the same document."""
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """Raises EngineUnavailable where it is not ready."""
        ...


@dataclass(frozen=True, slots=True)
class _Errand:
    """What the pages of a document have in common."""

    options: ReadOptions
    claim: Claim
    terms: Terms
    sha256: str
    clock: defaultdict[str, float]

    def source(self, page: SharedPage) -> str:
        return f"{self.sha256}:{page.number}"


class SandboxReader:
    """Reads with a sandbox and an engine; belongs to one event loop.

    Args:
        decoder: the sandbox.
        engine: the engine.
        limits: of one document.
        documents: read at the same time; more wait. The decoder must have a process for each.
    """

    def __init__(self, decoder: Decoder, engine: Engine, limits: Limits, documents: int) -> None:
        self._decoder, self._engine, self._limits = decoder, engine, limits
        self._free = asyncio.Semaphore(documents)
        # Two for each document: one that decodes, and one that stops it.
        self._threads = ThreadPoolExecutor(2 * documents, "shizi-decode")
        self.waiting = 0
        self.missed: Counter[str] = Counter()
        """Documents that were too late, by the stage that they were in."""

    async def read(self, upload: Upload, options: ReadOptions, deadline: float, terms: Terms = AS_IT_IS) -> Document:
        """See `DocumentReader`."""
        async with self._turn(deadline):
            models = await self._engine.models()
            clock: defaultdict[str, float] = defaultdict(float)
            errand = _Errand(options, Claim(terms.tenant, deadline, terms.lane), terms, upload.sha256, clock)
            budget = Budget(self._limits)
            pages: list[Page] = []
            running: deque[asyncio.Task[Page]] = deque()
            try:
                async with self._pages(upload, options, deadline) as decoded:
                    while (page := await self._timed(decoded(), clock, deadline)) is not None:
                        running.append(asyncio.ensure_future(self._page(page, errand)))
                        if len(running) == _AT_A_TIME:
                            pages.append(await _first(running, budget, errand))
                    while running:
                        pages.append(await _first(running, budget, errand))
            finally:
                await _dropped(running)
            return Document(tuple(pages), models, dict(clock))

    def close(self) -> None:
        """Ends the threads; what is being read must have ended."""
        self._threads.shutdown(cancel_futures=True)

    @asynccontextmanager
    async def _turn(self, deadline: float) -> AsyncIterator[None]:
        """Waits until another document may be begun."""
        self.waiting += 1
        try:
            with self._stage("turn", deadline, waiting=self.waiting):
                await self._acquire(deadline)
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._free.release()

    @asynccontextmanager
    async def _pages(
        self, upload: Upload, options: ReadOptions, deadline: float
    ) -> AsyncIterator[Callable[[], Awaitable[SharedPage | None]]]:
        """A function that gives the next page; the document is closed at the end, whatever happens."""
        document = self._decoder.open(
            upload.file,
            pages=options.pages,
            password=options.password,
            text_layer=options.text_layer,
            deadline=deadline,
        )
        pages = await self._in_thread(document.__enter__)

        async def following() -> SharedPage | None:
            return await self._in_thread(lambda: next(pages, None), lambda: document.__exit__(None, None, None))

        try:
            yield following
        finally:
            # Also where a thread still decodes for a client that went away: this stops it.
            await self._in_thread(lambda: document.__exit__(None, None, None))

    async def _acquire(self, deadline: float) -> None:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._free.acquire()
        except TimeoutError:
            raise DeadlineExceeded(
                "the time for this document was over before it was its turn: try again later, or allow more time"
            ) from None

    @contextlib.contextmanager
    def _stage(self, name: str, deadline: float, **attributes: float) -> Iterator[None]:
        """Traces a stage, and counts where it came too late, though whoever waited may have noticed first."""
        with span(name, "client" if name == "engine" else "internal", None, **attributes):
            try:
                yield
            except (DeadlineExceeded, asyncio.CancelledError):
                if time.monotonic() >= deadline - _CLOCKS_S:
                    self.missed[name] += 1
                raise

    async def _page(self, page: SharedPage, errand: _Errand) -> Page:
        """Reads a page and frees its memory."""
        terms = errand.terms
        try:
            await terms.on_page(page.width * page.height)
            with self._stage("engine", errand.claim.deadline, page=page.number, pixels=page.width * page.height):
                if terms.longest_side is None:
                    read, times = await self._engine.read_page(page, errand.options, errand.claim, errand.source(page))
                else:
                    read, times = await self._read_reduced(page, errand, terms.longest_side)
        finally:
            page.release()
        for stage, milliseconds in times.items():
            errand.clock[stage] += milliseconds
        return read

    async def _timed(self, decoding: Awaitable[T], clock: defaultdict[str, float], deadline: float) -> T:
        start = time.perf_counter()
        with self._stage("decode", deadline):
            result = await decoding
        clock["decode"] += 1000 * (time.perf_counter() - start)
        return result

    async def _read_reduced(
        self, page: SharedPage, errand: _Errand, longest_side: int
    ) -> tuple[Page, Mapping[str, float]]:
        blocks: list[Block] = []

        def reduce() -> SharedPage:
            small, block = reduced(page, longest_side)
            blocks.extend([block] if block is not None else [])
            return small

        try:
            small = await self._in_thread(reduce)
            read, times = await self._engine.read_page(small, errand.options, errand.claim, errand.source(page))
        finally:
            for block in blocks:
                block.release()
        return enlarged(read, page.width, page.height), times

    async def _in_thread(self, work: Callable[[], T], stop: Callable[[], object] | None = None) -> T:
        """The result of blocking work, which always ends before this does; `stop` is called in a thread when it is cancelled."""
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            parts: list[asyncio.Future[object]] = [asyncio.ensure_future(_result(working))]
            if stop is not None and not working.done():
                parts.append(asyncio.ensure_future(_result(loop.run_in_executor(self._threads, stop))))
            await asyncio.wait(parts)
            raise


async def _first(running: deque[asyncio.Task[Page]], budget: Budget, errand: _Errand) -> Page:
    """The page that was begun first, when it is read."""
    page = await running.popleft()
    budget.spend(page)
    await errand.terms.on_read(page, errand.clock)
    return page


async def _result(future: asyncio.Future[Any]) -> object:
    with contextlib.suppress(Exception):
        return await future
    return None


async def _dropped(tasks: Collection[asyncio.Task[Page]]) -> None:
    """Ends tasks that nobody waits for any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
