"""Compiled models that are kept: what was put comes back, and what cannot be trusted is as if it were not there."""

from __future__ import annotations

import errno
import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shizi.runtime.compiled import CompiledModels


def only_file(root: Path) -> Path:
    (path,) = root.iterdir()
    return path


def test_what_was_put_comes_back_under_its_key_alone(tmp_path: Path) -> None:
    kept = CompiledModels(tmp_path / "new" / "folder")
    assert kept.get("a") is None
    kept.put("a", b"first")
    kept.put("b", b"")
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (b"first", b"", None)
    kept.put("a", b"second")
    assert CompiledModels(tmp_path / "new" / "folder").get("a") == b"second"


def test_it_is_for_this_user_alone(tmp_path: Path) -> None:
    root = tmp_path / "compiled"
    CompiledModels(root).put("a", b"model")
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(root).stat().st_mode) == 0o600


@pytest.mark.parametrize("cut", [0, 10, 32, -1])
def test_a_file_that_ends_too_soon_is_not_used_and_made_anew(tmp_path: Path, cut: int) -> None:
    kept = CompiledModels(tmp_path)
    kept.put("a", b"model" * 100)
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    assert kept.get("a") is None
    kept.put("a", b"model" * 100)
    assert kept.get("a") == b"model" * 100


def test_one_wrong_bit_is_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = CompiledModels(tmp_path)
    kept.put("a", b"model")
    path = only_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert kept.get("a") is None
    assert "is damaged" in caplog.text


def test_a_file_under_another_ones_name_is_not_used(tmp_path: Path) -> None:
    kept = CompiledModels(tmp_path)
    kept.put("a", b"model a")
    first = only_file(tmp_path)
    kept.put("b", b"model b")
    (second,) = set(tmp_path.iterdir()) - {first}
    second.replace(first)
    assert kept.get("a") is None


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_used(tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture) -> None:
    kept = CompiledModels(tmp_path)
    kept.put("a", b"model")
    only_file(tmp_path).chmod(mode)
    assert kept.get("a") is None
    assert "can be written by others" in caplog.text


def test_a_file_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = CompiledModels(tmp_path)
    kept.put("a", b"model")
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert kept.get("a") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = CompiledModels(tmp_path / "file" / "folder")
    kept.put("a", b"model")
    assert kept.get("a") is None


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    kept = CompiledModels(tmp_path / "compiled")
    kept.put("a", b"model")
    (tmp_path / "compiled").chmod(0o777)
    assert kept.get("a") is None


@pytest.mark.timeout(10)
def test_a_pipe_or_a_folder_in_its_place_blocks_nobody(tmp_path: Path) -> None:
    kept = CompiledModels(tmp_path)
    kept.put("a", b"model")
    path = only_file(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert kept.get("a") is None
    kept.put("a", b"model")
    assert kept.get("a") == b"model"
    path.unlink()
    path.mkdir()
    assert kept.get("a") is None
    kept.put("a", b"model")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failing", ["fdopen", "replace"])
def test_what_cannot_be_written_leaves_nothing_and_what_is_too_much_goes(
    tmp_path: Path, failing: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept = CompiledModels(tmp_path)
    kept.put("a", b"a" * 100)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os if failing == "fdopen" else Path, failing, full)
    smaller = CompiledModels(tmp_path, most_bytes=131)
    for _ in range(3):
        smaller.put("b", b"b" * 50)
    assert list(tmp_path.iterdir()) == []
    assert "No space left on device" in caplog.text


def test_one_that_cannot_be_dropped_keeps_no_other(tmp_path: Path) -> None:
    kept = CompiledModels(tmp_path, most_bytes=200)
    kept.put("a", b"a" * 100)
    os.utime(only_file(tmp_path), (1000, 1000))
    old = tmp_path / "z.compiled"
    old.mkdir()
    os.utime(old, (2000, 2000))
    kept.put("b", b"b" * 150)
    assert (kept.get("a"), kept.get("b")) == (None, b"b" * 150)


def test_it_says_why_nothing_is_kept(tmp_path: Path) -> None:
    assert CompiledModels(tmp_path / "new" / "folder").trouble() is None
    assert CompiledModels(tmp_path).trouble() is None
    (tmp_path / "file").touch()
    assert CompiledModels(tmp_path / "file" / "folder").trouble() == f"{tmp_path / 'file'} cannot be written"
    tmp_path.chmod(0o770)
    trouble = CompiledModels(tmp_path).trouble()
    assert trouble is not None
    assert "can be written by others" in trouble


def test_those_that_nobody_asked_for_longest_go_first(tmp_path: Path) -> None:
    kept = CompiledModels(tmp_path, most_bytes=3 * (32 + 100))
    for hour, key in enumerate("abc"):
        kept.put(key, key.encode() * 100)
        newest = max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (hour * 3600, hour * 3600))
    assert kept.get("a") == b"a" * 100  # now the one asked for last
    kept.put("d", b"d" * 100)
    assert [kept.get(key) is not None for key in "abcd"] == [True, False, True, True]


def test_what_is_larger_than_all_may_be_is_not_kept(tmp_path: Path) -> None:
    kept = CompiledModels(tmp_path, most_bytes=100)
    kept.put("a", b"a" * 10)
    kept.put("b", b"b" * 69)
    assert (kept.get("a"), kept.get("b")) == (b"a" * 10, None)


def test_what_a_killed_process_left_goes_in_the_end(tmp_path: Path) -> None:
    kept = CompiledModels(tmp_path, most_bytes=200)
    half = tmp_path / "tmpabc.compiled"
    half.write_bytes(bytes(90))
    os.utime(half, (0, 0))
    kept.put("a", b"a" * 100)
    assert not half.exists()
    assert kept.get("a") == b"a" * 100


def test_whoever_reads_while_others_write_sees_one_or_the_other(tmp_path: Path) -> None:
    kept = CompiledModels(tmp_path)
    contents = [bytes([number]) * 100_000 for number in range(4)]
    kept.put("a", contents[0])

    def write_and_read(number: int) -> bytes | None:
        kept.put("a", contents[number % 4])
        return kept.get("a")

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(write_and_read, range(200))) <= set(contents)
