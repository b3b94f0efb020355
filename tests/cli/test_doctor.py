from __future__ import annotations

import json
from pathlib import Path

import pytest

from shizi.cli import facts
from shizi.cli.facts_text import as_text
from shizi.cli.main import run


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
