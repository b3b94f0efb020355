"""A server that is told to traces requests through all of its processes, to a collector beside it."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from shizi.engine.fake import page
from tests.serving.collector import Collector
from tests.serving.processes import WAIT_S, Process, until

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(page()).save(file, "PNG")
    return file.getvalue()


def test_a_request_is_traced_through_all_processes_and_nothing_of_its_document(collector: Collector) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with Process(["-m", "tests.serving.fake_serve", json.dumps({"port": 0, "pre_stop_s": 0})], environment) as serve:
        url = serve.line("shizi serve: ").split()[-1]
        with httpx.Client(base_url=url, timeout=WAIT_S, trust_env=False) as client:
            until(lambda: client.get("/readyz").status_code == 200, WAIT_S)
            answer = client.post(
                "/v1/ocr?languages=",
                files={"file": ("SECRET-NAME.png", png())},
                headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
            )
            assert answer.status_code in (200, 422)
            answer = client.post(
                "/v1/ocr",
                files={"file": ("SECRET-NAME.png", png())},
                headers={"traceparent": f"00-{TRACE[:-1]}d-b7ad6b7169203331-01"},
            )
            assert answer.status_code == 200
            text = answer.json()["text"]
            wrong = client.post("/v1/ocr", files={"file": ("SECRET-NAME.png", b"no picture")})
            assert wrong.status_code == 415
        names = {"POST /v1/ocr", "cache", "admission", "turn", "decode", "engine", "read page", "queue", "recognize"}
        until(lambda: names <= collector.of(f"{TRACE[:-1]}d").keys(), WAIT_S)
    found = collector.of(f"{TRACE[:-1]}d")
    inside = {
        "cache": "POST /v1/ocr",
        "admission": "cache",
        "turn": "cache",
        "decode": "cache",
        "engine": "cache",
        "read page": "engine",
        "queue": "read page",
        "recognize": "read page",
    }
    for name, around in inside.items():
        assert found[name][1].parent_span_id == found[around][1].span_id, name
    assert found["POST /v1/ocr"][1].parent_span_id.hex() == "b7ad6b7169203331"
    assert {found["engine"][0], found["read page"][0]} == {"shizi", "shizi-engine"}
    said = {each.key: each.value for each in found["POST /v1/ocr"][1].attributes}
    assert (said["shizi.status"].int_value, said["shizi.cache"].string_value) == (200, "miss")
    assert said["shizi.pages"].int_value == 1
    logged = [line for line in serve.log() if line.get("status") == 415]
    assert len(logged[0]["trace_id"]) == 32, "the log names the trace, also where the client began none"
    assert b"SECRET" not in collector.bytes
    assert text.encode() not in collector.bytes


def test_a_collector_that_is_gone_harms_nobody() -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with Process(["-m", "tests.serving.fake_serve", json.dumps({"port": 0, "pre_stop_s": 0})], environment) as serve:
        url = serve.line("shizi serve: ").split()[-1]
        with httpx.Client(base_url=url, timeout=WAIT_S, trust_env=False) as client:
            until(lambda: client.get("/readyz").status_code == 200, WAIT_S)
            for _ in range(5):
                assert client.post("/v1/ocr", files={"file": png()}).status_code == 200
        serve.signal(signal.SIGTERM)
        assert serve.wait(20) == 0
