"""The short form of the kill run: real worker processes and a real Redis are killed; and the judge sees what must not be."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks.kill import faults, table, victims
from benchmarks.killing.documents import drawn, same, scripted
from benchmarks.killing.processes import Workers, until
from benchmarks.killing.run import TENANT, Held, Judgement, KillRun, Plan
from shizi.database.connect import Database, connect
from shizi.jobs.broker import Broker
from shizi.jobs.job import Claim, JobLimits
from shizi.jobs.tasks import TaskStore
from shizi.types import Page
from tests.servers import PostgresServer, RedisServer

pytestmark = pytest.mark.alone

# Short, so that dead workers are noticed soon; the rest is as in `shizi worker`.
LIMITS = JobLimits(lease_s=2.0, renew_s=0.4)
JOBS, KILLS = 40, 10


def test_kill_9_of_workers_and_redis_loses_nothing_and_shows_nothing_twice(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.database()
    database = connect(url, tmp_path)
    with contextlib.closing(database), RedisServer() as redis, (tmp_path / "log").open("ab") as log:
        environment = {"SHIZI_DATABASE_URL": url, "SHIZI_DATA_DIR": str(tmp_path), "SHIZI_REDIS_URL": redis.url}
        command = ["-m", "benchmarks.killing.fake_worker", json.dumps(asdict(LIMITS))]
        with Workers(command, 3, environment, log) as workers:
            assert until(lambda: len(workers.pids) == 3, 60)
            killed = {kind: how for kind, how in victims(workers, redis).items() if kind in ("worker", "redis")}
            run = KillRun(database, LIMITS, Broker(redis.url).send, scripted, killed)
            judgement = run.run(Plan(jobs=JOBS, kills=KILLS, pause_s=1.2, at_once=8, patience_s=60, seed=3))
    assert faults(judgement, KILLS, 30) == [], f"{table(judgement)}\n{(tmp_path / 'log').read_text()[-3000:]}"
    assert judgement.states == {"succeeded": JOBS}
    assert set(judgement.kills) == {"worker", "redis"}
    assert judgement.recovery_s, "no kill hit any work"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = connect(None, tmp_path)
    yield database
    database.close()


class Lying(TaskStore):
    """Works everything off, and does with every page what the test says."""

    def work(self, texts: Sequence[str], pages: int) -> None:
        claim: Claim | None
        while (claim := self.claim("liar")) is not None:
            if claim.kind == "split":
                self.split(claim, pages)
                continue
            for number in claim.pages or (1,):
                self.save(claim, Page(number, 10, 10, text=texts[number - 1]))
            self.succeed(claim)


@pytest.mark.parametrize(
    ("harm", "expected"), [("none", {}), ("wrong text", {"wrong": 1}), ("a page too few", {"lost": 1})]
)
def test_the_judge_sees_what_must_not_be(database: Database, harm: str, expected: dict[str, int]) -> None:
    limits = JobLimits()
    tasks = Lying(database, limits, lambda *_: None)
    ordered = next(ordered for ordered in map(scripted, range(100)) if len(ordered.texts) == 3)
    texts = [*ordered.texts[:2], "of another job"] if harm == "wrong text" else list(ordered.texts)
    pages = 2 if harm == "a page too few" else 3

    def told(*_: object) -> None:
        tasks.work(texts, pages)

    run = KillRun(database, limits, told, lambda _: ordered, {})
    run._order_all(Plan(jobs=1, kills=1, pause_s=1))
    judgement = run._judge(1.0)
    assert {name: getattr(judgement, name) for name in ("lost", "twice", "wrong")} == {
        "lost": 0,
        "twice": 0,
        "wrong": 0,
    } | expected
    assert judgement.failed == (harm != "none")


def test_faults_are_named() -> None:
    good: dict[str, Any] = {
        "jobs": 2,
        "pages": 3,
        "seconds": 1.0,
        "states": {"succeeded": 2},
        "errors": {},
        "lost": 0,
        "twice": 0,
        "wrong": 0,
        "crashes": 1,
        "kills": {"worker": 5},
        "recovery_s": (1.0, 2.0),
        "done_s": (1.0, 2.0),
    }
    assert faults(Judgement(**good), 5, 30) == []
    assert len(faults(Judgement(**good), 6, 30)) == 1
    assert len(faults(Judgement(**good | {"recovery_s": (1.0, 31.0)}), 5, 30)) == 1
    for harm in ({"lost": 1}, {"twice": 1}, {"wrong": 1}, {"states": {"succeeded": 1, "failed": 1}}):
        assert len(faults(Judgement(**good | harm), 5, 30)) == 1


def test_a_task_goes_on_when_it_ends_begins_anew_or_has_more_pages_than_were_on_their_way() -> None:
    held = Held("task", "job", 1, 4)
    assert not held.goes_on(held)
    assert not held.goes_on(Held("task", "job", 1, 5))
    assert held.goes_on(Held("task", "job", 1, 6))
    assert held.goes_on(Held("task", "job", 2, 4))
    assert held.goes_on(None)


def test_every_drawn_page_is_another_one() -> None:
    texts = [text for number in range(20) for text in drawn(number).texts]
    assert len(set(texts)) == len(texts) > 20
    assert same(texts[0].replace(" ", ""), texts[0])
    assert not same(texts[1], texts[0])
    assert TENANT
