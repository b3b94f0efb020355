"""A server in a process of its own whose reader reads within the process: `python -m tests.serving.local`.

It stands where the sandbox and the engine stand in `shizi serve`, so that tests of the HTTP layer need neither. A document that
begins with `SCRIPT ` is not read; the rest of it says what happens instead.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from shizi import OCR, errors
from shizi.database.connect import connect
from shizi.errors import DeadlineExceeded, ShiziError, TryLater
from shizi.imaging.limits import Limits
from shizi.jobs.job import JobLimits
from shizi.jobs.store import JobStore
from shizi.jobs.webhook_store import WebhookStore
from shizi.jobs.webhook_target import TargetRules
from shizi.pipeline.options import ReadOptions
from shizi.serving.addresses import ClientAddress, ProxyOptions
from shizi.serving.admission import Admission, AdmissionOptions
from shizi.serving.app import internal_app, public_app
from shizi.serving.auth import Authenticator
from shizi.serving.cache import CacheOptions, ResultCache
from shizi.serving.cache_memory import MemoryBackend
from shizi.serving.caller import OCR as SCOPE
from shizi.serving.drawing import Drawings
from shizi.serving.gate import Gate
from shizi.serving.jobs import Jobs, JobsOptions
from shizi.serving.keyring import KeyRing
from shizi.serving.keys import KeyStore
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.logs import make_log, quiet_library_logs
from shizi.serving.metrics import Metrics
from shizi.serving.options import ServerOptions, ServiceOptions
from shizi.serving.ratelimit import Quota, RateLimiter, RateOptions
from shizi.serving.reader import AS_IT_IS, Terms
from shizi.serving.results import Results
from shizi.serving.server import bind, serve
from shizi.serving.service import Service
from shizi.serving.uploads import Upload, UploadLimits
from shizi.types import Document, Line, ModelInfo, Page, Word

SCRIPT = b"SCRIPT "
BOX = ((1.0, 2.0), (31.0, 2.0), (31.0, 12.0), (1.0, 12.0))
SAID = Document(
    (Page(1, 40, 20, 0, (Line("said", 0.9, BOX, 0.0, (Word("said", 0.9, BOX),)),), "said"),), (), {"detect": 1.5}
)


class LocalReader:
    """Reads with an `OCR` of this process, or does what a script says."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._ocr: OCR | None = None
        self.state = "ready"

    async def read(self, upload: Upload, options: ReadOptions, deadline: float, terms: Terms = AS_IT_IS) -> Document:
        begin = upload.file.read(200)
        upload.file.seek(0)
        if begin.startswith(SCRIPT):
            return await self._scripted(begin[len(SCRIPT) :].decode(), deadline, terms.longest_side)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, upload, options)

    async def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo("detect", "drawn", "1", "0" * 64),)

    def facts(self) -> list[dict[str, Any]]:
        return [{"engine": 1, "state": self.state}]

    def _read(self, upload: Upload, options: ReadOptions) -> Document:
        self._ocr = self._ocr or OCR()
        return self._ocr.read(upload.file, **{f.name: getattr(options, f.name) for f in dataclasses.fields(options)})

    async def _scripted(self, script: str, deadline: float, longest_side: int | None) -> Document:
        word, _, rest = script.partition(" ")
        if word == "raise":
            kind: type[ShiziError] = getattr(errors, rest.split()[0])
            raise kind("as the script says", 7.2) if issubclass(kind, TryLater) else kind("as the script says")
        if word == "break":
            raise RuntimeError("SECRET-TEXT of a document")
        if word == "wait":
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await asyncio.sleep(float(rest.split()[0]))
            except TimeoutError:
                raise DeadlineExceeded("the script waited for too long: allow more time") from None
            except asyncio.CancelledError:
                print("DROPPED", flush=True)
                raise
        if word == "side":
            page = dataclasses.replace(SAID.pages[0], text=str(longest_side))
            return dataclasses.replace(SAID, pages=(page,))
        return SAID


def jobs_of(values: dict[str, Any]) -> Jobs:
    """Jobs in a file; nobody works on them but the test."""
    options = {name: value for name, value in values.items() if name not in ("folder", "limits")}
    database, limits = connect(None, Path(values["folder"])), values["limits"]
    rules = TargetRules(schemes=("https", "http"), ports=(80, 443))
    return Jobs(JobStore(database, JobLimits(**limits)), WebhookStore(database), JobsOptions(targets=rules, **options))


async def run(service: dict[str, Any], server: dict[str, Any], uploads: dict[str, Any], jobs: dict[str, Any]) -> None:
    threads = ThreadPoolExecutor(8)
    reader = LocalReader(threads)
    limits = Limits()
    quota, waiting = service.pop("quota", None), service.pop("queue", 100)
    rates = RateOptions() if quota is None else RateOptions(anonymous=Quota(requests=quota, megapixels=1000))
    strangers = frozenset({SCOPE, "jobs"}) if service.pop("strangers", True) else None
    keys = service.pop("keys", None)
    gate = Gate(
        Authenticator(None if keys is None else KeyRing(KeyStore(Path(keys))), None, strangers),
        RateLimiter(rates, counted=quota is not None),
        ClientAddress(ProxyOptions()),
    )
    if "ui" in service:
        service["ui"] = Path(service["ui"])
    options = ServiceOptions("1.2.3", limits, UploadLimits(**uploads), **service)
    listening = ServerOptions(**{"port": 0, "pre_stop_s": 0.3, **server})
    log = make_log()
    metrics = Metrics("1.2.3")
    cache = ResultCache(MemoryBackend(CacheOptions()))
    results = Results(
        reader,
        reader.models,
        Admission(AdmissionOptions(max_queue_size=waiting, tenant_share=1.0)),
        cache,
        metrics,
        "1.2.3",
        threads,
    )
    quiet_library_logs(log)
    parts = Service(options, results, reader, gate, Drawings(limits, 2), metrics, log, Lifecycle(), threads)
    if jobs:
        parts = dataclasses.replace(parts, jobs=jobs_of(jobs))
    doors = [(public_app(parts), bind(listening.host, listening.port, 100))]
    if listening.internal_port is not None:
        doors.append((internal_app(parts), bind(listening.internal_host, listening.internal_port, 100)))
    ports = [sock.getsockname()[1] for _, sock in doors]
    await serve(doors, listening, parts.lifecycle, lambda: print(json.dumps(ports), flush=True))
    threads.shutdown(cancel_futures=True)


if __name__ == "__main__":
    asyncio.run(run(*(json.loads(argument) for argument in sys.argv[1:5])))
