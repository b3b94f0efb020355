"""Whatever is done in whatever order, by workers that die, lag behind or lie: what must always hold, holds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from shizi.errors import NotFound
from shizi.jobs.job import FINISHED, Claim, Ending, Job, JobLimits, LeaseLostError
from shizi.jobs.sums import fold
from tests.jobs.stores import IMAGE, PDF, Stores, page
from tests.jobs.sums import counted, sums

LIMITS = JobLimits(pages_per_task=2)
PAGES = 5
TENANTS = ("bank", "shop")


class Jobs(RuleBasedStateMachine):
    """Tenants order, cancel and delete; workers claim, save, end, vanish, and come back with old claims."""

    url: str | None = None
    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.stores = Stores(self.url, Path(self.folder.name), LIMITS)
        self.latest: dict[str, Claim] = {}
        self.finished: dict[str, str] = {}
        self.seen: dict[tuple[str, int, int], str] = {}
        self.ordered: dict[str, Job] = {}
        self.gone: set[str] = set()

    @rule(
        target=jobs,
        tenant=st.sampled_from(TENANTS),
        documents=st.lists(st.sampled_from((IMAGE, PDF)), min_size=1, max_size=2),
    )
    def order(self, tenant: str, documents: list[bytes]) -> Job:
        job = self.stores.order(*documents, tenant=tenant)
        self.ordered[job.id] = job
        return job

    @rule(target=claims)
    def claim(self) -> Any:  # noqa: ANN401 (hypothesis has no type for nothing)
        claim = self.stores.tasks.claim("worker")
        if claim is None:
            return multiple()
        held = self.latest.get(claim.task_id)
        assert held is None or held.token < claim.token, "tokens grow"
        assert claim.crashes < LIMITS.most_crashes
        assert claim.job_id not in self.gone
        self.latest[claim.task_id] = claim
        return claim

    @rule(
        claim=claims,
        number=st.integers(1, PAGES),
        text=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5),
    )
    def save(self, claim: Claim, number: int, text: str) -> None:
        if claim.kind == "split" or (claim.pages is not None and number not in claim.pages):
            return
        number = 1 if claim.pages is None else number
        try:
            self.stores.tasks.save(claim, page(number, f"{text} by {claim.token}"))
        except LeaseLostError:
            return
        assert self.latest[claim.task_id] == claim, "a stale token was heard"

    @rule(claim=claims, how=st.sampled_from(("succeed", "refused", "crashed", "put back", "released")))
    def end(self, claim: Claim, how: Ending | Literal["succeed"]) -> None:
        try:
            if how != "succeed":
                self.stores.tasks.end(claim, how, "CORRUPT_DOCUMENT", "a message")
            elif claim.kind == "split":
                self.stores.tasks.split(claim, PAGES)
            else:
                for number in claim.pages or ((1,) if claim.pages is None else ()):
                    self.stores.tasks.save(claim, page(number, f"by {claim.token}"))
                self.stores.tasks.succeed(claim)
        except LeaseLostError:
            return
        assert self.latest[claim.task_id] == claim, "a stale token was heard"

    @rule(seconds=st.sampled_from((1, 6, 16, 70)))
    def time_passes(self, seconds: int) -> None:
        self.stores.later(seconds)
        self.stores.tasks.expire()
        fold(self.stores.database, 1)

    @rule(job=jobs)
    def cancel(self, job: Job) -> None:
        if job.id not in self.gone:
            self.stores.jobs.cancel(job.tenant, job.id)

    @rule(job=consumes(jobs))
    def delete(self, job: Job) -> None:
        if job.id not in self.gone:
            self.stores.jobs.delete(job.tenant, job.id)
            self.gone.add(job.id)

    @invariant()
    def what_must_always_hold(self) -> None:
        for job in self.ordered.values():
            other = next(tenant for tenant in TENANTS if tenant != job.tenant)
            with pytest.raises(NotFound):
                self.stores.jobs.get(other, job.id)
            if job.id in self.gone:
                with pytest.raises(NotFound):
                    self.stores.job(job)
                continue
            self.holds(job)
        assert sums(self.stores.database) == counted(self.stores.database)

    def holds(self, job: Job) -> None:
        now = self.stores.job(job)
        before = self.finished.get(job.id)
        assert before in (None, now.state), "a finished job never changes"
        if now.state in FINISHED:
            self.finished[job.id] = now.state
        kinds = self.stores.kinds(job)
        assert len(kinds) == now.last_event
        assert kinds.count("finished") == (now.state in FINISHED)
        results = self.stores.jobs.pages(job.tenant, job.id, limit=1000)
        assert len(results) == now.pages_done == kinds.count("page")
        for result in results:
            key = (job.id, result.document, result.page.number)
            assert self.seen.setdefault(key, result.page.text) == result.page.text, (
                "a result that was seen never changes"
            )
        documents = self.stores.jobs.documents(job.tenant, job.id)
        assert sum(document.pages_done for document in documents) == now.pages_done
        assert kinds.count("document") == sum(document.state in FINISHED for document in documents)
        assert (now.state in FINISHED) == all(document.state in FINISHED for document in documents)

    def teardown(self) -> None:
        """Whatever was left is worked off in the end: nothing is lost."""
        for job in self.ordered.values():
            if job.id not in self.gone:
                self.stores.later(1000)
                self.stores.tasks.expire()
        while (claim := self.stores.tasks.claim("last")) is not None:
            self.latest[claim.task_id] = claim
            self.end(claim, "succeed")
        for job in self.ordered.values():
            if job.id not in self.gone:
                assert self.stores.job(job).state in FINISHED
        self.what_must_always_hold()
        for job in self.ordered.values():
            if job.id not in self.gone:
                self.stores.jobs.delete(job.tenant, job.id)
        while self.stores.retention.bury():
            pass
        assert set(self.stores.rows().values()) == {0}
        self.stores.database.close()
        self.folder.cleanup()


def test_whatever_happens(database_url: str | None) -> None:
    machine = type("Machine", (Jobs,), {"url": database_url})
    examples = 10 if database_url is None else 8
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
