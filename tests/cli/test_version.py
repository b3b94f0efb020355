from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from shizi.cli.main import run
from shizi.cli.version import own_version
from tests.cli.fake_engine import Bench


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = importlib.metadata.version

    def version(name: str) -> str:
        if name == "shizi":
            raise importlib.metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(importlib.metadata, "version", version)


@pytest.mark.usefixtures("uninstalled")
def test_sources_without_an_installation_say_that_their_version_is_unknown(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert own_version() == "0+unknown"
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == "shizi 0+unknown\n"
    run(["doctor", "--json", "--models-dir", str(tmp_path)])
    assert json.loads(capsys.readouterr().out)["version"] == "0+unknown"
    (tmp_path / "a.png").write_text("text")
    assert bench.run("read", tmp_path / "a.png", "-O", tmp_path / "out") == 0


def test_an_installed_version_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: {"shizi": "9.8.7"}[name])
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == "shizi 9.8.7\n"
