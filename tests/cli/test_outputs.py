from __future__ import annotations

import os
from pathlib import Path, PurePath

import pytest

from shizi.cli.inputs import Input
from shizi.cli.outputs import JOURNAL, Job, Journal, plan, refuse_kept, write
from shizi.errors import InvalidRequest


def item(path: Path, relative: str | None = None) -> Input:
    return Input(str(path), path, PurePath(relative or path.name))


def test_names_and_folders_are_kept(tmp_path: Path) -> None:
    jobs = plan([item(Path("x/a.png"), "sub/a.png"), item(Path("b.PDF"))], None, tmp_path, ".pdf")
    assert [job.output for job in jobs] == [tmp_path / "sub" / "a.png.pdf", tmp_path / "b.PDF"]


def test_two_inputs_never_share_an_output(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"x/a\.png and y/a\.png would both be written"):
        plan([item(Path("x/a.png")), item(Path("y/a.png"))], None, tmp_path, ".txt")


def test_an_input_is_never_overwritten_also_through_a_link(tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(b"precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.pdf").hardlink_to(source)
    with pytest.raises(InvalidRequest, match="is an input"):
        plan([item(source)], None, tmp_path / "out", ".pdf")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def full(_path: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InvalidRequest, match="No space left on device"):
        write(target, b"new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_the_report_overwrites_neither_an_input_nor_an_output(tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(b"precious")
    (tmp_path / "link").symlink_to(source)
    for report in (source, tmp_path / "link", tmp_path / "x" / ".." / "a.pdf"):
        with pytest.raises(InvalidRequest, match="is an input and would be overwritten by the report"):
            plan([item(source)], None, None, ".txt", report)
    with pytest.raises(InvalidRequest, match="is an output and would be overwritten by the report"):
        plan([item(source)], None, tmp_path / "out", ".txt", tmp_path / "out" / "a.pdf.txt")


def test_the_longest_names_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("票" * 83 + ".txt")
    write(target, b"text")
    assert target.read_text() == "text"


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("precious")
    (tmp_path / f".shizi-{os.getpid()}.part").symlink_to(tmp_path / "theirs")
    write(tmp_path / "a.txt", b"text")
    assert (tmp_path / "theirs").read_text() == "precious"
    assert not (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "a.txt").read_text() == "text"


def test_a_link_in_a_circle_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    write(tmp_path / "loop", b"text")
    assert (tmp_path / "loop").read_text() == "text"


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real.txt")
    write(tmp_path / "link", b"text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "text"
    write(Path("/dev/null"), b"text")
    assert Path("/dev/null").is_char_device()


def test_the_journal_survives_a_torn_line(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_text("x")
    job = Job(item(source), tmp_path / "a.png.txt")
    write(tmp_path / "a.png.txt", b"text")
    Journal(tmp_path, "s1").add(job)
    with (tmp_path / JOURNAL).open("a") as file:
        file.write("[" * 100_000 + '\n{"output": "b.p')
    assert Journal(tmp_path, "s1").is_done(job)
    assert not Journal(tmp_path, "s2").is_done(job)
    os.utime(source, (1, 1))
    assert not Journal(tmp_path, "s1").is_done(job)


def test_a_removed_output_is_not_done(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_text("x")
    job = Job(item(source), tmp_path / "a.png.txt")
    Journal(tmp_path, "s").add(job)
    assert not Journal(tmp_path, "s").is_done(job)


def test_a_journal_that_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / JOURNAL)
    with pytest.raises(InvalidRequest, match=r"cannot read .*\.shizi-journal\.jsonl: it is no regular file"):
        Journal(tmp_path, "s")
    (tmp_path / JOURNAL).unlink()
    (tmp_path / JOURNAL).symlink_to("/dev/zero")
    with pytest.raises(InvalidRequest, match="it is no regular file"):
        Journal(tmp_path, "s")


def test_a_journal_without_end_is_refused(tmp_path: Path) -> None:
    with (tmp_path / JOURNAL).open("wb") as file:
        file.truncate(64_000_001)
    with pytest.raises(InvalidRequest, match="has more than 64000000 bytes; move it away"):
        Journal(tmp_path, "s")


def test_a_line_without_end_is_passed_over(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_text("x")
    job = Job(item(source), tmp_path / "a.png.txt")
    write(tmp_path / "a.png.txt", b"text")
    (tmp_path / JOURNAL).write_text('{"output": "' + "x" * 1_000_000 + '"}\n')
    Journal(tmp_path, "s").add(job)
    assert Journal(tmp_path, "s").is_done(job)


def test_a_name_that_is_no_text_is_noted(tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(b"\xff\xe9.png")
    source.write_text("x")
    job = Job(item(source), tmp_path / (source.name + ".txt"))
    write(tmp_path / (source.name + ".txt"), b"text")
    Journal(tmp_path, "s").add(job)
    assert Journal(tmp_path, "s").is_done(job)


def test_the_password_file_is_never_overwritten(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("geheim")
    (tmp_path / "link").symlink_to(secret)
    (tmp_path / "hard").hardlink_to(secret)
    for output in (secret, tmp_path / "x" / ".." / "secret.txt", tmp_path / "link", tmp_path / "hard"):
        jobs = plan([item(Path("a.png"))], output, None, ".txt")
        with pytest.raises(InvalidRequest, match="is the file of --password-file and would be overwritten"):
            refuse_kept({"--password-file": secret}, jobs, None)
    with pytest.raises(InvalidRequest, match="would be overwritten"):
        refuse_kept({"--password-file": secret}, (), secret)
    refuse_kept({"--password-file": secret}, plan([item(Path("a.png"))], tmp_path / "b", None, ".txt"), None)
