"""Reads documents of jobs: in a sandbox of their own, so that requests never wait for one, and by the engines that all share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Protocol

from shizi.errors import EngineUnavailable, InvalidRequest, ShiziError
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox import Sandbox, SandboxOptions
from shizi.imaging.sandbox_death import GoneError
from shizi.jobs.job import Made
from shizi.jobs.reading import CrashedError, Source
from shizi.jobs.reading import Terms as JobTerms
from shizi.pipeline.options import ReadOptions
from shizi.serving.engines.pool import Engines
from shizi.serving.reader import SandboxReader, Terms
from shizi.serving.uploads import Upload
from shizi.types import Document, ModelInfo, Page


class Readers(Protocol):
    """What is asked of engines beside reading; `shizi.serving.engines.pool.Engines` is one."""

    @property
    def state(self) -> str:
        """ "ready", or why not."""
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models that pages are read with; raises EngineUnavailable where no engine is ready."""
        ...


def _nobody(_document: Document) -> None:
    return


class JobReader:
    """See `shizi.jobs.reading.PageReader`; belongs to one event loop.

    Args:
        sandbox: in which pages are counted, and in which `reader` decodes.
        reader: what reads.
        engines: that it reads with.
        told: of each document, or run of its pages, that was read.
    """

    def __init__(
        self, sandbox: Sandbox, reader: SandboxReader, engines: Readers, told: Callable[[Document], None] = _nobody
    ) -> None:
        self.sandbox, self._reader, self._engines, self._told = sandbox, reader, engines, told

    @property
    def ready(self) -> bool:
        """Whether an engine is ready."""
        return self._engines.state == "ready"

    async def count(self, source: Source, password: str | None, deadline: float) -> int:
        """Pages of a PDF."""
        with _crashes():
            return await asyncio.to_thread(self._count, source, password, deadline)

    def _count(self, source: Source, password: str | None, deadline: float) -> int:
        first = self.sandbox.open(
            source.file, pages=(1,), password=password, text_layer="only", deadline=deadline
        )  # its text alone: nothing is rendered
        with first as pages:
            return next(pages).count

    async def read(self, source: Source, options: ReadOptions, terms: JobTerms) -> None:
        """Reads in the lane for what nobody sits and waits for."""
        upload = Upload(source.file, source.size, source.sha256)
        on_read = _Notes(self._engines, await self._engines.models(), terms.on_page)
        with _crashes():
            read = await self._reader.read(
                upload, options, terms.deadline, Terms(on_read=on_read, tenant=terms.tenant, lane="bulk")
            )
        self._told(read)


class _Notes:
    """Says of each page of a document by what it was read.

    Pages are saved one by one, so a document whose engine is replaced meanwhile has pages of both. A page names the models
    that there were when the one before it was read and those that there are: whoever read it is one of these.
    """

    def __init__(
        self, engines: Readers, models: tuple[ModelInfo, ...], on_page: Callable[[Page, Made], Awaitable[None]]
    ) -> None:
        self._engines, self._models, self._on_page = engines, models, on_page
        self._clock: Mapping[str, float] = {}

    async def __call__(self, page: Page, clock: Mapping[str, float]) -> None:
        before = self._models
        with contextlib.suppress(EngineUnavailable):
            self._models = await self._engines.models()
        models = (*before, *(model for model in self._models if model not in before))
        timings = {stage: sum_ms - self._clock.get(stage, 0.0) for stage, sum_ms in clock.items()}
        self._clock = dict(clock)
        await self._on_page(page, Made(models, timings))


@contextlib.contextmanager
def reading_jobs(
    engines: Engines, limits: Limits, documents: int, told: Callable[[Document], None] = _nobody
) -> Iterator[JobReader]:
    """A reader with a sandbox for so many documents at a time; both end with the context.

    Args:
        engines: that read.
        limits: of each document.
        documents: at a time.
        told: see `JobReader`.

    Raises:
        InvalidRequest: this system has no sandbox.
        EngineUnavailable: no process can be started.
    """
    if documents < 1:
        raise InvalidRequest(f"{documents} documents at a time are too few; name 1 or more")
    with contextlib.ExitStack() as stack:
        sandbox = Sandbox(limits, SandboxOptions(processes=documents))
        stack.callback(sandbox.close)
        reader = SandboxReader(sandbox, engines, limits, documents)
        stack.callback(reader.close)
        yield JobReader(sandbox, reader, engines, told)


@contextlib.contextmanager
def _crashes() -> Iterator[None]:
    """Says of an error whether a process died: a document that it refused is refused, one that it died of may have another try.

    A page that engines die of is found out by `Engines`, with as many tries as that takes.
    """
    try:
        yield
    except ShiziError as error:
        if isinstance(error.__cause__, GoneError) and error.__cause__.reason in ("crash", "memory", "nonsense"):
            raise CrashedError(error) from error
        raise
