"""Documents of jobs through a real sandbox, whose documents misbehave, and a drawn engine."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from shizi.batching.claim import Claim
from shizi.database.connect import connect
from shizi.errors import CorruptDocument, EngineUnavailable, UnsupportedFormat
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox import WORKER, Sandbox, SandboxOptions, SharedPage
from shizi.jobs.delivery import InProcess
from shizi.jobs.embedded import EmbeddedWorker
from shizi.jobs.job import JobLimits, Made, Order
from shizi.jobs.reading import CrashedError, Source, Terms
from shizi.jobs.store import JobStore
from shizi.jobs.worker import WorkerOptions
from shizi.pipeline.options import ReadOptions
from shizi.serving.job_reader import JobReader
from shizi.serving.reader import SandboxReader
from shizi.types import ModelInfo, Page

FAKE = "shizi.imaging.sandbox_fake"
LIMITS = Limits()
MODEL, OTHER = (ModelInfo("recognize", "drawn", str(number), f"{number}" * 64) for number in (1, 2))


class DrawnEngine:
    """Reads the value of a page's first pixel; notes on whose behalf."""

    def __init__(self) -> None:
        self.claims: set[tuple[str, str]] = set()
        self.is_there = True
        self.replaced = False

    async def read_page(
        self,
        page: SharedPage,
        options: ReadOptions,  # noqa: ARG002
        claim: Claim,
        source: str,  # noqa: ARG002
    ) -> tuple[Page, Mapping[str, float]]:
        if not self.is_there:
            raise EngineUnavailable("it is gone")
        self.claims.add((claim.tenant, claim.lane))
        assert page.pixels is not None
        with page.pixels.array() as pixels:
            text = str(pixels[0, 0, 0])
        return Page(page.number, page.width, page.height, text=text), {"recognize": 1.0}

    @property
    def state(self) -> str:
        return "ready" if self.is_there else "restarting"

    async def models(self) -> tuple[ModelInfo, ...]:
        if not self.is_there:
            raise EngineUnavailable("it is gone")
        return (OTHER if len(self.claims) and self.replaced else MODEL,)


class Bench:
    """A reader and what belongs to it."""

    def __init__(self, worker: str) -> None:
        self.sandbox = Sandbox(LIMITS, SandboxOptions(processes=2), worker=worker)
        self.engine = DrawnEngine()
        self.inner = SandboxReader(self.sandbox, self.engine, LIMITS, 2)
        self.reader = JobReader(self.sandbox, self.inner, self.engine)
        self.pages: list[str] = []
        self.made: list[Made] = []

    def source(self, data: bytes) -> Source:
        return Source(io.BytesIO(data), len(data), "0" * 64)

    async def read(self, data: bytes, pages: tuple[int, ...] | None = None) -> None:
        async def take(page: Page, made: Made) -> None:
            self.pages.append(page.text)
            self.made.append(made)

        terms = Terms("bank", time.monotonic() + 30, alone=False, on_page=take)
        await self.reader.read(self.source(data), ReadOptions(pages=pages), terms)

    def close(self) -> None:
        self.inner.close()
        self.sandbox.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(FAKE)
    yield bench
    bench.close()


def run(work: Callable[[], Awaitable[object]]) -> None:
    async def main() -> None:
        await work()

    asyncio.run(main())


def test_pages_come_one_by_one_in_the_lane_for_bulk_work(bench: Bench) -> None:
    async def work() -> None:
        await bench.read(b"nothing")

    run(work)
    assert bench.pages == ["1", "2", "3"]
    assert [made.models for made in bench.made] == [(MODEL,)] * 3
    assert sum(made.timings_ms["recognize"] for made in bench.made) == 3.0
    assert bench.engine.claims == {("bank", "bulk")}
    assert bench.reader.ready
    bench.engine.is_there = False
    assert not bench.reader.ready


def test_pages_name_the_models_of_both_engines_when_one_replaces_the_other(bench: Bench) -> None:
    bench.engine.replaced = True

    async def work() -> None:
        await bench.read(b"nothing")

    run(work)
    assert [made.models for made in bench.made] == [(MODEL, OTHER), (OTHER,), (OTHER,)]


def test_what_the_pages_taker_raises_ends_the_reading(bench: Bench) -> None:
    async def full(page: Page, _made: Made) -> None:
        bench.pages.append(page.text)
        raise BufferError

    async def work() -> None:
        terms = Terms("bank", time.monotonic() + 30, alone=False, on_page=full)
        with pytest.raises(BufferError):
            await bench.reader.read(bench.source(b"nothing"), ReadOptions(), terms)

    run(work)
    assert bench.pages == ["1"]
    assert bench.sandbox.stats.shared_blocks == 0


@pytest.mark.parametrize("failure", ["crash", "be killed", "babble"])
def test_a_sandbox_that_dies_is_a_crash_and_no_refusal(bench: Bench, failure: str) -> None:
    async def work() -> None:
        with pytest.raises(CrashedError):
            await bench.read(f"{failure} on page 2".encode())
        with pytest.raises(CrashedError):
            await bench.reader.count(bench.source(failure.encode()), None, time.monotonic() + 30)

    run(work)
    assert bench.pages == ["1"] or bench.pages == []


def test_a_document_that_is_refused_is_refused() -> None:
    bench = Bench(WORKER)

    async def work() -> None:
        with pytest.raises(UnsupportedFormat):
            await bench.read(b"no document at all")
        with pytest.raises(CorruptDocument):
            await bench.reader.count(bench.source(b"%PDF-1.7 and nothing more"), None, time.monotonic() + 30)

    run(work)
    bench.close()


def test_an_engine_that_is_gone_is_no_crash(bench: Bench) -> None:
    bench.engine.is_there = False

    async def work() -> None:
        with pytest.raises(EngineUnavailable):
            await bench.read(b"nothing")

    run(work)


def test_a_document_that_kills_the_sandbox_is_quarantined_after_three_attempts_and_its_neighbours_are_read(
    bench: Bench, tmp_path: Path
) -> None:
    database = connect(None, tmp_path)
    limits, delivery = JobLimits(), InProcess()
    jobs = JobStore(database, limits, delivery.send)
    files = [(None, io.BytesIO(data)) for data in (b"nothing", b"crash", b"nothing", b"crash on page 3")]
    job = jobs.create(Order(tenant="bank"), files)

    async def work() -> None:
        async with EmbeddedWorker(database, limits, delivery, bench.reader, WorkerOptions(poll_s=0.1)):
            end = time.monotonic() + 60
            while not jobs.get("bank", job.id).is_finished:
                assert time.monotonic() < end
                await asyncio.sleep(0.05)

    run(work)
    documents = jobs.documents("bank", job.id)
    assert [document.state for document in documents] == ["succeeded", "failed", "succeeded", "partial"]
    assert [document.error for document in documents] == [None, "CORRUPT_DOCUMENT", None, "CORRUPT_DOCUMENT"]
    assert documents[3].pages_done == 1 or documents[3].pages_done == 2
    assert bench.sandbox.stats.kills["crash"] == 6
    with pytest.raises(CorruptDocument, match="the decoder crashed"):
        jobs.result("bank", job.id, 2)
    database.close()
