from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from shizi.errors import StorageUnavailable
from shizi.jobs.fake import FakeReader, document
from shizi.jobs.job import Claim
from shizi.jobs.tasks import TaskStore
from shizi.jobs.worker import Worker
from tests.jobs.places import LIMITS, OPTIONS, Place, run


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
        assert time.monotonic() - begun < 4, "the page itself takes 5 s"

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


class Dawdling(TaskStore):
    """Tells a worker of its task only after a while."""

    claiming = False

    def claim(self, worker: str) -> Claim | None:
        """The same, later."""
        claim = super().claim(worker)
        self.claiming = True
        time.sleep(0.3)
        return claim


def test_a_worker_that_is_cancelled_while_it_takes_a_task_gives_it_back(place: Place) -> None:
    place.order(document("taken", pages=3))
    tasks = Dawdling(place.database, LIMITS, place.delivery.send)

    async def main() -> None:
        async with place.delivery:
            worker = Worker(tasks, FakeReader(), place.delivery, replace(OPTIONS, slots=1))
            working = asyncio.create_task(worker.run())
            await place.until(lambda: tasks.claiming)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    run(main())
    claim = TaskStore(place.database, LIMITS, place.delivery.send).claim("next")
    assert claim is not None, "nobody waits for a lease to run out"
    assert (claim.attempts, claim.crashes) == (2, 0)


class Unwritable(TaskStore):
    """A database that refuses one task's end in a way that nobody foresaw."""

    def succeed(self, claim: Claim) -> None:
        """Fails for documents of a certain size."""
        if claim.size % 2:
            raise RuntimeError("no value for this column, on purpose")
        super().succeed(claim)


def test_a_task_that_cannot_be_written_down_is_given_up_and_the_others_go_on(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    odd = document("odd")
    odd += b"x" * (len(odd) % 2 == 0)
    even = document("even")
    even += b"x" * (len(even) % 2)
    broken, well = place.order(odd), place.order(even)
    tasks = Unwritable(place.database, LIMITS, place.delivery.send)

    async def main() -> None:
        worker = Worker(tasks, FakeReader(), place.delivery, replace(OPTIONS, slots=1))
        working = asyncio.create_task(worker.run())
        async with place.watch():
            await place.finished(broken, well)
        assert worker.held == 0
        worker.stop()
        await working

    run(main())
    assert (place.job(broken).state, place.job(well).state) == ("partial", "succeeded")
    assert "dropped unexpectedly" in caplog.text
