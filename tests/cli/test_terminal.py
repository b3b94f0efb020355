"""Names and texts of others cannot drive the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shizi.cli.main import run
from shizi.cli.terminal import one_line, printable
from tests.cli.fake_engine import Bench

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


def test_an_error_that_ends_the_command_is_harmless_too(tmp_path: Path, capsys: Capture) -> None:
    assert run(["models", "list", "--catalog", str(tmp_path / "\x1b]0;title\x07.toml")]) == 66
    err = capsys.readouterr().err
    assert "\\x1b]0;title\\x07.toml does not exist" in err
    assert "\x1b" not in err
