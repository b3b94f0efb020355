"""Every answer is that of its own request, for many clients at a time."""

from __future__ import annotations

from benchmarks.serving.identity import identity
from benchmarks.serving.process import shizi_serve


def test_each_of_many_clients_gets_the_text_of_its_own_picture() -> None:
    with shizi_serve("--max-queue-size", "1000", "--request-timeout", "120") as server:
        report = identity(server.until_ready(), requests=320, clients=32)
    assert report.holds, report.table()
