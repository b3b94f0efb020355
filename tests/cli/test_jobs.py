"""`shizi jobs` at a real server; the test does the work."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.cli.jobs_text import result_name
from shizi.cli.main import run
from shizi.client.job_values import JobDocument
from tests.serving.job_server import JobServer, job_server

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobServer]:
    with job_server(tmp_path_factory.mktemp("jobs")) as running:
        yield running


@pytest.fixture(autouse=True)
def _named(server: JobServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIZI_SERVER", server.process.url)
    monkeypatch.setenv("SHIZI_API_KEY", server.acme.headers["X-API-Key"])


def said(capsys: Captured, *arguments: str, code: int = 0) -> str:
    assert run(["jobs", *arguments]) == code, capsys.readouterr().err
    return capsys.readouterr().out.strip()


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(b"pages 2")
    (folder / "b.png").write_bytes(b"bad")
    return folder


def test_from_an_order_to_files(server: JobServer, scans: Path, tmp_path: Path, capsys: Captured) -> None:
    job_id = said(capsys, "submit", str(scans), "--language", "zh,en", "--priority", "7")
    assert job_id.startswith("job_")
    threading.Timer(0.3, server.work).start()
    assert run(["jobs", "wait", job_id]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "document 2 failed (CORRUPT_DOCUMENT)" in told.err
    assert told.err.strip().endswith("partial")
    shown = said(capsys, "show", job_id)
    assert "a.pdf" in shown
    assert "CORRUPT_DOCUMENT: it is broken" in shown
    facts = json.loads(said(capsys, "show", job_id, "--json"))
    assert (facts["state"], facts["priority"], facts["options"]) == ("partial", 7, {"languages": ["zh", "en"]})
    assert facts["documents"][1]["error"] == "CORRUPT_DOCUMENT"
    assert said(capsys, "result", job_id, "--document", "1").split() == ["read", "1.1", "read", "1.2"]
    out = tmp_path / "out"
    assert run(["jobs", "result", job_id, "--format", "md", "--output-dir", str(out)]) == 1
    assert [path.name for path in out.iterdir()] == ["0001-a.pdf.md"]
    assert "read 1.1" in (out / "0001-a.pdf.md").read_text()
    capsys.readouterr()
    assert run(["jobs", "result", job_id, "--document", "2"]) == 65
    assert "CORRUPT_DOCUMENT" in capsys.readouterr().err
    assert run(["jobs", "result", job_id]) == 2
    assert said(capsys, "delete", job_id) == f"{job_id}\tdeleted"
    assert run(["jobs", "show", job_id]) == 66


def test_waiting_at_once_and_a_result_in_a_file(server: JobServer, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    worker = threading.Thread(target=server.work_on_the_next)
    worker.start()
    job_id = said(capsys, "submit", str(tmp_path / "a.png"), "--wait")
    worker.join()
    said(capsys, "result", job_id, "-o", str(tmp_path / "a.json"), "--format", "json")
    assert json.loads((tmp_path / "a.json").read_text())["text"] == "read 1.1"


def test_list_and_cancel(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    made = [said(capsys, "submit", str(tmp_path / "a.png")) for _ in range(3)]
    assert said(capsys, "cancel", made[1]) == f"{made[1]}\tcancelled"
    lines = said(capsys, "list").splitlines()
    assert lines[0].split() == ["ID", "STATE", "DOCUMENTS", "PAGES", "CREATED"]
    assert [line.split()[0] for line in lines[1:4]] == made[::-1]
    assert made[1] in [job["id"] for job in json.loads(said(capsys, "list", "--state", "cancelled", "--json"))]
    assert len(json.loads(said(capsys, "list", "--limit", "2", "--json"))) == 2


def test_the_key_may_stand_in_a_file(
    server: JobServer, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHIZI_API_KEY")
    assert run(["jobs", "list"]) == 77
    (tmp_path / "key").write_text(server.other.headers["X-API-Key"] + "\n")
    capsys.readouterr()
    assert json.loads(said(capsys, "list", "--json", "--key-file", str(tmp_path / "key"))) == []


def test_a_server_must_be_named(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHIZI_SERVER")
    assert run(["jobs", "list"]) == 2
    assert "--server" in capsys.readouterr().err


def test_a_secret_for_webhooks(capsys: Captured) -> None:
    assert said(capsys, "webhook-secret").startswith("whsec_")


@pytest.mark.parametrize("files", [["-"], []])
def test_what_cannot_be_ordered(files: list[str]) -> None:
    assert run(["jobs", "submit", *files]) == 2


def test_names_of_results_lead_nowhere_else() -> None:
    def named(name: str | None) -> str:
        document = JobDocument(7, name, 1, "0" * 64, "succeeded", 1, 1, None, None)
        return result_name(document, ".txt")

    assert named("../../etc/passwd") == "0007-_.._etc_passwd.txt"
    assert named("发票 1.pdf") == "0007-发票_1.pdf.txt"
    assert named("..") == named(None) == "0007.txt"
    assert len(named("x" * 500)) < 120
