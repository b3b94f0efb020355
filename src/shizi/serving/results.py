"""The result of a request: from the cache, or let in, read, measured and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from shizi.export import from_json
from shizi.export.json import render_line
from shizi.pipeline.options import ReadOptions
from shizi.serving.admission import Admission, Ticket
from shizi.serving.cache import Keys, Outcome, Plain, ResultCache
from shizi.serving.cost import Stages, Work, line_pixels, page_work
from shizi.serving.metrics import Metrics
from shizi.serving.reader import DocumentReader, Terms
from shizi.serving.uploads import Upload
from shizi.tracing import span
from shizi.types import Document, ModelInfo

# Of a page of which nothing but its bytes is known: a scan takes about a byte for eight pixels.
_PIXELS_A_BYTE: Final = 8
_LIKELY: Final = (500_000, 8_000_000)


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request asks for.

    Attributes:
        tenant: whose it is.
        upload: the document.
        options: of the engine.
        deadline: in `time.monotonic()`.
        longest_side: of a preview; None reads pages as they are.
        on_page: told the pixels of each page before it is read.
        store: False for a request that wants nothing kept.
    """

    tenant: str
    upload: Upload
    options: ReadOptions
    deadline: float
    longest_side: int | None
    on_page: Callable[[int], Awaitable[None]]
    store: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What a request gets.

    Attributes:
        json: the document on one line.
        document: the same; None where it was not made for this request.
        outcome: of the cache.
    """

    json: bytes
    document: Document | None
    outcome: Outcome


class Results:
    """Belongs to one event loop.

    Args:
        reader: reads documents.
        models: that make the results; raises EngineUnavailable.
        admission: lets requests in.
        cache: keeps results.
        metrics: counts what is read.
        version: of the code.
        threads: write JSON.
    """

    def __init__(
        self,
        reader: DocumentReader,
        models: Callable[[], Awaitable[tuple[ModelInfo, ...]]],
        admission: Admission,
        cache: ResultCache,
        metrics: Metrics,
        version: str,
        threads: Executor,
    ) -> None:
        self._reader, self._models = reader, models
        self._admission, self._cache = admission, cache
        self._metrics, self._version, self._threads = metrics, version, threads

    async def get(self, asking: Asking) -> Result:
        """The document of a request.

        Raises:
            ShiziError: as `DocumentReader.read`; also Overloaded.
        """
        keys = Keys(self._cache.secret, await self._models(), self._version)
        key = keys.key(asking.tenant, bytes.fromhex(asking.upload.sha256), _canonical(asking))
        made: list[Document] = []

        async def compute() -> bytes:
            # Others may wait for it after the request that began it is gone, with its file.
            with asking.upload.again() as own:
                document = await self._read(asking, own)
            made.append(document)
            return await asyncio.get_running_loop().run_in_executor(self._threads, render_line, document)

        with span("cache") as mark:
            json, outcome = await self._cache.get(asking.tenant, key, asking.deadline, compute, store=asking.store)
            mark.note(outcome=outcome)
        return Result(json, made[0] if made else None, outcome)

    async def document(self, result: Result) -> Document:
        """The document of a result, also where it came from the cache."""
        if result.document is not None:
            return result.document
        return await asyncio.get_running_loop().run_in_executor(self._threads, from_json, result.json)

    async def _read(self, asking: Asking, upload: Upload) -> Document:
        least, most = _LIKELY
        likely = min(max(upload.size * _PIXELS_A_BYTE, least), most)
        guess = Work(likely, min(likely, page_work(1000, 1000).detected))
        with span("admission", backlog_s=self._admission.backlog_seconds):
            admitted = self._admission.admit(asking.tenant, guess, upload.size, asking.deadline)
        with (
            admitted as ticket,
            self._metrics.documents.track_inprogress(),
        ):
            terms = Terms(asking.longest_side, _revising(ticket, asking.on_page), asking.tenant)
            document = await self._reader.read(upload, asking.options, asking.deadline, terms)
            self._metrics.count(document)
            if asking.longest_side is None and asking.options.detect and asking.options.recognize:
                _observe(ticket, document)
        return document


def _revising(ticket: Ticket, on_page: Callable[[int], Awaitable[None]]) -> Callable[[int], Awaitable[None]]:
    async def told(pixels: int) -> None:
        await on_page(pixels)
        ticket.revise(page_work(pixels, 1))

    return told


def _observe(ticket: Ticket, document: Document) -> None:
    """Says what the document took, where all of it was read from pixels."""
    pages = document.pages
    lines = [line for page in pages for line in page.lines]
    if not pages or any(line.source != "ocr" for line in lines):
        return
    parts = [page_work(page.width, page.height) for page in pages]
    work = Work(sum(part.decoded for part in parts), sum(part.detected for part in parts), line_pixels(lines))
    seconds = {stage: milliseconds / 1000 for stage, milliseconds in document.timings_ms.items()}
    ticket.observe(work, Stages(seconds.get("decode"), seconds.get("detect"), seconds.get("recognize")))


def _canonical(asking: Asking) -> dict[str, Plain]:
    options = asking.options
    return {
        "detect": options.detect,
        "classify": options.classify,
        "recognize": options.recognize,
        "pages": None if options.pages is None else tuple(sorted(options.pages)),
        "languages": None if options.languages is None else tuple(sorted({tag.lower() for tag in options.languages})),
        "password": options.password,
        "text_layer": options.text_layer,
        "min_score": options.min_score,
        "longest_side": asking.longest_side,
    }
