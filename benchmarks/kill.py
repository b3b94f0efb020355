"""Kill engines, workers, sandboxes and Redis at random while jobs are worked off, and say what became of every job.

    python -m benchmarks.kill [--jobs 2000] [--kills 200] [--database postgresql|sqlite] [--workers 2] [--pause SECONDS]
                              [--tier light] [--json FILE]

Redis and PostgreSQL are the ones of the tests, started for this; workers are `shizi worker` with engines and sandboxes of their
own, started again when they die. Exit code 1 where a job was lost, given up or seen twice, where a page has another's text, where
there were fewer kills than wanted, or where the 99th percentile of recovery is above `--most-recovery` seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.killing.documents import drawn
from benchmarks.killing.processes import ENGINE, SANDBOX, Workers, kill, until
from benchmarks.killing.run import Judgement, KillRun, Plan, Target, Victims, quantile
from shizi.database.connect import connect
from shizi.jobs.broker import Broker
from shizi.jobs.job import JobLimits
from tests.servers import PostgresServer, RedisServer

READY_S: Final = 120.0
PARTS: Final = (0.5, 0.9, 0.99, 1)
_REDIS_AWAY_S: Final = (0.2, 3.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    options = _options(arguments)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = {"SHIZI_DATA_DIR": str(folder), "SHIZI_THREADS": "1", "SHIZI_TIER": options.tier}
        redis = stack.enter_context(RedisServer())
        environment["SHIZI_REDIS_URL"] = redis.url
        url = None
        if options.database == "postgresql":
            url = stack.enter_context(PostgresServer()).database()
            environment["SHIZI_DATABASE_URL"] = url
        database = connect(url, folder)
        stack.callback(database.close)
        log = stack.enter_context((options.log or folder / "log").open("ab"))
        workers = stack.enter_context(Workers(["-m", "shizi", "worker"], options.workers, environment, log))
        if not until(lambda: len(workers.below(SANDBOX)) >= options.workers, READY_S):
            raise SystemExit(f"the workers were not ready in {READY_S:g} s; --log FILE keeps what they said")
        broker = Broker(redis.url)
        run = KillRun(database, JobLimits(), broker.send, drawn, victims(workers, redis))
        judgement = run.run(Plan(jobs=options.jobs, kills=options.kills, pause_s=options.pause, seed=options.seed))
    print(table(judgement))
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(judgement, options), indent=2) + "\n")
    found = faults(judgement, options.kills, options.most_recovery)
    for fault in found:
        print(f"kill: {fault}", file=sys.stderr)
    return 1 if found else 0


def victims(workers: Workers, redis: RedisServer) -> Victims:
    """How each kind is killed."""
    chance = random.Random(0)

    def one(part: str | None) -> Target | None:
        """A worker, or a process under one."""
        pids = workers.pids
        if not pids:
            return None
        worker = chance.choice(pids)
        numbers = [worker] if part is None else workers.below(part, worker)
        return Target(worker, lambda: kill(chance.choice(numbers))) if numbers else None

    def away() -> None:
        redis.kill()
        time.sleep(chance.uniform(*_REDIS_AWAY_S))
        redis.start()

    return {
        "engine": lambda: one(ENGINE),
        "worker": lambda: one(None),
        "sandbox": lambda: one(SANDBOX),
        "redis": lambda: Target(None, away),
    }


def faults(judgement: Judgement, kills: int, most_recovery_s: float) -> list[str]:
    """What is not as it must be."""
    found = []
    if judgement.failed:
        found.append("not every job succeeded once, with its own text")
    if sum(judgement.kills.values()) < kills:
        found.append(f"{sum(judgement.kills.values())} kills are fewer than {kills}")
    if quantile(judgement.recovery_s, 0.99) > most_recovery_s:
        found.append(
            f"recovery took {quantile(judgement.recovery_s, 0.99):.1f} s (p99); the bound is {most_recovery_s:g} s"
        )
    return found


def table(judgement: Judgement) -> str:
    """Markdown."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(judgement.states.items()))
    kills = ", ".join(f"{count} {kind}" for kind, count in sorted(judgement.kills.items()))
    rows = (
        ("jobs; pages", f"{judgement.jobs}; {judgement.pages} in {judgement.seconds:.0f} s"),
        ("kills", f"{sum(judgement.kills.values())} ({kills})"),
        ("jobs by state", states),
        ("errors", ", ".join(f"{count} {code}" for code, count in sorted(judgement.errors.items())) or "none"),
        ("lost", f"{judgement.lost}"),
        ("pages seen twice", f"{judgement.twice}"),
        ("pages with a wrong text", f"{judgement.wrong}"),
        ("attempts that died", f"{judgement.crashes}"),
        ("kills that hit work", f"{len(judgement.recovery_s)}"),
        ("what was hit went on after: p50, p90, p99, most", _seconds(judgement.recovery_s)),
        ("and was done, further kills included, after", _seconds(judgement.done_s)),
    )
    return "\n".join(("| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)))


def _seconds(values: tuple[float, ...]) -> str:
    return ", ".join(f"{quantile(values, part):.1f} s" for part in PARTS)


def as_json(judgement: Judgement, options: argparse.Namespace) -> dict[str, object]:
    """Everything, with how it was measured."""
    quantiles = {f"p{round(100 * part)}": round(quantile(judgement.recovery_s, part), 2) for part in PARTS}
    said = {"database": options.database, "workers": options.workers, "tier": options.tier, "pause_s": options.pause}
    return {"options": said, "at": time.strftime("%Y-%m-%d"), **asdict(judgement), "recovery": quantiles}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.kill", description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between kills, on average")
    parser.add_argument("--tier", default="light")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most-recovery", type=float, default=30.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--log", type=Path, help="keeps what the workers say")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
