"""`shizi read --server`: the same command with a server in the place of the engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.cli.main import run
from tests.client.hostile import Hostile, answer, closed_port
from tests.serving.processes import LocalServer
from tests.serving.test_app import drawn

Capture = pytest.CaptureFixture[str]
NUMBER = re.compile(r"\d+\.\d+")
OFFERED = b'{"version": "1"}'


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer() as process:
        yield process


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVER", "API_KEY", "CA_FILE", "TIER", "PASSWORD", "TIMEOUT_S"):
        monkeypatch.delenv(f"SHIZI_{name}", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "in"
    files.mkdir()
    (files / "a.png").write_bytes(drawn("Harbour 2026"))
    (files / "b.png").write_bytes(b"SCRIPT say ")
    return files


def shizi(*arguments: str | Path) -> int:
    return run([str(argument) for argument in arguments])


@pytest.mark.parametrize("form", ["text", "json", "md", "csv", "xlsx", "docx", "hocr", "alto", "pdf", "annotated"])
def test_outputs_are_those_of_an_engine_here(server: LocalServer, folder: Path, tmp_path: Path, form: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    assert shizi("read", folder / "a.png", "-f", form, "-o", here) == 0
    assert shizi("read", folder / "a.png", "-f", form, "-o", there, "--server", server.url) == 0
    if form == "json":
        documents = [json.loads(path.read_text()) for path in (here, there)]
        for document in documents:
            del document["timings_ms"]
        assert documents[0] == documents[1]
    elif form == "alto":  # its heights are differences of coordinates, and those from a server have two decimals
        one, other = here.read_text(), there.read_text()
        assert NUMBER.sub("", one) == NUMBER.sub("", other)
        for number, same in zip(NUMBER.findall(one), NUMBER.findall(other), strict=True):
            assert abs(float(number) - float(same)) < 0.011
    elif form == "pdf":
        assert abs(len(here.read_bytes()) - len(there.read_bytes())) < 100
        assert there.read_bytes().startswith(b"%PDF-")
    else:
        assert here.read_bytes() == there.read_bytes()


def test_a_folder_is_read_reported_and_gone_on_with(
    server: LocalServer, folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    (folder / "c.png").write_bytes(b"SCRIPT raise CorruptDocument ")
    command = (
        "read",
        folder,
        "-O",
        tmp_path / "out",
        "--server",
        server.url,
        "--resume",
        "--report",
        tmp_path / "report",
    )
    assert shizi(*command) == 1
    assert (tmp_path / "out" / "a.png.txt").read_text().strip() == "Harbour 2026"
    assert "c.png: as the script says (CORRUPT_DOCUMENT)" in capsys.readouterr().err
    assert shizi(*command) == 1
    report = json.loads((tmp_path / "report").read_text())
    assert (report["total"], report["read"], report["skipped"], report["failed"]) == (3, 0, 2, 1)
    assert report["failures"][0]["error"]["code"] == "CORRUPT_DOCUMENT"
    # what another server has read was not read by this one
    (folder / "c.png").unlink()
    with LocalServer() as other:
        assert shizi("read", folder, "-O", tmp_path / "out", "--server", other.url, "--resume") == 0
    assert "2 of 2 files read" in capsys.readouterr().err


def test_lines_of_json_come_in_order(server: LocalServer, folder: Path, capsys: Capture) -> None:
    assert shizi("read", folder, "-f", "json", "--stream", "--server", server.url, "-j", "4") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["text"] for record in records] == ["Harbour 2026", "said"]


@pytest.mark.parametrize(
    ("error", "code"), [("CorruptDocument", 65), ("EncryptedDocument", 77), ("DeadlineExceeded", 75)]
)
def test_exit_codes_are_those_of_the_errors(server: LocalServer, tmp_path: Path, error: str, code: int) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(f"SCRIPT raise {error} ".encode())
    assert shizi("read", file, "--server", server.url) == code


def test_the_environment_names_the_server_and_an_empty_option_overrules_it(
    server: LocalServer, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIZI_SERVER", server.url)
    assert shizi("read", folder / "b.png") == 0
    assert capsys.readouterr().out == "said\n"
    assert shizi("read", folder / "b.png", "--server", "") == 65


@pytest.mark.parametrize(
    "options",
    [
        ("--tier", "light"), ("--runtime", "onnx"), ("--precision", "float32"), ("--threads", "2"), ("--offline",),
        ("--models-dir", "x"), ("--catalog", "x"), ("--max-pixels", "9"), ("--max-side", "9"), ("--max-pages", "9"),
        ("--max-memory", "9"), ("--max-words", "9"), ("--pdf-dpi", "9"), ("--pdf-max-pixels", "9"),
    ],
)  # fmt: skip
def test_options_of_an_engine_are_refused(folder: Path, capsys: Capture, options: tuple[str, ...]) -> None:
    assert shizi("read", folder / "a.png", "--server", "http://127.0.0.1:9", *options) == 2
    assert f"{options[0]} is the server's to choose" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--key-file", "--ca-file"])
def test_options_of_a_server_need_one(folder: Path, tmp_path: Path, capsys: Capture, option: str) -> None:
    assert shizi("read", folder / "a.png", option, tmp_path / "x") == 2
    assert "name it with --server" in capsys.readouterr().err


def test_a_key_comes_from_a_file_or_the_environment(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("shizi_of_the_file\nand a second line\n")
    environment = {**os.environ, "SHIZI_API_KEY": "shizi_of_the_environment"}
    refused = answer("401 No", b'{"code": "UNAUTHENTICATED", "detail": "the key has ended"}')
    for options, key in ((), b"shizi_of_the_environment"), (("--key-file", tmp_path / "key"), b"shizi_of_the_file"):
        with Hostile([answer("200 OK", OFFERED)], [refused]) as hostile:
            command = ["read", folder, "--server", hostile.url, "-j", "1", "-O", tmp_path / "out", *options]
            done = subprocess.run(
                [sys.executable, "-m", "shizi", *map(str, command)],
                capture_output=True,
                text=True,
                check=False,
                env=environment,
            )
            assert done.returncode == 77  # whoever is refused once is refused for every file
            assert all(b"Bearer " + key in request for request in hostile.requests)
            assert len(hostile.requests) <= 3
        assert "the key has ended" in done.stderr
        assert "shizi_of" not in done.stderr


def test_what_is_sent_is_bounded_here_too(server: LocalServer, folder: Path, capsys: Capture) -> None:
    assert shizi("read", folder / "a.png", "--server", server.url, "--max-bytes", "50") == 65
    assert "--max-bytes" in capsys.readouterr().err


def test_a_time_reaches_the_server(server: LocalServer, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"SCRIPT wait 20 ")
    assert shizi("read", file, "--server", server.url, "--timeout", "1") == 75


def test_a_server_that_is_not_there_or_none_ends_the_batch_at_once(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    assert shizi("read", folder, "--server", url, "-O", tmp_path / "out") == 69
    assert "nobody listens" in capsys.readouterr().err
    with Hostile([answer("200 OK", b"<html>")]) as hostile:
        assert shizi("read", folder, "--server", hostile.url, "-O", tmp_path / "out") == 70
    assert "is this the address of a shizi server?" in capsys.readouterr().err
    assert shizi("read", folder, "--server", "nowhere", "-O", tmp_path / "out") == 2
    (tmp_path / "ca").write_text("no certificate")
    assert shizi("read", folder, "--server", url, "-O", tmp_path / "out", "--ca-file", tmp_path / "ca") == 2
    assert shizi("read", folder, "--server", url, "-O", tmp_path / "out", "--ca-file", tmp_path / "none") == 66
    assert not list((tmp_path / "out").glob("*.txt"))


def test_a_key_is_not_overwritten_by_a_result(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    key = tmp_path / "key"
    key.write_text("shizi_k")
    assert shizi("read", folder / "a.png", "--server", "http://127.0.0.1:9", "--key-file", key, "-o", key) == 2
    assert "--key-file" in capsys.readouterr().err
    assert key.read_text() == "shizi_k"
