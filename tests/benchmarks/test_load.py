"""The measurements of the service measure what they say: told wrong answers, slow ones and growing processes, they see them."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.load import main
from benchmarks.serving import flat, identity, overload, pictures, rolling, throughput
from benchmarks.serving.asking import NO_ANSWER, Answer, Client, Outcome, open_loop, side_by_side
from benchmarks.serving.process import descriptors, family, free_port, memory_mb
from benchmarks.serving.report import Report


@contextmanager
def answering(status: int = 200, seconds: float = 0.0) -> Iterator[int]:
    """A server that answers all alike, and closes each connection."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(seconds)
            self.send_response(status)
            self.send_header("X-Request-ID", self.headers.get("X-Request-ID", "none"))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_closed_loop_asks_as_often_as_it_is_told() -> None:
    with answering(seconds=0.2) as port:
        outcome = side_by_side(lambda: Client(port, "/"), [b"a", b"b"], 20, 4)
    assert [answer.status for answer in outcome.answers] == [200] * 20
    assert 5 < outcome.rate < 20  # one at a time and four


def test_a_server_that_is_not_there_is_an_answer_of_its_own() -> None:
    client = Client(free_port(), "/")
    assert client.ask(b"a").status == NO_ANSWER
    client.close()


def test_in_an_open_loop_time_counts_from_when_a_request_was_due() -> None:
    with answering(seconds=0.2) as port:
        outcome = open_loop(lambda: Client(port, "/"), [b"a"], rate=20, seconds=1.5, clients=1)
    waited = sorted(answer.seconds for answer in outcome.answers)
    assert len(outcome.answers) >= 15
    assert waited[-1] > 10 * 0.2, "the last ones waited for all before them"
    assert max(answer.sent_s for answer in outcome.answers) < 1.0


def test_digits_of_requests_lie_far_apart() -> None:
    numbers = {identity.number_of(request) for request in range(50_000)}
    assert len(numbers) == 50_000
    one_off = {number[:place] + digit + number[place + 1 :] for number in list(numbers)[:50] for place in range(10)
               for digit in "0123456789" if digit != number[place]}  # fmt: skip
    assert len(one_off & numbers) <= len(one_off) * 50_000 // 10**10 + 1


def answer(request: int, text: str | None = None, width: int | None = None, asked_id: str = "request-1") -> Answer:
    page = {"width": 300 + request % 97 if width is None else width}
    body = json.dumps({"text": identity.number_of(request) if text is None else text, "pages": [page]})
    return Answer(200, 0.1, 0.1, body.encode(), asked_id)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer(5), "own"),
        (answer(5, text="27 8142 5"), "misread"),
        (answer(5, text=identity.number_of(6)), "foreign"),
        (answer(5, width=301), "foreign"),
        (answer(5, asked_id="request-2"), "foreign"),
        (Answer(503, 0.1, 0.1), "failed"),
    ],
)
def test_an_answer_of_another_request_is_noticed(given: Answer, kind: str) -> None:
    issued = {identity.number_of(request) for request in range(10)}
    assert identity.judge(5, "request-1", given, issued) == kind


def outcome_of(seconds: float, *answers: Answer) -> Outcome:
    return Outcome(seconds, list(answers))


def test_overload_counts_what_was_answered_in_time() -> None:
    alone = outcome_of(1.0, *[Answer(200, 0.1, 0.1)] * 10)
    good, late, shed = Answer(200, 1.0, 1.0), Answer(200, 9.0, 9.0), Answer(429, 0.01, 0.01)
    fine = overload._report(alone, 10.0, outcome_of(10.0, *[good] * 95, *[shed] * 200), 10.0, 2.0, [3.0])
    assert fine.holds, fine.table()
    for worse in (
        outcome_of(10.0, *[good] * 80, *[shed] * 200),  # too little
        outcome_of(10.0, *[good] * 95, *[late] * 5),  # too late
        outcome_of(10.0, *[good] * 95, *[Answer(429, 0.2, 0.2)] * 200),  # refused too slowly
        outcome_of(10.0, *[good] * 95, Answer(500, 0.1, 0.1)),  # an error
    ):
        assert not overload._report(alone, 10.0, worse, 10.0, 2.0, []).holds


def samples(growth_mb: float, files: float) -> list[flat.Sample]:
    return [flat.Sample(25 * n, 500 + growth_mb * n, round(60 + files * n), 6) for n in range(100)]


def test_growth_is_noticed() -> None:
    statuses = Counter({"200": 2500})
    assert flat._report(samples(0.0, 0.0), statuses, 10.0).holds
    assert not flat._report(samples(0.05, 0.0), statuses, 10.0).holds
    assert not flat._report(samples(0.0, 0.1), statuses, 10.0).holds
    assert not flat._report(samples(0.0, 0.0), Counter({"200": 2499, "500": 1}), 10.0).holds
    assert not flat._report(samples(0.0, 0.0), Counter({"200": 2499, "0": 1}), 10.0).holds


def test_a_failed_request_of_a_restart_is_noticed() -> None:
    assert rolling._report(Counter({200: 500}), [0, 0], 2, 8).holds
    assert not rolling._report(Counter({200: 500, 502: 1}), [0, 0], 2, 8).holds
    assert not rolling._report(Counter({200: 500}), [0, 1], 2, 8).holds
    assert not rolling._report(Counter({200: 5}), [0, 0], 2, 8).holds, "nobody asked"


def test_throughput_is_compared_round_by_round() -> None:
    rates = {"bare": [10.0, 20.0, 10.0], "shizi serve": [9.8, 19.8, 9.6], "RapidOCR behind FastAPI": [1.9, 2.0, 2.0]}
    report = throughput._report({name: [*found] for name, found in rates.items()}, 8)
    assert [round(check.value, 2) for check in report.checks] == [0.98, 5.16]
    assert report.holds
    assert not throughput._report({**rates, "shizi serve": [9.0, 18.0, 9.0]}, 8).holds


def test_a_process_and_its_children_are_found() -> None:
    numbers = family(1)
    assert numbers[0] == 1
    assert os.getpid() in family(os.getppid())
    assert memory_mb(os.getpid()) > 10
    assert descriptors(os.getpid()) >= 3
    assert (memory_mb(2**22 + 1), descriptors(2**22 + 1)) == (0.0, 0)


def test_a_report_says_and_writes_what_it_found(tmp_path: Path) -> None:
    report = Report("name", {"rates": [1.0, 2.5], "answers": {"200": 3}})
    report.at_most("failed", 0, 0)
    report.at_least("ratio", 0.5, 0.95)
    assert report.table().splitlines()[-1].startswith("✗ ratio")
    assert not report.holds
    report.write(tmp_path / "out" / "name.json")
    assert json.loads((tmp_path / "out" / "name.json").read_text())["checks"][1]["holds"] is False


def test_documents_are_of_all_kinds_and_always_the_same() -> None:
    first = pictures.mixed(60)
    assert first == pictures.mixed(60)
    assert {data[:4] for data in first} >= {b"\x89PNG", b"\xff\xd8\xff\xe0", b"%PDF", b"GIF8"}
    with pytest.raises(SystemExit, match="no picture"):
        pictures.given(Path(__file__).parent, 3)


def test_an_unknown_measurement_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "throughput" in capsys.readouterr().err
