"""Orders jobs, kills at random what works on them, and says what became of every one."""

from __future__ import annotations

import io
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from benchmarks.killing.documents import Make, same
from shizi.database.connect import Database
from shizi.jobs.job import JobLimits, Order
from shizi.jobs.orders import Notify
from shizi.jobs.store import JobStore
from shizi.jobs.tables import DOCUMENTS, TASKS

TENANT: Final = "kill-run"
PAGES_ON_THE_WAY: Final = 2  # of one task: read before the kill, and saved after it
_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Target:
    """What is about to be killed.

    Attributes:
        worker: number of the worker process whose tasks that hits; None for the tasks of all.
        strike: kills it.
    """

    worker: int | None
    strike: Callable[[], object]


# How a target of each kind is chosen; None where there is none just now.
Victims = Mapping[str, Callable[[], Target | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is done.

    Attributes:
        jobs: of one document each.
        kills: at least so many.
        pause_s: between two kills, on average; each pause is anything from a tenth to twice of it.
        at_once: jobs that are not finished; more are ordered as they end, spread over the kills.
        patience_s: after the last job was ordered.
        seed: of chance.
    """

    jobs: int
    kills: int
    pause_s: float
    at_once: int = 12
    patience_s: float = 180.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Held:
    """A task that was being worked on, as it was."""

    task: str
    job: str
    token: int
    pages_done: int

    def goes_on(self, now: Held | None) -> bool:
        """Whether it ended, was taken up anew, or has more pages than those that were on their way already."""
        return now is None or now.token != self.token or now.pages_done >= self.pages_done + PAGES_ON_THE_WAY


@dataclass(slots=True)
class Kill:
    """One kill: what, when, which tasks it hit, and how long each of these stood still."""

    kind: str
    at: float
    tasks: tuple[Held, ...]
    still: set[Held]
    stood_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of the jobs.

    Attributes:
        states: jobs by state.
        lost: jobs that did not end, or lack a page.
        twice: pages that became visible more than once.
        wrong: pages with another page's text, or a misread one.
        crashes: attempts that ended with the death of what read.
        recovery_s: for each kill that hit tasks, the seconds until all of these went on.
        done_s: the same until the jobs of these were done, whatever was killed meanwhile.
        kills: by kind.
    """

    jobs: int
    pages: int
    seconds: float
    states: Mapping[str, int]
    errors: Mapping[str, int]
    lost: int
    twice: int
    wrong: int
    crashes: int
    kills: Mapping[str, int]
    recovery_s: tuple[float, ...] = field(repr=False)
    done_s: tuple[float, ...] = field(repr=False)

    @property
    def failed(self) -> bool:
        """Whether anything was lost, seen twice, mixed up or given up."""
        return bool(self.lost or self.twice or self.wrong or set(self.states) - {"succeeded"})


def quantile(values: tuple[float, ...], part: float) -> float:
    """0 where there are none."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else 0.0


class KillRun:
    """One run.

    Args:
        database: of the workers.
        limits: the workers' own.
        notify: tells the workers.
        make: makes the document of each job.
        victims: kills one of a kind; False where there was none.
    """

    def __init__(self, database: Database, limits: JobLimits, notify: Notify, make: Make, victims: Victims) -> None:
        self._database = database
        self._store = JobStore(database, limits, notify)
        self._make, self._victims = make, victims
        self._kills: list[Kill] = []
        self._expected: dict[str, tuple[str, ...]] = {}
        self._ended = threading.Event()

    def run(self, plan: Plan) -> Judgement:
        """Orders and kills until both are done."""
        begun = time.monotonic()
        helpers = [threading.Thread(target=self._kill, args=(plan,)), threading.Thread(target=self._watch)]
        for helper in helpers:
            helper.start()
        try:
            self._order_all(plan)
            end = time.monotonic() + plan.patience_s
            while self._unfinished() and time.monotonic() < end:
                time.sleep(_LOOK_S)
        finally:
            self._ended.set()
            for helper in helpers:
                helper.join()
        return self._judge(time.monotonic() - begun)

    def _order_all(self, plan: Plan) -> None:
        for number in range(plan.jobs):
            while self._unfinished() >= plan.at_once or number >= self._allowed(plan):
                time.sleep(_LOOK_S)
            ordered = self._make(number)
            job = self._store.create(
                Order(tenant=TENANT, keep_documents=False), [(f"{number}", io.BytesIO(ordered.data))]
            )
            self._expected[job.id] = ordered.texts

    def _allowed(self, plan: Plan) -> int:
        """Jobs that may be ordered by now: the last ones after the last kill."""
        first = min(plan.at_once, plan.jobs)
        return first + (plan.jobs - first) * len(self._kills) // max(plan.kills, 1)

    def _unfinished(self) -> int:
        return sum(len(self._store.list(TENANT, state=state, limit=1000)) for state in ("queued", "running"))

    def _kill(self, plan: Plan) -> None:
        chance = random.Random(plan.seed)
        while not self._ended.wait(plan.pause_s * chance.uniform(0.1, 1.9)):
            end = time.monotonic() + plan.pause_s
            while not self._held(None) and time.monotonic() < end:
                time.sleep(_LOOK_S / 10)  # a kill that hits nothing shows nothing
            kind = chance.choice(list(self._victims))
            target = self._victims[kind]()
            if target is None:
                continue
            tasks = tuple(self._held(target.worker).values())
            at = time.time()
            target.strike()
            self._kills.append(Kill(kind, at, tasks, set(tasks)))

    def _watch(self) -> None:
        """Notes when tasks go on that were hit."""
        while not self._ended.wait(_LOOK_S):
            now = self._held(None)
            for kill in list(self._kills):
                kill.still = {held for held in kill.still if not held.goes_on(now.get(held.task))}
                if kill.still:
                    kill.stood_s = time.time() - kill.at

    def _held(self, worker: int | None) -> dict[str, Held]:
        """Tasks that are being worked on, by all or by one worker process."""
        wanted = (
            sa.select(TASKS.c.id, TASKS.c.job_id, TASKS.c.token, DOCUMENTS.c.pages_done)
            .join(DOCUMENTS, (DOCUMENTS.c.job_id == TASKS.c.job_id) & (DOCUMENTS.c.number == TASKS.c.document))
            .where(TASKS.c.tenant == TENANT, TASKS.c.state == "running")
        )
        if worker is not None:
            wanted = wanted.where(TASKS.c.worker.contains(f":{worker}:"))
        with self._database.read() as connection:
            rows = connection.execute(wanted).all()
        return {row.id: Held(row.id, row.job_id, row.token, row.pages_done) for row in rows}

    def _judge(self, seconds: float) -> Judgement:
        states: Counter[str] = Counter()
        errors: Counter[str] = Counter()
        lost = twice = wrong = pages = 0
        ends: dict[str, float] = {}
        for job, texts in self._expected.items():
            now = self._store.get(TENANT, job)
            states[now.state] += 1
            errors.update(
                document.error for document in self._store.documents(TENANT, job) if document.error is not None
            )
            seen = Counter(event.data["page"] for event in self._store.events(TENANT, job) if event.kind == "page")
            twice += sum(count - 1 for count in seen.values())
            read = {result.page.number: result.page.text for result in self._store.pages(TENANT, job)}
            pages += len(read)
            lost += not now.is_finished or (now.state == "succeeded" and set(read) != set(range(1, len(texts) + 1)))
            wrong += sum(not same(text, texts[number - 1]) for number, text in read.items())
            ends[job] = now.finished or time.time()
        hits = [kill for kill in self._kills if kill.tasks]
        return Judgement(
            jobs=len(self._expected),
            pages=pages,
            seconds=seconds,
            states=dict(states),
            errors=dict(errors),
            lost=lost,
            twice=twice,
            wrong=wrong,
            crashes=self._crashes(),
            kills=dict(Counter(kill.kind for kill in self._kills)),
            recovery_s=tuple(kill.stood_s for kill in hits),
            done_s=tuple(max(ends[held.job] for held in kill.tasks) - kill.at for kill in hits),
        )

    def _crashes(self) -> int:
        with self._database.read() as connection:
            wanted = sa.select(sa.func.coalesce(sa.func.sum(TASKS.c.crashes), 0)).where(TASKS.c.tenant == TENANT)
            return int(connection.execute(wanted).scalar_one())
