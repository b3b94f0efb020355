"""Clients: they send documents, and note what came back and how long it took."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

PATIENCE_S = 120.0
NO_ANSWER = 0
_BOUNDARY = b"a4f1c0de-shizi-load"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request brought.

    Attributes:
        status: of HTTP; 0 where there was no answer.
        seconds: from the moment it was due to the end of the answer.
        sent_s: the same from the moment it was sent.
        body: of the answer.
        request_id: that the answer has.
    """

    status: int
    seconds: float
    sent_s: float
    body: bytes = b""
    request_id: str = ""


class Client:
    """One connection, opened again where the server closes it; used by one thread."""

    def __init__(self, port: int, path: str, headers: dict[str, str] | None = None) -> None:
        self._port, self._path = port, path
        self._headers = headers or {}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)

    def ask(self, document: bytes, due: float | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Sends a document as the field `file` of a form."""
        sent = time.perf_counter()
        begin = sent if due is None else due
        body = (
            b"--" + _BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            + document + b"\r\n--" + _BOUNDARY + b"--\r\n"
        )  # fmt: skip
        sending = {
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY.decode()}",
            **self._headers,
            **(headers or {}),
        }
        try:
            self._connection.request("POST", self._path, body, sending)
            response = self._connection.getresponse()
            content = response.read()
            status, request_id = response.status, response.headers.get("X-Request-ID", "")
        except (OSError, http.client.HTTPException):
            self._connection.close()
            status, content, request_id = NO_ANSWER, b"", ""
        now = time.perf_counter()
        return Answer(status, now - begin, now - sent, content, request_id)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


@dataclass(slots=True)
class Outcome:
    """Of one run.

    Attributes:
        seconds: that it took.
        answers: of all requests, without their bodies.
    """

    seconds: float = 0.0
    answers: list[Answer] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers with status 200 in a second."""
        return sum(answer.status == 200 for answer in self.answers) / self.seconds


def side_by_side(make: Callable[[], Client], documents: Sequence[bytes], requests: int, clients: int) -> Outcome:
    """A closed loop: so many clients, each of which waits for its answer before it asks again; documents in turn."""
    numbers, outcome = itertools.count(), Outcome()

    def work() -> None:
        with contextlib.closing(make()) as client:
            while (number := next(numbers)) < requests:
                answer = client.ask(documents[number % len(documents)])
                outcome.answers.append(Answer(answer.status, answer.seconds, answer.sent_s))

    outcome.seconds = _all(work, clients)
    return outcome


def open_loop(
    make: Callable[[], Client], documents: Sequence[bytes], rate: float, seconds: float, clients: int
) -> Outcome:
    """Requests that come at drawn moments (a Poisson process), whatever is still unanswered.

    A request that finds all clients busy waits for one, and its time counts from the moment at which it was due.
    """
    source = random.Random(0)
    outcome = Outcome()
    due: queue.Queue[tuple[float, bytes] | None] = queue.Queue()

    def work() -> None:
        with contextlib.closing(make()) as client:
            while (item := due.get()) is not None:
                answer = client.ask(item[1], item[0])
                outcome.answers.append(Answer(answer.status, answer.seconds, answer.sent_s))

    def arrive() -> None:
        start = now = time.perf_counter()
        while (now := now + source.expovariate(rate)) < start + seconds:
            time.sleep(max(0.0, now - time.perf_counter()))
            due.put((now, documents[source.randrange(len(documents))]))
        for _ in range(clients):
            due.put(None)

    arriving = threading.Thread(target=arrive)
    arriving.start()
    outcome.seconds = _all(work, clients)
    arriving.join()
    return outcome


def _all(work: Callable[[], None], threads: int) -> float:
    """Runs it in so many threads; the seconds until all have ended."""
    working = [threading.Thread(target=work) for _ in range(threads)]
    start = time.perf_counter()
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    return time.perf_counter() - start
