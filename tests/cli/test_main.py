"""The entry point: quick help, errors, exit codes, pipes."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from shizi.cli.main import COMMANDS, run
from shizi.cli.outputs import JOURNAL

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.mark.parametrize("arguments", [["read", "samples/turned.png"], ["models", "list"]])
def test_a_full_disk_is_said_and_is_no_success(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "shizi", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 2
    assert "no room to write: No space left on device; make room" in done.stderr


@pytest.mark.parametrize(("closed", "said"), [(">&-", ""), ("2>&-", "shizi 0"), (">&- 2>&-", "")])
def test_closed_streams_are_no_error(closed: str, said: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m shizi --version {closed}'],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(said)


def test_no_room_names_the_place_and_a_traceback_can_be_had() -> None:
    code = (
        "from shizi.cli import main\n"
        "def full(*_): raise OSError(28, 'No space left on device', '/somewhere')\n"
        "main.shizi.invoke = full\n"
        "main.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--debug", "doctor"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no room to write for /somewhere: No space left on device" in done.stderr
    assert "Traceback" in done.stderr


def test_what_was_not_flushed_is_written_in_the_end() -> None:
    code = (
        "import sys\nfrom shizi.cli import main\n"
        "main.shizi.invoke = lambda *_: print('last words') or print('and warnings', file=sys.stderr) or 3\n"
        "main.main()"
    )
    done = subprocess.run([sys.executable, "-c", code, "doctor"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "last words\n", "and warnings\n")


@pytest.mark.parametrize(("output", "code"), [("/dev/full", 2), ("/dev/null", 0)])
def test_what_cannot_be_written_in_the_end_is_no_success(output: str, code: int) -> None:
    script = "from shizi.cli import main\nmain.shizi.invoke = lambda *_: print('last words')\nmain.main()"
    with Path(output).open("w") as file:
        command = [sys.executable, "-c", script, "doctor"]
        done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code
    assert ("No space left on device" in done.stderr) == (code != 0)


def test_sigterm_keeps_what_is_done_and_says_so(tmp_path: Path) -> None:
    code = (
        "from shizi.cli import engine, main\n"
        "from tests.cli.fake_engine import Bench, FakeReader\n"
        "engine.real_tools = Bench(FakeReader(), [], []).tools\n"
        "main.main()"
    )
    (tmp_path / "a.png").write_text("one")
    (tmp_path / "b.png").write_text("hang")
    out, report = tmp_path / "out", tmp_path / "report.json"
    command = [sys.executable, "-c", code, "read", str(tmp_path), "-O", str(out), "--report", str(report)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        give_up = time.monotonic() + 30
        while not (out / JOURNAL).exists() and time.monotonic() < give_up:
            time.sleep(0.02)
        time.sleep(0.5)  # the journal is written before the file is counted
        start = time.monotonic()
        process.terminate()
        _, err = process.communicate()
    assert process.returncode == 143
    assert time.monotonic() - start < 10
    assert "interrupted: 1 of 2 files done; the same command with --resume goes on from there" in err
    assert json.loads((out / JOURNAL).read_text())["output"] == "a.png.txt"
    assert json.loads(report.read_text())["interrupted"]


def test_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "shizi", "--version"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("shizi ")
