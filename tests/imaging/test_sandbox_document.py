"""What a caller hands over, and what of it a sandbox may touch."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from shizi.errors import ImageTooLarge, InvalidRequest
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox_document import handed_over


def content(document: object, limits: Limits | None = None) -> bytes:
    with handed_over(cast(BinaryIO, document), limits or Limits()) as handed:
        return os.pread(handed.descriptor, handed.size, handed.start)


def test_a_file_is_opened_again_for_reading_and_stands_where_it_stood(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    with (tmp_path / "a").open("r+b") as file:
        file.read(4)
        assert content(file) == b"456789"
        assert file.read() == b"456789"
        assert content(file) == b""


def test_a_file_that_its_owner_may_write_is_handed_over_for_reading() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"upload")
        file.seek(0)
        with handed_over(file, Limits()) as handed, pytest.raises(OSError, match="Bad file descriptor"):
            os.write(handed.descriptor, b"x")


def test_an_unnamed_file() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"upload")
        file.seek(0)
        assert content(file) == b"upload"


def test_what_is_no_file_is_copied(tmp_path: Path) -> None:
    memory = io.BytesIO(b"x" * 3_000_000 + b"end")
    memory.seek(3_000_000)
    assert content(memory) == b"end"
    with gzip.open(tmp_path / "a.gz", "wb") as file:
        file.write(b"what was compressed")
    with gzip.open(tmp_path / "a.gz", "rb") as unpacked:
        assert content(unpacked) == b"what was compressed"
    ours, theirs = os.pipe()
    os.write(theirs, b"through a pipe")
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        assert content(pipe) == b"through a pipe"


def test_bytes_over_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1001)
    with (tmp_path / "a").open("rb") as file, pytest.raises(ImageTooLarge, match="max_bytes"):
        content(file, Limits(max_bytes=1000))
    with pytest.raises(ImageTooLarge, match="max_bytes"):
        content(io.BytesIO(b"x" * 1001), Limits(max_bytes=1000))
    assert content(io.BytesIO(b"x" * 1000), Limits(max_bytes=1000)) == b"x" * 1000


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="binary"):
        content(io.StringIO("text"))
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(InvalidRequest, match="closed"):
        content(closed)
    with (tmp_path / "a").open("wb") as writing, pytest.raises(InvalidRequest, match="cannot be read"):
        content(writing)


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    (tmp_path / "a").write_bytes(b"0123456789")
    for _ in range(20):
        content(io.BytesIO(b"abc"))
        with (tmp_path / "a").open("rb") as file:
            content(file)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
