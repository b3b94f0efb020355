"""A server with jobs and two tenants, and a worker's hands on its database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from shizi.database.connect import connect
from shizi.jobs.job import Claim, JobLimits, Made
from shizi.jobs.tasks import TaskStore
from shizi.serving.keys import KeyStore
from shizi.types import Line, ModelInfo, Page
from tests.serving.processes import WAIT_S, LocalServer

BOX = ((1.0, 2.0), (31.0, 2.0), (31.0, 12.0), (1.0, 12.0))
MODEL = ModelInfo("recognize", "drawn", "1", "0" * 64)
LIMITS: dict[str, Any] = {
    "max_files": 5,
    "max_bytes": 100_000,
    "max_job_bytes": 250_000,
    "pages_per_task": 3,
    "tenant_jobs": 40,
}


def page(number: int, text: str) -> Page:
    return Page(number, 40, 20, 0, (Line(text, 0.9, BOX),), text)


@dataclass
class JobServer:
    """The server, a client for each of two tenants, and the worker's side."""

    process: LocalServer
    acme: httpx.Client
    other: httpx.Client
    tasks: TaskStore

    def claim(self) -> Claim:
        claim = self.tasks.claim("test")
        assert claim is not None
        return claim

    def work(self, text: str = "read") -> None:
        """Works off everything that waits; a document of the bytes `pages N` has N pages and one of `bad` is corrupt."""
        while (claim := self.tasks.claim("test")) is not None:
            self._read(claim, text)

    def work_on_the_next(self) -> None:
        """Works on one document, as soon as one is ordered."""
        end = time.monotonic() + WAIT_S
        while (claim := self.tasks.claim("test")) is None:
            assert time.monotonic() < end, "nothing was ordered"
            time.sleep(0.02)
        self._read(claim, "read")

    def _read(self, claim: Claim, text: str) -> None:
        data = b"".join(self.tasks.document(claim))
        if data == b"bad":
            self.tasks.end(claim, "refused", "CORRUPT_DOCUMENT", "it is broken")
            return
        count = int(data.split()[1]) if data.startswith(b"pages ") else 1
        for number in claim.pages or range(1, count + 1):
            self.tasks.save(claim, page(number, f"{text} {claim.document}.{number}"), Made((MODEL,)))
        self.tasks.succeed(claim)


@contextmanager
def job_server(folder: Path, server: dict[str, Any] | None = None, **options: object) -> Iterator[JobServer]:
    keys = KeyStore(folder / "keys.sqlite3")
    secrets = [keys.create(tenant, "test", ("jobs", "ocr"), None)[0] for tenant in ("acme", "other")]
    jobs = {"folder": str(folder), "limits": LIMITS, "poll_s": 0.05, "keep_alive_s": 0.2, **options}
    service = {"keys": str(folder / "keys.sqlite3"), "strangers": False}
    database = connect(None, folder)
    try:
        with LocalServer(service, server, {"max_bytes": 100_000, "max_field_bytes": 3000}, jobs) as process:
            acme, other = (
                httpx.Client(base_url=process.url, timeout=WAIT_S, trust_env=False, headers={"X-API-Key": secret})
                for secret in secrets
            )
            try:
                tasks = TaskStore(database, JobLimits(**LIMITS), lambda _task, _priority: None)
                yield JobServer(process, acme, other, tasks)
            finally:
                acme.close()
                other.close()
    finally:
        database.close()


def files(*documents: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    """The `files` of a form."""
    return [("file", (f"{number}.png", data)) for number, data in enumerate(documents, 1)]
