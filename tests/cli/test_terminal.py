"""Names and texts of others cannot drive the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shizi.cli.main import run
from shizi.cli.report import error_line
from shizi.cli.terminal import one_line, printable, said
from shizi.errors import ModelLoadFailed
from shizi.types import Document
from tests.cli.fake_engine import Bench, FakeReader

Capture = pytest.CaptureFixture[str]


def test_control_characters_and_turned_writing_are_shown() -> None:
    assert printable("a\x1b[31m\x9b\u202eb\r发票\n") == "a\\x1b[31m\\x9b\\u202eb\\r发票\n"
    assert one_line("a\nb\u2028c\td 发票.png") == "a\\nb\\u2028c\\td 发票.png"


def test_a_name_cannot_pretend_to_be_a_heading_or_an_error(
    bench: Bench, folder: Callable[[dict[str, str]], Path], capsys: Capture
) -> None:
    source = folder({"a\n==> b.png <==": "text", "c\nshizi: d.png": "corrupt"})
    bench.run("read", *sorted(source.iterdir()))
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if line.startswith("==>")] == [f"==> {source}/a\\n==> b.png <== <=="]
    assert err.splitlines()[0] == f"shizi: {source}/c\\nshizi: d.png: it is damaged (CORRUPT_DOCUMENT)"


def test_an_error_is_one_line_whatever_a_library_says() -> None:
    odd = "OpenVINO cannot load a.onnx: Exception from core.cpp:132:\n\tUnable to read\x1b[2J it \n\n\n"
    assert said(ModelLoadFailed(odd)) == (
        "OpenVINO cannot load a.onnx: Exception from core.cpp:132: Unable to read\\x1b[2J it"
    )
    assert said(ModelLoadFailed("it cannot load a.onnx: \n")) == "it cannot load a.onnx"
    assert said(ModelLoadFailed("\n")) == "ModelLoadFailed"
    assert error_line("a.png", ModelLoadFailed("one\ntwo\n")) == "shizi: a.png: one two (MODEL_LOAD_FAILED)"


def test_a_model_that_cannot_be_loaded_costs_one_line_of_stderr(
    bench: Bench, folder: Callable[[dict[str, str]], Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> Document:
        raise ModelLoadFailed("OpenVINO cannot load a.onnx: \n\nException\n\n")

    monkeypatch.setattr(FakeReader, "read", fail)
    assert bench.run("read", folder({"a.png": "x"})) == 69
    assert capsys.readouterr().err == "shizi: OpenVINO cannot load a.onnx: Exception (MODEL_LOAD_FAILED)\n"


def test_an_error_that_ends_the_command_is_harmless_too(tmp_path: Path, capsys: Capture) -> None:
    assert run(["models", "list", "--catalog", str(tmp_path / "\x1b]0;title\x07.toml")]) == 66
    err = capsys.readouterr().err
    assert "\\x1b]0;title\\x07.toml does not exist" in err
    assert "\x1b" not in err
