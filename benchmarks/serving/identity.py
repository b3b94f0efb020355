"""Whether every answer is that of its own request: many clients, pictures that all differ, text that says which one it is."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.serving.asking import Answer, Client
from benchmarks.serving.pictures import label
from benchmarks.serving.process import Server
from benchmarks.serving.report import Report

MOST_MISREAD = 0.02
AGAIN_EVERY = 10  # requests, of which one sends an earlier picture again: the cache answers, and must not mix up either
_STEP = 7_368_787_969  # prime, so that numbers of requests lie far apart and a misread digit makes none of another's
_RANGE = 10**10


def number_of(request: int) -> str:
    """Ten digits that only this request's picture has."""
    return f"{request * _STEP % _RANGE:010d}"


def picture_of(request: int) -> bytes:
    """The digits, on a picture whose width also tells requests apart."""
    digits = number_of(request)
    return label(f"{digits[:5]} {digits[5:]}", 30, 300 + request % 97)


@dataclass(slots=True)
class Tally:
    """What the answers were.

    Attributes:
        kinds: own, misread (no request has what was read), foreign (another request's digits, width or id), and failed.
        foreign: the first few of them.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    foreign: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, what: str) -> None:
        """Counts an answer."""
        with self.lock:
            self.kinds[kind] += 1
            if kind == "foreign" and len(self.foreign) < 20:
                self.foreign.append(what)


def judge(request: int, asked_id: str, answer: Answer, issued: frozenset[str] | set[str]) -> str:
    """The kind of an answer; `issued` are the digits of all pictures that were sent."""
    if answer.status != 200:
        return "failed"
    document = json.loads(answer.body)
    digits = re.sub(r"\D", "", document["text"])
    if answer.request_id != asked_id or document["pages"][0]["width"] != 300 + request % 97:
        return "foreign"
    if digits == number_of(request):
        return "own"
    return "foreign" if digits in issued else "misread"


def identity(server: Server, *, requests: int, clients: int) -> Report:
    """Sends so many pictures and looks at each answer."""
    numbers, tally = itertools.count(), Tally()
    issued = {number_of(request) for request in range(requests)}
    start = time.perf_counter()

    def work() -> None:
        with contextlib.closing(Client(server.port, "/v1/ocr")) as client:
            while (number := next(numbers)) < requests:
                again = number % AGAIN_EVERY == AGAIN_EVERY - 1
                picture = number - AGAIN_EVERY + 1 if again else number
                asked_id = f"request-{number:08d}"
                answer = client.ask(picture_of(picture), headers={"X-Request-ID": asked_id})
                tally.add(judge(picture, asked_id, answer, issued), f"{asked_id}: {answer.body[:200]!r}")

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    report = Report(
        f"identity, {clients} clients",
        {
            "requests": requests,
            "requests a second": requests / seconds,
            "answers": dict(tally.kinds),
            "foreign answers": tally.foreign,
        },
    )
    report.at_most("answers that belong to another request", tally.kinds["foreign"], 0)
    report.at_most("requests that failed", tally.kinds["failed"], 0)
    report.at_most("share that was misread", tally.kinds["misread"] / requests, MOST_MISREAD)
    return report
