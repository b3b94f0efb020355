"""A whole server with jobs, but for its engine, which reads without models."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from shizi import Client
from shizi.engine.fake import page
from tests.serving.processes import WAIT_S, Process, until


def png(failure: str = "read", seed: int = 0) -> bytes:
    out = io.BytesIO()
    Image.fromarray(page(failure, seed)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    environment = {"SHIZI_DATA_DIR": str(tmp_path_factory.mktemp("data")), "SHIZI_WEBHOOK_NETWORKS": "10.0.0.0/8"}
    options = json.dumps({"port": 0, "pre_stop_s": 0.0, "webhooks": "https", "webhook_ports": "443,9443"})
    with Process(["-m", "tests.serving.fake_serve", options], environment) as serve:
        address = serve.line("shizi serve: ").split()[-1]
        until(lambda: httpx.get(f"{address}/readyz", trust_env=False).status_code == 200, WAIT_S)
        yield address
        serve.signal(signal.SIGTERM)
        assert serve.wait() == 0


def samples(url: str) -> dict[tuple[str, str], float]:
    """Values by name and the value of the first label."""
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_server_works_its_jobs_off_itself_and_counts_them(url: str) -> None:
    with Client(url) as client:
        job = client.submit_job([png(seed=1), png("corrupt", 2), b"no picture"])
        done = client.wait_for_job(job.id)
        assert [document.state for document in done.documents] == ["succeeded", "failed", "failed"]
        assert client.job_result(job.id).text.startswith("60 x 40 #")
    until(lambda: samples(url)["shizi_jobs", "partial"] == 1, 20)
    found = samples(url)
    assert (found["shizi_job_tasks", "succeeded"], found["shizi_job_tasks", "failed"]) == (1, 2)
    assert found["shizi_job_task_attempts_total", "refused"] == 2
    assert found["shizi_jobs_database_up", ""] == 1
    assert (found["shizi_job_tasks", "quarantined"], found["shizi_job_leases_expired_total", ""]) == (0, 0)
    assert found["shizi_job_bytes", ""] > 0
    assert (found["shizi_job_listeners", ""], found["shizi_job_uploads", ""]) == (0, 0)


def test_what_the_operator_allows_is_what_clients_are_told(url: str) -> None:
    with Client(url) as client:
        assert client.capabilities()["jobs"]["webhooks"] == {"schemes": ["https"], "ports": [443, 9443]}
        client.webhook_secret()
        job = client.submit_job([png()], webhook_url="https://10.1.2.3:9443/hook")
        assert client.job(job.id).webhook is not None


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("webhook_ports", "443,x", "--webhook-ports"),
        ("webhook_ports", "0", "--webhook-ports"),
        ("webhook_ports", "", "--webhook-ports"),
        ("webhook_ports", "99999999999", "--webhook-ports"),
        ("webhook_networks", "10.0.0.1/8", "10.0.0.1/8"),
    ],
)
def test_wrong_settings_are_said_at_the_start(tmp_path: Path, setting: str, value: str, said: str) -> None:
    options = json.dumps({"port": 0, "data_dir": str(tmp_path), setting: value})
    with Process(["-m", "tests.serving.fake_serve", options]) as serve:
        assert serve.wait() != 0
        assert any(said in line for line in serve.err)


def test_webhooks_can_be_off(tmp_path: Path) -> None:
    options = json.dumps({"port": 0, "data_dir": str(tmp_path), "pre_stop_s": 0.0, "webhooks": "off"})
    with Process(["-m", "tests.serving.fake_serve", options]) as serve:
        url = serve.line("shizi serve: ").split()[-1]
        with Client(url) as client:
            assert client.capabilities()["jobs"]["webhooks"] is None
        refused = httpx.post(
            f"{url}/v1/jobs",
            files={"file": b"x"},
            data={"webhook_url": "https://receiver.example/"},
            trust_env=False,
        )
        assert refused.status_code == 422
        assert "sends no webhooks" in refused.json()["detail"]
