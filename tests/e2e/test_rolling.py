"""No request fails while servers behind a real load balancer are restarted one after the other."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from benchmarks.serving.process import Server
from benchmarks.serving.rolling import PRE_STOP_S, rolling
from shizi.engine.fake import page

pytestmark = pytest.mark.alone


def test_servers_behind_a_load_balancer_are_restarted_without_a_failed_request() -> None:
    """The engines read without models, so that restarts are quick; everything else is as it is."""

    def start(port: int) -> Server:
        values = {"port": port, "pre_stop_s": PRE_STOP_S, "max_queue_size": 1000}
        return Server(["-m", "tests.serving.fake_serve", json.dumps(values)], port, "/readyz")

    file = io.BytesIO()
    Image.fromarray(page()).save(file, "PNG")
    report = rolling(start, [file.getvalue()], servers=2, rounds=1, clients=4)
    assert report.holds, report.table()
