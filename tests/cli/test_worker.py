"""`shizi worker` as a process, with an engine and a sandbox of its own."""

from __future__ import annotations

import io
import logging
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont

from shizi.cli import exits
from shizi.cli.main import run
from shizi.database.connect import connect
from shizi.jobs.job import JobLimits, Order
from shizi.jobs.store import JobStore
from tests.serving.collector import Collector
from tests.serving.processes import Process, until

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
WAIT_S = 90


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A worker takes over the logs of its process, which here is that of all tests."""
    loggers = [logging.getLogger(name) for name in ("uvicorn", "asyncio", "dramatiq", "opentelemetry", "shizi")]
    before = [(logger.handlers, logger.propagate, logger.level) for logger in loggers]
    yield
    for logger, (handlers, propagate, level) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def drawn(text: str) -> Image.Image:
    image = Image.new("L", (700, 160), 255)
    ImageDraw.Draw(image).text((40, 40), text, 0, ImageFont.truetype(FONT, 48))
    return image


def saved(form: str, *texts: str) -> bytes:
    first, *others = [drawn(text) for text in texts]
    out = io.BytesIO()
    if others:
        first.save(out, form, save_all=True, append_images=others)
    else:
        first.save(out, form)
    return out.getvalue()


def test_a_worker_reads_what_servers_have_taken_in_and_goes_when_it_is_told(tmp_path: Path) -> None:
    database = connect(None, tmp_path)
    jobs = JobStore(database, JobLimits())
    files = [saved("PDF", "Invoice 4711", "Total 99.50"), saved("PNG", "Receipt 12"), b"no document"]
    job = jobs.create(Order(tenant="bank"), [(None, io.BytesIO(data)) for data in files])
    collector = Collector()
    environment = {"SHIZI_DATA_DIR": str(tmp_path), "SHIZI_TIER": "light", "SHIZI_THREADS": "1"}
    environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with Process(["-m", "shizi", "worker", "--slots", "1", "--internal-port", "0"], environment) as worker:
        url = worker.line("1 tasks at a time").split()[-1].rstrip(")")
        end = time.monotonic() + WAIT_S
        while not jobs.get("bank", job.id).is_finished:
            assert time.monotonic() < end, "".join(worker.err)
            time.sleep(0.1)
        with httpx.Client(base_url=url, timeout=WAIT_S, trust_env=False) as client:
            assert client.get("/healthz").json() == {"status": "alive"}
            assert client.get("/readyz").json() == {"status": "ready"}
            refused = 'shizi_job_task_attempts_total{ending="refused"} 1.0'  # the last one
            until(lambda: refused in client.get("/metrics").text)
            metrics = client.get("/metrics").text
        worker.signal(signal.SIGTERM)
        assert worker.wait() == exits.OK
    collector.close()
    for line in (
        'shizi_job_task_attempts_total{ending="succeeded"} 3.0',  # two of the PDF, which is counted first, and the picture
        "shizi_job_pages_total 3.0",
        "shizi_job_slots 1.0",
        "shizi_job_tasks_held 0.0",
        'shizi_engine_state{engine="local",state="ready"} 1.0',
        'shizi_engine_pages_total{engine="local",outcome="read"} 3.0',
    ):
        assert line in metrics.splitlines(), line
    assert 0 < float(metrics.split("\nshizi_job_page_seconds_total ")[1].split()[0]) < WAIT_S
    tasks = [span for service, span in collector.spans if (service, span.name) == ("shizi-worker", "task")]
    assert len(tasks) == 4
    around = {span.span_id for span in tasks}
    assert {span.name for _, span in collector.spans if span.parent_span_id in around} == {"turn", "decode", "engine"}
    assert {service for service, span in collector.spans if span.name == "read page"} == {"shizi-engine"}
    assert b"4711" not in collector.bytes
    assert jobs.get("bank", job.id).state == "partial"
    assert jobs.result("bank", job.id, 1).text == "Invoice 4711\fTotal 99.50"
    assert jobs.result("bank", job.id, 2).text == "Receipt 12"
    assert [document.error for document in jobs.documents("bank", job.id)] == [None, None, "UNSUPPORTED_FORMAT"]
    database.close()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SHIZI_DATABASE_URL", "mysql://host/name", "allowed is postgresql"),
        ("SHIZI_REDIS_URL", "http://host", "write redis://"),
        ("SHIZI_WORKER_SLOTS", "0", "SHIZI_WORKER_SLOTS"),
    ],
)
def test_what_cannot_be_is_said(
    variable: str,
    value: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SHIZI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SHIZI_TIER", "light")
    monkeypatch.setenv(variable, value)
    assert run(["worker"]) == exits.USAGE
    assert words in capsys.readouterr().err
