"""Compiled models kept on disk: what was compiled loads in a third of the time that compiling it takes."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Final

from shizi.regular import open_regular

_log: Final = logging.getLogger(__name__)
_SUFFIX: Final = ".compiled"
_DIGEST: Final = 32
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class CompiledModels:
    """A folder of compiled models by key; any number of processes and threads may share it.

    It is a cache: what is damaged, is not this user's, or cannot be written is as if it were not there. A runtime trusts what
    it is given, so a file counts only where nobody but this user may write it or its folder, and its contents are those put
    under its key.

    Args:
        root: the folder; made, for this user alone, when something is put there.
        most_bytes: of all files together; those that nobody asked for longest go first.
    """

    def __init__(self, root: Path, most_bytes: int = 256 * 2**20) -> None:
        self._root = root
        self._most_bytes = most_bytes

    def get(self, key: str) -> bytes | None:
        """What was put under a key; None where nothing is, or nothing that can be trusted."""
        path = self._path(key)
        try:
            with open_regular(path, "rb") as file:
                if not (_ours(self._root.stat()) and _ours(os.fstat(file.fileno()))):
                    _log.warning("%s can be written by others, and is not used", path)
                    return None
                digest, content = file.read(_DIGEST), file.read()
                if digest != _digest(key, content):
                    _log.warning("%s is damaged, and is not used", path)
                    return None
                if os.utime in os.supports_fd:
                    os.utime(file.fileno())
        except (OSError, MemoryError):
            return None
        return content

    def put(self, key: str, content: bytes | memoryview) -> None:
        """Keeps it, and drops what is too much then; where the folder cannot be written, nothing is kept, and nothing left."""
        if _DIGEST + len(content) > self._most_bytes:
            return
        try:
            self._root.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
            try:
                self._write(self._path(key), _digest(key, content), content)
            finally:
                self._drop()
        except OSError as error:
            _log.info("compiled models are not kept in %s: %s", self._root, error.strerror)

    def trouble(self) -> str | None:
        """Why nothing is kept; None where it is, or will be."""
        there = next(folder for folder in (self._root, *self._root.parents) if folder.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            return f"{there} cannot be written"
        if there == self._root and not _ours(there.stat()):
            return f"{there} belongs to somebody else, or can be written by others"
        return None

    def _path(self, key: str) -> Path:
        return self._root / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}{_SUFFIX}"

    def _write(self, path: Path, digest: bytes, content: bytes | memoryview) -> None:
        """Whoever reads meanwhile sees the old file or the new one, and a process that is killed leaves neither by halves."""
        handle, name = tempfile.mkstemp(_SUFFIX, dir=self._root)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(digest)
                file.write(content)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _drop(self) -> None:
        found = []
        for path in self._root.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError):  # another process dropped it
                facts = path.stat()
                found.append((facts.st_mtime_ns, facts.st_size, path))
        kept = 0
        for _, size, path in sorted(found, reverse=True):
            kept += size
            if kept > self._most_bytes:
                with contextlib.suppress(OSError):  # it is somebody else's, or open elsewhere
                    path.unlink()


def _digest(key: str, content: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(key.encode())
    digest.update(content)
    return digest.digest()


def _ours(facts: os.stat_result) -> bool:
    """Whether only this user may change it; Windows keeps a user's folders to the user by other means."""
    if sys.platform == "win32":
        return True
    return facts.st_uid == os.geteuid() and not facts.st_mode & _OTHERS_WRITE
