"""A worker process whose reader is a fake: `python -m benchmarks.killing.fake_worker LIMITS`; its place is in SHIZI_DATABASE_URL,
SHIZI_DATA_DIR and SHIZI_REDIS_URL, as for `shizi worker`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from shizi.database.connect import connect
from shizi.jobs.embedded import EmbeddedWorker
from shizi.jobs.fake import FakeReader
from shizi.jobs.job import JobLimits
from shizi.jobs.reconciler import ReconcilerOptions
from shizi.jobs.worker import WorkerOptions
from shizi.serving.work import open_delivery


async def main(limits: JobLimits) -> None:
    """Works until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    database = connect(os.environ.get("SHIZI_DATABASE_URL") or None, Path(os.environ["SHIZI_DATA_DIR"]))
    delivery = open_delivery(os.environ.get("SHIZI_REDIS_URL"))
    looks = ReconcilerOptions(every_s=limits.renew_s)
    async with EmbeddedWorker(database, limits, delivery, FakeReader(), WorkerOptions(poll_s=0.3, grace_s=0.5), looks):
        await stopped.wait()
    database.close()


if __name__ == "__main__":
    asyncio.run(main(JobLimits(**json.loads(sys.argv[1]))))
