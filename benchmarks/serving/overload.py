"""What is left of a server's capacity when three times as much is asked of it: an open loop, whatever is still unanswered."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from benchmarks.serving.asking import Answer, Client, Outcome, open_loop, side_by_side
from benchmarks.serving.process import shizi_serve
from benchmarks.serving.report import Report
from shizi.bench.stats import percentile
from shizi.serving.admission import AdmissionOptions

LEAST_GOODPUT, MOST_LATE = 0.9, 2.0
MOST_SHED_S = 0.05
NO_STORE = {"Cache-Control": "no-store"}


def overload(
    documents: Sequence[bytes], *, times: float, deadline: float, seconds: float, capacity_s: float, clients: int
) -> Report:
    """Measures the capacity, then asks for a multiple of it.

    Args:
        documents: drawn at random.
        times: of the capacity that is asked for.
        deadline: seconds that each request allows.
        seconds: of the overload.
        capacity_s: seconds for which the capacity is measured, about.
        clients: connections; enough for all requests that are let in and refused at a time.
    """
    with shizi_serve("--max-queue-size", "1000") as server:
        server.until_ready()

        def client() -> Client:
            return Client(server.port, f"/v1/ocr?timeout={deadline:g}", NO_STORE)

        alone = side_by_side(client, documents, 2 * len(documents), 1)
        first = side_by_side(client, documents, 3 * len(documents), 8)
        whole = side_by_side(client, documents, max(8, round(first.rate * capacity_s)), 8)
        server.milliseconds.clear()
        outcome = open_loop(client, documents, times * whole.rate, seconds, clients)
    shed_log = server.milliseconds.get(429, [])
    return _report(alone, whole.rate, outcome, seconds, deadline, shed_log)


def _report(
    alone: Outcome, capacity: float, outcome: Outcome, seconds: float, deadline: float, shed_log: Sequence[float]
) -> Report:
    good = [answer for answer in outcome.answers if answer.status == 200]
    shed = [answer for answer in outcome.answers if answer.status == 429]
    unloaded = percentile([answer.sent_s for answer in alone.answers if answer.status == 200], 0.99)
    share = AdmissionOptions().margin * deadline
    report = Report(
        "overload, an open loop",
        {
            "capacity with 8 clients (answers a second)": capacity,
            "asked for (requests a second)": len(outcome.answers) / seconds,
            "seconds of overload": seconds,
            "deadline of each request (s)": deadline,
            "answers by status": {str(status): count for status, count in sorted(_statuses(outcome.answers).items())},
            "p99 unloaded (s)": unloaded,
            "2 x p99 unloaded + share of the deadline (s)": 2 * unloaded + share,
        },
    )
    late = percentile([answer.seconds - answer.sent_s for answer in outcome.answers], 0.99)
    report.at_most("p99 of requests that waited for a client (s)", late, MOST_SHED_S)
    in_time = sum(answer.sent_s <= deadline for answer in good)
    report.at_least("answers in time ÷ capacity", in_time / outcome.seconds / capacity, LEAST_GOODPUT)
    if good:
        report.figures["p50 of what was let in (s)"] = statistics.median(answer.sent_s for answer in good)
        report.at_most("p99 of what was let in (s)", percentile([a.sent_s for a in good], 0.99), 2 * unloaded + share)
    if shed:
        taken = [answer.sent_s for answer in shed]
        report.figures["refusals, p50 at the client (s)"] = statistics.median(taken)
        report.at_most("refusals, p99 at the client (s)", percentile(taken, 0.99), MOST_SHED_S)
    if shed_log:
        logged = [milliseconds / 1000 for milliseconds in shed_log]
        report.at_most("refusals, p99 in the server's log (s)", percentile(logged, 0.99), MOST_SHED_S)
    report.at_most("answers that are neither 200, 429 nor 504", _others(outcome.answers), 0)
    return report


def _statuses(answers: Sequence[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def _others(answers: Sequence[Answer]) -> int:
    return sum(answer.status not in (200, 429, 504) for answer in answers)
