"""Documents on the worker's disk, in unnamed files: one that is read in many tasks is fetched once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from shizi.errors import StorageUnavailable
from shizi.jobs.job import Claim, LeaseLostError
from shizi.jobs.reading import Source
from shizi.jobs.tasks import TaskStore

KEPT_S: Final = 60.0


@dataclass(slots=True)
class _Kept:
    """A document between two tasks; `used` is when the last one asked for it."""

    file: BinaryIO
    size: int
    used: float


class Spool:
    """Bounded; thread-safe.

    Args:
        tasks: where documents come from.
        folder: for the files; None for the system's.
        most_bytes: that are kept between tasks; the document at work may be larger.
    """

    def __init__(self, tasks: TaskStore, folder: Path | None, most_bytes: int) -> None:
        self._tasks, self._folder, self._most = tasks, folder, most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], _Kept] = OrderedDict()

    @contextlib.contextmanager
    def open(self, claim: Claim) -> Iterator[Source]:
        """The document of a claim, at its beginning.

        Raises:
            LeaseLostError: it was deleted meanwhile.
            StorageUnavailable: it cannot be fetched, or this disk is full.
        """
        key = (claim.job_id, claim.document)
        file = self._again(key)
        if file is None:
            file = self._fetch(claim)
            self._keep(key, file, claim.size)
        with file:
            yield Source(file, claim.size, claim.sha256)

    def tidy(self) -> None:
        """Lets go of what no task has asked for of late: nobody knows here when a job is finished, or deleted."""
        with self._lock:
            while self._kept and next(iter(self._kept.values())).used < time.monotonic() - KEPT_S:
                self._kept.popitem(last=False)[1].file.close()

    def close(self) -> None:
        """Frees the disk."""
        with self._lock:
            for kept in self._kept.values():
                kept.file.close()
            self._kept.clear()

    def _again(self, key: tuple[str, int]) -> BinaryIO | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            self._kept[key].used = time.monotonic()
            return _copy(self._kept[key].file)

    def _fetch(self, claim: Claim) -> BinaryIO:
        try:
            file = cast(BinaryIO, tempfile.TemporaryFile(prefix="shizi-job-", dir=self._folder))  # noqa: SIM115
            try:
                self._copy_to(file, claim)
            except BaseException:
                file.close()
                raise
        except OSError as error:
            raise StorageUnavailable(f"the worker cannot keep the document on its disk ({error.strerror})") from error
        return file

    def _copy_to(self, file: BinaryIO, claim: Claim) -> None:
        digest = hashlib.sha256()
        for chunk in self._tasks.document(claim):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        if digest.hexdigest() != claim.sha256:
            raise LeaseLostError(claim.task_id)
        file.seek(0)

    def _keep(self, key: tuple[str, int], file: BinaryIO, size: int) -> None:
        with self._lock:
            if key in self._kept or size > self._most:
                return
            self._kept[key] = _Kept(_copy(file), size, time.monotonic())
            while sum(kept.size for kept in self._kept.values()) > self._most:
                self._kept.popitem(last=False)[1].file.close()


def _copy(file: BinaryIO) -> BinaryIO:
    """The same file, open once more; whoever reads it does so by place, or one after the other."""
    copy = os.fdopen(os.dup(file.fileno()), "rb")
    copy.seek(0)
    return copy
