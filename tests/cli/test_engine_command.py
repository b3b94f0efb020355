from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from shizi.cli.engine_command import _process, engine
from shizi.cli.main import run
from shizi.cli.options import engine_options
from shizi.engine.client import EngineClient
from shizi.engine.options import HostOptions, ReaderOptions
from shizi.engine.security import ServerSecurity
from shizi.errors import InvalidRequest
from shizi.settings import Settings

HELP = ["-h", "--help"]  # as below `shizi`: click keeps the option that a command was first run with


def test_its_help_names_the_protocol_and_the_danger() -> None:
    said = CliRunner().invoke(engine, ["--help"], help_option_names=HELP).output
    assert "Open Inference Protocol v2" in said
    assert "whoever reaches it may use it" in " ".join(said.split())
    for heading in ("Where:", "Who:", "Engine:", "Work:", "Limits:"):
        assert heading in said


@pytest.mark.parametrize("address", ["tcp:0.0.0.0:8001", "tcp:[::]:8001", "tcp:engine.example:8001"])
def test_other_machines_are_let_in_only_when_that_is_said(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["engine", "--listen", address]) == 2
    said = capsys.readouterr().err
    assert "--allow-remote" in said
    assert "--token-file" in said


@pytest.mark.parametrize("known_by", ["token_file", "client_ca"])
def test_an_engine_that_knows_its_callers_may_be_reached_by_others(
    known_by: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"certificate": tmp_path / "c", "key": tmp_path / "k"}
    values: dict[str, object] = {known_by: tmp_path / "f", **(files if known_by == "client_ca" else {})}
    process = _process("tcp:0.0.0.0:1", False, engine_options(values, Settings()), values)
    assert process.security == ServerSecurity(**{known_by: tmp_path / "f"} | (files if known_by == "client_ca" else {}))
    assert ("without TLS" in capsys.readouterr().err) == (known_by == "token_file")


def test_tls_alone_keeps_nobody_out(tmp_path: Path) -> None:
    values: dict[str, object] = {"certificate": tmp_path / "c", "key": tmp_path / "k"}
    with pytest.raises(InvalidRequest, match="nobody would be asked who he is"):
        _process("tcp:0.0.0.0:1", False, engine_options(values, Settings()), values)


@pytest.mark.parametrize("address", ["8001", "unix:relative.sock", "tcp:127.0.0.1"])
def test_a_wrong_address_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["engine", "--listen", address]) == 2
    assert "unix:/path/of/a/socket or tcp:HOST:PORT" in capsys.readouterr().err


def test_options_and_settings_become_the_engines() -> None:
    settings = Settings(home=Path("/models"), tier="light", max_pixels=5000)
    values = {"threads": 3, "runtime": "onnx", "pages_at_a_time": 4, "max_waiting": 7, "warmup_batches": 0}
    process = _process("tcp:0.0.0.0:1", True, engine_options(values, settings), values)
    assert process.reader == ReaderOptions(
        tier="light", runtime="onnx", threads=3, models_dir=Path("/models/models"), offline=False
    )
    assert process.host == HostOptions(pages_at_a_time=4, max_waiting=7, warmup_batches=0, max_pixels=5000)


def test_a_limit_that_no_message_can_have_is_refused() -> None:
    values = {"max_message_bytes": 2**31}
    with pytest.raises(InvalidRequest, match="max_message_bytes"):
        _process("unix:/a", False, engine_options(values, Settings()), values)


def test_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    listen = f"unix:{tmp_path}/e.sock"
    command = [sys.executable, "-m", "shizi", "engine", "--listen", listen, "--tier", "light", "--warmup-batches", "1"]
    source = str(Path(__file__).parents[2] / "src")
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": source}
    ) as process:
        assert process.stderr is not None
        try:
            assert process.stderr.readline() == f"shizi engine: listening at {listen}\n"
            assert process.stderr.readline().startswith("shizi engine: ready after ")
            assert asyncio.run(_models(listen)) == {"detect", "direction", "recognize"}
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 143
        finally:
            process.kill()
    assert not (tmp_path / "e.sock").exists()


async def _models(listen: str) -> set[str]:
    client = EngineClient(listen)
    try:
        return {model.task for model in await client.models()}
    finally:
        await client.close()
