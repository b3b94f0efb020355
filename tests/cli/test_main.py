"""The entry point: quick help, errors, exit codes, pipes."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest

from shizi.cli.main import COMMANDS, run


def test_help_loads_no_engine() -> None:
    code = (
        "import sys\nfrom shizi.cli.main import run\nrun(['--help'])\nrun(['read', '--help'])\n"
        "heavy = {'numpy', 'cv2', 'onnxruntime', 'openvino', 'PIL', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Read the text of images and PDFs." in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_summaries_are_those_of_the_commands(name: str) -> None:
    entry = COMMANDS[name]
    command: click.Command = getattr(importlib.import_module(entry.module), entry.attribute)
    assert command.get_short_help_str(200) == entry.summary


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("shizi 0")


def test_an_unknown_command_and_option_are_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["raed"]) == 2
    assert run(["read", "--formt", "json", "a.png"]) == 2
    assert "--format" in capsys.readouterr().err


def test_an_unknown_setting_is_an_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIZI_TEIR", "light")
    assert run(["read", "a.png"]) == 2
    assert "SHIZI_TEIR is unknown; known are SHIZI_HOME" in capsys.readouterr().err


def test_a_closed_pipe_ends_quietly() -> None:
    code = (
        "import sys\nfrom shizi.cli import main\n"
        "def broken(*_): raise BrokenPipeError\n"
        "main.shizi.invoke = broken\n"
        "main.main()"
    )
    done = subprocess.run([sys.executable, "-c", code, "doctor"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")


def test_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "shizi", "--version"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("shizi ")
