"""What a server says of its work in /metrics: the numbers are those of what was done."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from shizi.engine.fake import page
from tests.serving.processes import WAIT_S, Process, until


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with Process(["-m", "tests.serving.fake_serve", json.dumps({"port": 0, "pre_stop_s": 0})]) as serve:
        url = serve.line("shizi serve: ").split()[-1]
        with httpx.Client(base_url=url, timeout=WAIT_S, trust_env=False) as asking:
            until(lambda: asking.get("/readyz").status_code == 200, WAIT_S)
            yield asking


def png(kind: str = "read", seed: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(page(kind, seed)).save(file, "PNG")
    return file.getvalue()


def numbers(client: httpx.Client) -> dict[str, float]:
    found = re.findall(r"^(shizi_\S+) (\S+)$", client.get("/metrics").text, re.M)
    return {name: float(value) for name, value in found}


def test_every_kind_of_number_is_there(client: httpx.Client) -> None:
    assert client.post("/v1/ocr", files={"file": png(seed=100)}).status_code == 200
    assert client.post("/v1/ocr", files={"file": png(seed=100)}).status_code == 200
    assert client.post("/v1/ocr", files={"file": b"GIF89a"}).status_code == 415
    found = numbers(client)
    wanted = [
        r"shizi_request_seconds_bucket\{le=.*route=\"/v1/ocr\"\}", r"shizi_stage_seconds_count\{stage=\"decode\"\}",
        r"shizi_stage_seconds_count\{stage=\"recognize\"\}", "shizi_queue_depth", "shizi_backlog_seconds",
        r"shizi_cache_requests_total\{outcome=\"hit\"\}", r"shizi_breaker_state\{.*state=\"closed\"\}",
        "shizi_sandbox_documents_total", "shizi_line_score_count", "shizi_page_pixels_count", "shizi_upload_bytes_count",
        r"shizi_model_info\{.*\}", r"shizi_errors_total\{code=\"UNSUPPORTED_FORMAT\"\}", "shizi_rate_storage_left_alone",
        r"shizi_batch_pixels_total\{.*kind=\"padding\"\}", "shizi_admitted_requests", r"shizi_build_info\{.*\}",
    ]  # fmt: skip
    for pattern in wanted:
        assert any(re.fullmatch(pattern, name) for name in found), pattern


def test_batches_are_those_of_the_engine(client: httpx.Client) -> None:
    name = 'shizi_batches_total{engine="local"}'
    before = numbers(client).get(name, 0)
    for seed in range(3):
        assert client.post("/v1/ocr", files={"file": png(seed=seed)}).status_code == 200
    after = numbers(client)
    assert after[name] == before + 3
    assert after['shizi_batch_lines_total{engine="local"}'] == after[name]
    assert after['shizi_batch_pixels_total{engine="local",kind="lines"}'] == 100 * after[name]


def test_a_deadline_that_passed_is_counted_where_it_did(client: httpx.Client) -> None:
    assert client.post("/v1/ocr?timeout=0.4", files={"file": png("slow")}).status_code == 504
    assert numbers(client)['shizi_missed_total{reason="engine"}'] == 1
