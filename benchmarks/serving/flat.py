"""Whether a server's processes stay as large as they are, and keep as many files open, over many requests of all sizes."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.serving.asking import Client
from benchmarks.serving.pictures import mixed
from benchmarks.serving.process import Server, command, descriptors, family, memory_mb
from benchmarks.serving.report import Report
from shizi.bench.stats import slope

POOL = 400  # different documents; the cache is asked to keep none of them
EVERY = 25  # requests between two samples
WARM_UP = 0.2  # share of the requests
MOST_KB, MOST_FILES = 1.0, 0.001  # a request: 20 MB and 20 files over 20,000
FORMATS = ("json", "text", "pdf")


@dataclass(frozen=True, slots=True)
class Sample:
    """Of the server, after so many requests.

    Attributes:
        requests: that were answered.
        memory_mb: of all of its processes.
        files: that the lasting ones have open: HTTP and the engine.
        processes: how many.
        parts: MB of the process that speaks HTTP, of the engine, and of all others.
    """

    requests: int
    memory_mb: float
    files: int
    processes: int
    parts: tuple[float, float, float] = (0.0, 0.0, 0.0)


def sample(pid: int, requests: int) -> Sample:
    """Now."""
    numbers = family(pid)
    sizes = {number: memory_mb(number) for number in numbers}
    lasting = [pid, *(number for number in numbers if "shizi.engine.process" in command(number))]
    whole, engine = sum(sizes.values()), sum(sizes[number] for number in lasting[1:])
    parts = (sizes[pid], engine, whole - sizes[pid] - engine)
    return Sample(requests, whole, sum(map(descriptors, lasting)), len(numbers), parts)


def flat(server: Server, *, requests: int, clients: int) -> Report:
    """Sends so many documents and looks at the processes between them."""
    numbers, samples, statuses = itertools.count(), list[Sample](), Counter[str]()
    documents, lock = mixed(POOL), threading.Lock()
    start = time.perf_counter()

    def work() -> None:
        with contextlib.closing(Client(server.port, "/v1/ocr", {"Cache-Control": "no-store"})) as client:
            while (number := next(numbers)) < requests:
                document = documents[number % POOL]
                form = FORMATS[-1] if number % 47 == 46 else FORMATS[number % 2]
                answer = client.ask(document, headers={"Accept": _MEDIA[form]})
                with lock:
                    statuses[str(answer.status)] += 1
                    if sum(statuses.values()) % EVERY == 0:
                        samples.append(sample(server.pid, sum(statuses.values())))

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _report(samples, statuses, time.perf_counter() - start)


_MEDIA = {"json": "application/json", "text": "text/plain", "pdf": "application/pdf"}


def _report(samples: list[Sample], statuses: Counter[str], seconds: float) -> Report:
    kept = samples[int(WARM_UP * len(samples)) :]
    third = max(1, len(kept) // 3)
    report = Report(
        "flat: memory and open files of all processes",
        {
            "requests": sum(statuses.values()),
            "requests a second": sum(statuses.values()) / seconds,
            "answers by status": dict(sorted(statuses.items())),
            "memory, first and last third (MB)": [
                statistics.fmean(each.memory_mb for each in part) for part in (kept[:third], kept[-third:])
            ],
            "grows by (kB a request)": {
                name: 1024 * slope([each.parts[place] for each in kept]) / EVERY
                for place, name in enumerate(("http", "engine", "sandboxes"))
            },
            "most memory (MB)": max(each.memory_mb for each in samples),
            "open files, first and last third": [
                statistics.fmean(each.files for each in part) for part in (kept[:third], kept[-third:])
            ],
            "most processes": max(each.processes for each in samples),
            "memory by sample (MB)": [round(each.memory_mb, 1) for each in samples[:: max(1, len(samples) // 40)]],
        },
    )
    report.at_most("memory grows by (kB a request)", 1024 * slope([s.memory_mb for s in kept]) / EVERY, MOST_KB)
    report.at_most("open files grow by (a request)", slope([float(s.files) for s in kept]) / EVERY, MOST_FILES)
    report.at_most(
        "answers of the server's own errors", sum(n for s, n in statuses.items() if s in "0" or s >= "500"), 0
    )
    return report
