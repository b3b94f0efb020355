from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.database.connect import Database, connect
from shizi.errors import ModelLoadFailed, NotFound, OutOfMemory, ShiziError, StorageUnavailable, UnsupportedFormat
from shizi.jobs.delivery import Delivery, InProcess
from shizi.jobs.embedded import EmbeddedWorker
from shizi.jobs.fake import FakeReader, document, text_of
from shizi.jobs.job import Claim, Job, JobLimits, Order
from shizi.jobs.reading import judge, read_options
from shizi.jobs.reconciler import ReconcilerOptions
from shizi.jobs.store import JobStore
from shizi.jobs.tasks import TaskStore
from shizi.jobs.worker import Worker, WorkerOptions

TENANT = "bank"
LIMITS = JobLimits(lease_s=1.2, renew_s=0.3, put_back_s=0.05, page_timeout_s=30.0)
OPTIONS = WorkerOptions(poll_s=0.05, grace_s=0.5)
SOON_S = 20.0


class Place:
    """A database, and workers on it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.delivery: Delivery = InProcess()
        self.jobs = JobStore(database, LIMITS, self.delivery.send)

    def order(self, *documents: bytes, tenant: str = TENANT) -> Job:
        return self.jobs.create(Order(tenant=tenant), [(None, io.BytesIO(data)) for data in documents])

    @asynccontextmanager
    async def worker(
        self, reader: FakeReader, limits: JobLimits = LIMITS, options: WorkerOptions = OPTIONS
    ) -> AsyncIterator[EmbeddedWorker]:
        looks = ReconcilerOptions(every_s=0.2)
        async with EmbeddedWorker(self.database, limits, self.delivery, reader, options, looks) as worker:
            yield worker

    def job(self, job: Job) -> Job:
        return self.jobs.get(job.tenant, job.id)

    async def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + SOON_S
        while not await asyncio.to_thread(holds):
            assert time.monotonic() < end, "it did not come true in time"
            await asyncio.sleep(0.05)

    async def finished(self, *jobs: Job) -> None:
        await self.until(lambda: all(self.job(job).is_finished for job in jobs))

    def texts(self, job: Job, number: int = 1) -> list[str]:
        return [result.page.text for result in self.jobs.pages(job.tenant, job.id, document=number, limit=1000)]

    def kinds(self, job: Job) -> list[str]:
        return [event.kind for event in self.jobs.events(job.tenant, job.id)]


@pytest.fixture
def place(database_url: str | None, tmp_path: Path) -> Iterator[Place]:
    database = connect(database_url, tmp_path)
    yield Place(database)
    database.close()


def run(work: Awaitable[None]) -> None:
    async def main() -> None:
        await work

    asyncio.run(main())


def test_documents_of_all_kinds_are_read_and_each_page_once(place: Place) -> None:
    data = document("report", pages=40)
    job = place.order(data, document("photo"))
    reader = FakeReader()

    async def main() -> None:
        async with place.worker(reader):
            await place.finished(job)

    run(main())
    assert place.job(job).state == "succeeded"
    assert place.texts(job) == [text_of(data, number) for number in range(1, 41)]
    assert place.texts(job, 2) == ["photo page 1"]
    assert set(reader.read_pages.values()) == {1}
    assert place.jobs.result(TENANT, job.id, 1).models[0].name == "fake"
    assert place.kinds(job).count("page") == 41


def test_a_page_that_crashes_three_times_is_quarantined_alone_and_its_neighbours_are_read(place: Place) -> None:
    job = place.order(document("poison", pages=40, crash=20), document("good"))
    reader = FakeReader()

    async def main() -> None:
        async with place.worker(reader):
            await place.finished(job)

    run(main())
    poisoned, good = place.jobs.documents(TENANT, job.id)
    assert (place.job(job).state, poisoned.state, good.state) == ("partial", "partial", "succeeded")
    assert poisoned.error == "ENGINE_UNAVAILABLE"
    assert reader.read_pages["poison page 20"] == 3
    assert reader.alone == {"poison page 20"}, "the third time nothing else was at work"
    assert len(place.texts(job)) == 16 + 3 + 8, "also the pages of its run that came before it"
    assert reader.read_pages["poison page 19"] == 1, "what was read is not read again"


def test_who_has_crashed_twice_is_read_with_nothing_beside_it(place: Place) -> None:
    poisoned = [place.order(document(f"poison {number}", slow_ms=60, crash=1)) for number in range(2)]
    others = [place.order(document(f"good {number}", pages=12, slow_ms=30)) for number in range(2)]
    reader = FakeReader()

    async def main() -> None:
        async with place.worker(reader, options=replace(OPTIONS, slots=4)):
            await place.finished(*poisoned, *others)

    run(main())
    assert reader.alone == {"poison 0 page 1", "poison 1 page 1"}
    assert reader.disturbed == set()
    assert [place.job(job).state for job in (*poisoned, *others)] == ["failed", "failed", "succeeded", "succeeded"]


@pytest.mark.parametrize(
    ("failure", "code", "attempts"),
    [
        ("corrupt", "CORRUPT_DOCUMENT", 1),
        ("memory", "OUT_OF_MEMORY", 3),
        ("bug", "INTERNAL", 3),
        ("hang", "TIMEOUT", 3),
    ],
)
def test_what_a_failure_costs(place: Place, failure: str, code: str, attempts: int) -> None:
    job = place.order(document("bad", **{failure: 1}), document("good"))
    reader = FakeReader()

    async def main() -> None:
        async with place.worker(reader, replace(LIMITS, page_timeout_s=0.2 / LIMITS.pages_per_task)):
            await place.finished(job)

    run(main())
    bad, good = place.jobs.documents(TENANT, job.id)
    assert (bad.state, bad.error, reader.read_pages["bad page 1"]) == ("failed", code, attempts)
    assert good.state == "succeeded"
    assert "no log may show" not in (bad.message or "")


def test_no_room_is_no_crash(place: Place) -> None:
    job = place.order(document("late", overloaded=1))
    reader = FakeReader()

    async def main() -> None:
        async with place.worker(reader):
            await place.until(lambda: reader.read_pages["late page 1"] >= 4)
            assert place.job(job).state == "running"
            await asyncio.to_thread(place.jobs.cancel, TENANT, job.id)
            begun = reader.read_pages["late page 1"]
            await asyncio.sleep(1)
            assert reader.read_pages["late page 1"] <= begun + 1

    run(main())


def test_a_worker_whose_engine_is_not_ready_leaves_tasks_to_others(place: Place) -> None:
    job = place.order(document("x"))
    reader = FakeReader()
    reader.ready = False

    async def main() -> None:
        async with place.worker(reader):
            await asyncio.sleep(0.5)
            assert place.job(job).state == "queued"
            reader.ready = True
            await place.finished(job)

    run(main())


def test_cancelling_and_deleting_stop_the_work_on_it(place: Place) -> None:
    jobs = [place.order(document(name, pages=16, slow_ms=400)) for name in ("cancelled", "deleted")]
    reader = FakeReader()

    async def main() -> None:
        async with place.worker(reader) as worker:
            await place.until(lambda: all(place.job(job).pages_done >= 1 for job in jobs))
            await asyncio.to_thread(place.jobs.cancel, TENANT, jobs[0].id)
            await asyncio.to_thread(place.jobs.delete, TENANT, jobs[1].id)
            assert worker.worker is not None
            held = worker.worker
            await place.until(lambda: held.held == 0)

    run(main())
    assert reader.read_pages.total() < 12
    assert place.job(jobs[0]).state == "cancelled"
    with pytest.raises(NotFound):
        place.job(jobs[1])


def test_a_worker_that_stops_gives_back_what_it_holds_and_another_goes_on(place: Place) -> None:
    job = place.order(document("long", pages=16, slow_ms=100))
    first, second = FakeReader(), FakeReader()

    async def main() -> None:
        async with place.worker(first):
            await place.until(lambda: place.job(job).pages_done >= 2)
        async with place.worker(second) as worker:
            await place.finished(job)
            assert worker.reconciler.expired == 0, "nobody waited for a lease to run out"

    run(main())
    assert place.job(job).state == "succeeded"
    assert len(place.texts(job)) == 16
    pages = first.read_pages + second.read_pages
    assert pages.total() <= 17, "at most the page that was being read is read twice"


def test_a_page_longer_than_the_grace_is_given_back_as_well(place: Place) -> None:
    job = place.order(document("slow", slow_ms=5000))

    async def main() -> None:
        async with place.worker(FakeReader()):
            await place.until(lambda: place.job(job).state == "running")
            begun = time.monotonic()
        assert time.monotonic() - begun < 2

    run(main())
    claim = TaskStore(place.database, LIMITS, place.delivery.send).claim("next")
    assert claim is not None
    assert (claim.attempts, claim.crashes) == (2, 0)


class CutOff(TaskStore):
    """The tasks as a worker sees them whose network is gone: it can neither renew nor say anything."""

    cut = True

    def renew(self, claim: Claim) -> None:
        """Does not arrive."""
        if self.cut:
            raise StorageUnavailable("cut off, on purpose", 0.1)
        super().renew(claim)


def test_of_a_worker_that_was_cut_off_and_one_that_took_over_one_result_is_seen(place: Place) -> None:
    job = place.order(document("contested", slow_ms=2500))
    cut_off = CutOff(place.database, LIMITS, place.delivery.send)
    late, quick = FakeReader(), FakeReader()

    async def main() -> None:
        worker = Worker(cut_off, late, place.delivery, replace(OPTIONS, name="cut off", slots=1))
        # It does not even notice that its lease ran out.
        worker._limits = replace(LIMITS, lease_s=60.0)
        working = asyncio.create_task(worker.run())
        await place.until(lambda: late.read_pages.total() == 1)
        async with place.worker(quick):
            await place.finished(job)
            await place.until(lambda: worker.held == 0)
        worker.stop()
        await working
        assert worker.ended == {"lost": 1}

    run(main())
    assert late.read_pages.total() == quick.read_pages.total() == 1
    assert place.texts(job) == ["contested page 1"]
    assert place.kinds(job) == ["queued", "running", "page", "document", "finished"]


def test_a_worker_that_cannot_renew_stops_by_itself(place: Place) -> None:
    place.order(document("x", slow_ms=60_000))
    cut_off = CutOff(place.database, LIMITS, place.delivery.send)

    async def main() -> None:
        reader = FakeReader()
        worker = Worker(cut_off, reader, place.delivery, OPTIONS)
        working = asyncio.create_task(worker.run())
        await place.until(lambda: worker.ended["lost"] == 1)
        worker.stop()
        await working

    run(main())


def test_two_workers_share_the_work_and_read_nothing_twice(place: Place) -> None:
    jobs = [place.order(document(f"d{number}", pages=20, slow_ms=5)) for number in range(4)]
    readers = FakeReader(), FakeReader()

    async def main() -> None:
        async with place.worker(readers[0]), place.worker(readers[1]):
            await place.finished(*jobs)

    run(main())
    assert all(reader.read_pages for reader in readers)
    assert set((readers[0].read_pages + readers[1].read_pages).values()) == {1}
    assert all(len(place.texts(job)) == 20 for job in jobs)


def test_an_unreachable_database_is_waited_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    job = place.order(document("x"))
    away = [5]
    claim = TaskStore.claim

    def claims(self: TaskStore, worker: str) -> Claim | None:
        if away[0]:
            away[0] -= 1
            raise StorageUnavailable("gone, on purpose", 0.1)
        return claim(self, worker)

    monkeypatch.setattr(TaskStore, "claim", claims)

    async def main() -> None:
        async with place.worker(FakeReader()):
            await place.finished(job)

    run(main())
    assert place.job(job).state == "succeeded"


def test_what_errors_mean() -> None:
    endings = {
        type(error): judge(error).ending
        for error in (
            ModelLoadFailed("x"),
            UnsupportedFormat("x"),
            OutOfMemory("x"),
            ShiziError("x"),
            ValueError("secret"),
        )
    }
    assert list(endings.values()) == ["put back", "refused", "crashed", "crashed", "crashed"]
    assert "secret" not in judge(ValueError("secret")).message


def test_options_are_those_of_reading() -> None:
    options = read_options({"languages": ["en"], "detect": True, "pages": [1, 2], "min_score": None}, None)
    assert (options.languages, options.pages) == (("en",), (1, 2))
    assert read_options({"pages": [1, 2]}, (2,)).pages == (2,)
    for wrong in ({"unknown": 1}, {"languages": "en"}, {"detect": "yes"}, {"min_score": 7}):
        with pytest.raises(ShiziError, match=r"option|min_score"):
            read_options(wrong, None)
