"""The way of a batch, with a fake engine."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.fake_engine import Bench

Folder = Callable[[dict[str, str]], Path]
Capture = pytest.CaptureFixture[str]


def test_one_file_is_its_text(bench: Bench, folder: Folder, capsys: Capture) -> None:
    source = folder({"a.png": "hello"})
    assert bench.run("read", source / "a.png") == 0
    assert capsys.readouterr() == ("hello\n", "")
    assert bench.reader.closed


def test_several_files_get_headings_in_the_order_given(bench: Bench, folder: Folder, capsys: Capture) -> None:
    source = folder({"a.png": "first", "b.png": "second"})
    assert bench.run("read", source / "b.png", source / "a.png", "--jobs", "2") == 0
    out, err = capsys.readouterr()
    assert out == f"==> {source}/b.png <==\nsecond\n\n==> {source}/a.png <==\nfirst\n"
    assert err.startswith("shizi: 2 of 2 files read, in ")


def test_a_corrupt_file_of_a_hundred_costs_one_file(
    bench: Bench, folder: Folder, capsys: Capture, tmp_path: Path
) -> None:
    files = {f"{number:03}.png": f"text {number}" for number in range(100)}
    source = folder(files | {"041.png": "corrupt"})
    report = tmp_path / "report.json"
    out = tmp_path / "out"
    assert bench.run("read", source, "--output-dir", out, "--report", report, "--jobs", "4") == 1
    assert len(list(out.glob("*.txt"))) == 99
    assert (out / "099.png.txt").read_text() == "text 99"
    assert not (out / "041.png.txt").exists()
    err = capsys.readouterr().err
    assert f"shizi: {source}/041.png: it is damaged (CORRUPT_DOCUMENT)" in err
    assert "99 of 100 files read, 1 failed" in err
    said = json.loads(report.read_text())
    assert (said["total"], said["read"], said["failed"], said["interrupted"]) == (100, 99, 1, False)
    assert said["failures"] == [
        {
            "file": f"{source}/041.png",
            "error": {"code": "CORRUPT_DOCUMENT", "number": 4002, "message": "it is damaged", "retryable": False},
        }
    ]


@pytest.mark.parametrize(("text", "code"), [("corrupt", 65), ("bug", 70), ("memory", 71), ("models", 69)])
def test_a_single_failure_gives_its_own_exit_code(bench: Bench, folder: Folder, text: str, code: int) -> None:
    assert bench.run("read", folder({"a.png": text}) / "a.png") == code


def test_a_missing_file_says_so(bench: Bench, tmp_path: Path, capsys: Capture) -> None:
    assert bench.run("read", tmp_path / "none.png") == 66
    assert "none.png: cannot be opened: No such file or directory (NOT_FOUND)" in capsys.readouterr().err


def test_a_bug_is_called_one_and_debug_shows_the_traceback(bench: Bench, folder: Folder, capsys: Capture) -> None:
    source = folder({"a.png": "bug"}) / "a.png"
    bench.run("read", source)
    plain = capsys.readouterr().err
    assert "this is a bug" in plain
    assert "Traceback" not in plain
    bench.run("--debug", "read", source)
    assert "Traceback" in capsys.readouterr().err


def test_no_model_ends_the_batch_at_once(bench: Bench, folder: Folder, capsys: Capture) -> None:
    source = folder({f"{number}.png": "models" for number in range(9)})
    assert bench.run("read", source, "--jobs", "1") == 69
    assert capsys.readouterr().err == "shizi: no model (MODEL_LOAD_FAILED)\n"
    assert len(bench.reader.calls) < 9


def test_options_reach_the_engine(bench: Bench, folder: Folder) -> None:
    source = folder({"a.png": "x"}) / "a.png"
    switches = ("--no-classify", "--pages", "1-3,7", "--language", "zh, en", "--password", "pw", "--text-layer", "only")
    engine = (
        "--tier",
        "light",
        "--min-score",
        "0.25",
        "--runtime",
        "onnx",
        "--precision",
        "float32",
        "--threads",
        "3",
        "--offline",
        "--max-pixels",
        "5",
    )
    assert bench.run("read", source, *switches, *engine) == 0
    (call,) = bench.reader.calls
    assert call["switches"] == (True, False, True)
    assert call["pages"] == {1, 2, 3, 7}
    assert (call["languages"], call["password"], call["text_layer"]) == (("zh", "en"), "pw", "only")
    assert call["min_score"] == 0.25
    (opened,) = bench.opened
    assert (opened.tier, opened.runtime, opened.precision, opened.threads) == ("light", "onnx", "float32", 3)
    assert opened.offline
    assert opened.limits.given() == {"max_pixels": 5}


def test_bounds_of_a_document_reach_the_engine(bench: Bench, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder({"a.png": "x"}) / "a.png"
    monkeypatch.setenv("SHIZI_TIMEOUT_S", "60")
    assert bench.run("read", source, "--max-words", "7") == 0
    assert bench.run("read", source, "--timeout", "5", "--threads", "256") == 0
    assert [opened.limits.given() for opened in bench.opened] == [
        {"max_words": 7, "timeout_s": 60},
        {"timeout_s": 5},
    ]


@pytest.mark.parametrize(
    ("option", "value"), [("--threads", "257"), ("--timeout", "0"), ("--timeout", "604801"), ("--max-words", "0")]
)
def test_what_is_unbounded_is_refused(bench: Bench, folder: Folder, capsys: Capture, option: str, value: str) -> None:
    assert bench.run("read", folder({"a.png": "x"}) / "a.png", option, value) == 2
    assert f"{value} is not in the range" in capsys.readouterr().err


def test_environment_gives_defaults_and_options_win(
    bench: Bench, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = folder({"a.png": "x"}) / "a.png"
    monkeypatch.setenv("SHIZI_TIER", "light")
    monkeypatch.setenv("SHIZI_PASSWORD", "secret")
    monkeypatch.setenv("SHIZI_HOME", "/somewhere")
    bench.run("read", source)
    bench.run("read", source, "--tier", "general", "--password", "other")
    assert [options.tier for options in bench.opened] == ["light", "general"]
    assert [call["password"] for call in bench.reader.calls] == ["secret", "other"]
    assert bench.opened[0].models_dir == Path("/somewhere/models")


def test_a_password_file_gives_its_first_line(bench: Bench, folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("geheim\nsecond line\n")
    bench.run("read", folder({"a.png": "x"}) / "a.png", "--password-file", tmp_path / "pw")
    assert bench.reader.calls[0]["password"] == "geheim"


def test_the_password_file_is_no_place_for_the_output(
    bench: Bench, folder: Folder, tmp_path: Path, capsys: Capture
) -> None:
    secret = tmp_path / "pw"
    secret.write_text("geheim")
    source = folder({"a.png": "x"}) / "a.png"
    assert bench.run("read", source, "--password-file", secret, "-o", secret) == 2
    assert "is the file of --password-file and would be overwritten" in capsys.readouterr().err
    assert bench.run("read", source, "--password-file", secret, "--report", secret) == 2
    assert secret.read_text() == "geheim"


def test_stream_writes_documents_and_errors_by_line(bench: Bench, folder: Folder, capsys: Capture) -> None:
    source = folder({"a.png": "one\ntwo", "b.png": "corrupt"})
    assert bench.run("read", source, "--format", "json", "--stream", "--quiet") == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"file": f"{source}/a.png", "schema": "shizi/1", "text": "one\ntwo"}
    assert lines[1]["error"]["code"] == "CORRUPT_DOCUMENT"


def test_standard_input(bench: Bench, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"from a pipe")))
    assert bench.run("read", "-") == 0
    assert capsys.readouterr().out == "from a pipe\n"


def test_standard_input_is_bounded(bench: Bench, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"x" * 1001)))
    assert bench.run("read", "-") == 65
    assert "larger than the limit of 1000 bytes; raise it with --max-bytes (IMAGE_TOO_LARGE)" in capsys.readouterr().err


def test_resume_reads_only_what_is_left_or_has_changed(
    bench: Bench, folder: Folder, tmp_path: Path, capsys: Capture
) -> None:
    source = folder({"a.png": "one", "b.png": "corrupt", "c.png": "three"})
    command = ("read", source, "--output-dir", tmp_path / "out", "--resume")
    assert bench.run(*command) == 1
    (source / "b.png").write_text("mended")
    bench.reader.calls.clear()
    assert bench.run(*command) == 0
    assert [Path(call["source"]).name for call in bench.reader.calls] == ["b.png"]
    assert "1 of 3 files read, 2 were done before" in capsys.readouterr().err

    (source / "a.png").write_text("changed")
    bench.reader.calls.clear()
    bench.run(*command)
    assert [Path(call["source"]).name for call in bench.reader.calls] == ["a.png"]

    bench.reader.calls.clear()
    bench.run(*command, "--timeout", "9", "--threads", "1")  # other speed, the same results
    assert bench.reader.calls == []
    bench.run(*command, "--no-classify")  # other settings, other results
    assert len(bench.reader.calls) == 3

    opened = len(bench.opened)
    assert bench.run(*command, "--no-classify") == 0
    assert len(bench.opened) == opened  # nothing to do: no model is loaded


def test_interruption_keeps_what_is_done(bench: Bench, folder: Folder, tmp_path: Path, capsys: Capture) -> None:
    source = folder({"a.png": "one", "b.png": "ctrl-c"})
    out, report = tmp_path / "out", tmp_path / "report.json"
    assert bench.run("read", source, "-O", out, "--jobs", "1", "--report", report) == 130
    assert (out / "a.png.txt").read_text() == "one"
    assert (
        "interrupted: 1 of 2 files done; the same command with --resume goes on from there" in capsys.readouterr().err
    )
    assert json.loads(report.read_text())["interrupted"]
    assert sorted(path.name for path in out.iterdir()) == [".shizi-journal.jsonl", "a.png.txt"]


def test_warnings_go_to_stderr_unless_quiet(bench: Bench, folder: Folder, capsys: Capture) -> None:
    source = folder({"a.png": "poor"}) / "a.png"
    bench.run("read", source)
    assert capsys.readouterr() == ("poor\n", f"shizi: {source}: a poor scan\n")
    bench.run("read", source, "-q")
    assert capsys.readouterr().err == ""


def test_formats_that_draw_on_the_original_get_its_bytes(bench: Bench, folder: Folder, tmp_path: Path) -> None:
    assert bench.run("read", folder({"a.png": "x"}), "-f", "pdf", "-O", tmp_path / "out") == 0
    assert bench.originals == [b"x"]
    assert (tmp_path / "out" / "a.png.pdf").read_bytes() == b"x"


def test_text_cannot_command_the_terminal(
    bench: Bench, folder: Folder, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    bench.run("read", folder({"a.png": "evil\x1b]0;title\x07 识字"}) / "a.png")
    assert capsys.readouterr().out == "evil\\x1b]0;title\\x07 识字\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.png", "b.png", "-o", "x.txt"), "use --output-dir"),
        (("a.png", "b.png", "-f", "json"), "add --stream"),
        (("a.png", "b.png", "-f", "pdf"), "add --output-dir"),
        (("a.png", "--stream"), "use it with --format json"),
        (("a.png", "--resume"), "needs --output-dir"),
        (("a.png", "--no-recognize"), "without recognition there is no text"),
        (("a.png", "-o", "a.png"), "a.png is an input and would be overwritten"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_model_is_loaded(
    bench: Bench,
    folder: Folder,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(folder({"a.png": "x", "b.png": "y"}))
    assert bench.run("read", *arguments) == 2
    assert message in capsys.readouterr().err
    assert bench.opened == []


def test_an_empty_folder_is_said(bench: Bench, tmp_path: Path, capsys: Capture) -> None:
    assert bench.run("read", tmp_path) == 66
    assert "no image or PDF in" in capsys.readouterr().err
