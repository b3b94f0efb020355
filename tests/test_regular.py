from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from shizi.regular import open_regular


@pytest.mark.parametrize("mode", ["rb", "ab"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, mode: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "link", Path("/dev/null"), tmp_path):
        with pytest.raises(OSError, match=r"no regular file|Is a directory|No such device"):
            open_regular(path, mode)  # type: ignore[arg-type]


def test_files_are_read_and_made(tmp_path: Path) -> None:
    with open_regular(tmp_path / "new", "ab") as file:
        file.write(b"one")
    (tmp_path / "link").symlink_to(tmp_path / "new")
    with open_regular(tmp_path / "link", "ab") as file:
        file.write(b"two")
    with open_regular(tmp_path / "link", "rb") as file:
        assert file.read() == b"onetwo"
    assert not (tmp_path / "new").stat().st_mode & stat.S_IXUSR
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none", "rb")
