from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shizi.cli import facts
from shizi.cli.facts_text import as_text
from shizi.cli.main import run

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "turned.png"


def test_without_models_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--models-dir", str(tmp_path)]) == 69
    out = capsys.readouterr().out
    assert "run `shizi models pull --tier general`" in out
    assert "missing" in out
    assert "max_pixels" in out


def test_json_has_the_machine_the_choice_and_the_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json", "--models-dir", str(tmp_path), "--tier", "light"]) == 69
    facts = json.loads(capsys.readouterr().out)
    assert facts["usable"] is False
    assert facts["machine"]["threads"] >= 1
    assert facts["engine"]["runtime"] in facts["engine"]["runtimes"]
    assert {model["state"] for model in facts["models"]} == {"missing"}
    assert all(len(model["sha256"]) == 64 for model in facts["models"])


def test_an_unknown_tier_is_an_error_that_lists_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--tier", "best"]) == 66
    assert "general" in capsys.readouterr().err


def test_with_its_models_it_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "pull"]) == 0
    assert run(["doctor"]) == 0
    assert "Ready to read" in capsys.readouterr().out


def test_it_says_which_bounds_a_sandbox_has_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json", "--models-dir", str(tmp_path)]) == 69
    sandbox = json.loads(capsys.readouterr().out)["sandbox"]
    assert {"rlimit-cpu", "rlimit-nofile"} <= set(sandbox["held"])
    assert {"seccomp", "landlock"} <= {*sandbox["held"], *sandbox["missing"]}
    assert all(sandbox["missing"].values()), "what is missing has a reason"
    assert run(["doctor", "--models-dir", str(tmp_path)]) == 69
    out = capsys.readouterr().out
    assert "Sandbox of a server" in out
    assert ("✓ seccomp" if "seccomp" in sandbox["held"] else "✗ seccomp") in out
    assert "no network" in out


def test_bounds_that_cannot_be_had_are_said_with_the_reason(tmp_path: Path) -> None:
    found = facts.gather(None, tmp_path, {})
    found["sandbox"] = facts.Bounds(held=["rlimit-cpu"], missing={"landlock": "Operation not supported"})
    assert "✗ landlock  opens fonts and program code only: Operation not supported" in as_text(found, colour=False)


@pytest.mark.parametrize(
    ("folder", "said"), [("compiled", "kept in "), ("file/compiled", "file cannot be written"), ("", "others")]
)
def test_it_says_where_compiled_models_are_kept_or_why_not(
    tmp_path: Path, folder: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o770)
    (tmp_path / "file").touch()
    monkeypatch.setenv("SHIZI_COMPILED_DIR", str(tmp_path / folder))
    found = facts.gather(None, tmp_path, {})
    assert said in found["compiled"]
    assert found["compiled"].startswith("kept in") == (folder == "compiled")
    found["engine"]["runtime"] = "openvino"
    assert "compiled  " in as_text(found, colour=False)
    found["engine"]["runtime"] = "onnx"
    assert "compiled  " not in as_text(found, colour=False)


def test_it_says_that_compiled_models_are_not_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIZI_COMPILED_DIR", "off")
    assert "not kept, so that each start compiles them" in facts.gather(None, tmp_path, {})["compiled"]


def test_a_start_that_keeps_nothing_reads_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "shizi", "read", str(SAMPLE)],
        env={**os.environ, "SHIZI_COMPILED_DIR": str(tmp_path / "file" / "compiled")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
