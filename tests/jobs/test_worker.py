from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shizi.errors import ModelLoadFailed, NotFound, OutOfMemory, ShiziError, StorageUnavailable, UnsupportedFormat
from shizi.jobs.fake import FakeReader, document, text_of
from shizi.jobs.job import Claim
from shizi.jobs.reading import judge, read_options
from shizi.jobs.tasks import TaskStore
from tests.jobs.places import LIMITS, OPTIONS, TENANT, Place, run


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
