"""Where results go: output paths that never collide or hit an input, atomic writes, and the journal for `--resume`."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shizi.cli.inputs import Input
from shizi.errors import InvalidRequest
from shizi.regular import open_regular

JOURNAL: Final = ".shizi-journal.jsonl"
MAX_JOURNAL: Final = 64_000_000  # bytes; some 200,000 outputs
MAX_LINE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Job:
    """One input and the file its result goes to; None for standard output."""

    input: Input
    output: Path | None


def plan(
    inputs: Sequence[Input], output: Path | None, folder: Path | None, extension: str, report: Path | None = None
) -> tuple[Job, ...]:
    """Give every input its output.

    In a folder an output is named like its input with the extension added (`a.png` becomes `a.png.txt`), unless it has
    that extension already (a searchable `a.pdf` of `a.pdf`).

    Raises:
        InvalidRequest: several inputs for one file, two inputs with the same output, or an output (or the report) that is
            an input or another output.
    """
    if output is not None and len(inputs) > 1:
        raise InvalidRequest(f"--output takes the result of one file, not of {len(inputs)}; use --output-dir")
    if folder is None:
        jobs = tuple(Job(item, output) for item in inputs)
    else:
        jobs = tuple(Job(item, folder / _renamed(item, extension)) for item in inputs)
    _refuse_collisions(jobs)
    if report is not None:
        _refuse_report(report, jobs)
    return jobs


def _renamed(item: Input, extension: str) -> Path:
    name = item.relative.name
    return Path(item.relative.with_name(name if name.lower().endswith(extension) else name + extension))


def refuse_kept(kept: Mapping[str, Path], jobs: Sequence[Job], report: Path | None) -> None:
    """Refuse to overwrite files that were named for something else, by the option that named them.

    Raises:
        InvalidRequest: an output or the report is one of them.
    """
    for option, file in kept.items():
        for path in (report, *(job.output for job in jobs)):
            if path is not None and _is_same(path, file):
                raise InvalidRequest(f"{path} is the file of {option} and would be overwritten; choose another output")


def _is_same(one: Path, other: Path) -> bool:
    identity = _identity(one)
    return os.path.realpath(one) == os.path.realpath(other) or (identity is not None and identity == _identity(other))


def _refuse_collisions(jobs: Sequence[Job]) -> None:
    identities = {identity for job in jobs if job.input.path and (identity := _identity(job.input.path))}
    taken: dict[Path, str] = {}
    for job in jobs:
        if job.output is None:
            continue
        if _identity(job.output) in identities:
            raise InvalidRequest(f"{job.output} is an input and would be overwritten; choose another output")
        other = taken.setdefault(job.output, job.input.name)
        if other != job.input.name:
            raise InvalidRequest(
                f"{other} and {job.input.name} would both be written to {job.output}; read them into different folders"
            )


def _refuse_report(report: Path, jobs: Sequence[Job]) -> None:
    for job in jobs:
        for path, kind in ((job.input.path, "an input"), (job.output, "an output")):
            if path and _is_same(path, report):
                raise InvalidRequest(
                    f"{report} is {kind} and would be overwritten by the report; choose another --report"
                )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def write(path: Path, data: bytes) -> None:
    """Write a whole file or nothing: a reader never sees half of it, an interruption leaves the old one.

    Raises:
        InvalidRequest: it cannot be written; the message says why.
    """
    target = Path(os.path.realpath(path))  # through a link, so that the link stays one
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file():
            target.write_bytes(data)  # a device or a pipe cannot be replaced, and must not be
            return
        # Short, for a name may be as long as the file system allows; "x", for whoever plants a link of that name.
        part = target.with_name(f".shizi-{os.getpid()}.part")
        part.unlink(missing_ok=True)
        try:
            with part.open("xb") as file:
                file.write(data)
            part.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InvalidRequest(f"cannot write {path}: {error.strerror or error}") from error


class Journal:
    """What was written into an output folder, from which input and with which settings; one JSON object per line.

    A result counts as done only where its output is still there, and the input (its size and time of change) and the
    digest of the settings are what they were. Lines are appended after the output is in place, so an interruption can
    only forget.

    Raises:
        InvalidRequest: it cannot be read, is no regular file, or has more than MAX_JOURNAL bytes.
    """

    def __init__(self, folder: Path, settings_digest: str) -> None:
        self._path = folder / JOURNAL
        self._folder = folder
        self._digest = settings_digest
        self._known = dict(self._read())

    def is_done(self, job: Job) -> bool:
        """Whether the output of this job is there and stands for this very input and these settings."""
        entry = self._entry(job)
        return entry is not None and self._known.get(entry["output"]) == _line(entry) and _is_file(job.output)

    def add(self, job: Job) -> None:
        """Note that the output of this job was written.

        Raises:
            InvalidRequest: the journal cannot be written.
        """
        entry = self._entry(job)
        if entry is None:
            return
        try:
            with open_regular(self._path, "ab") as file:
                file.write(_line(entry))
        except OSError as error:
            raise InvalidRequest(f"cannot write {self._path}: {error.strerror or error}") from error

    def _entry(self, job: Job) -> dict[str, str] | None:
        if job.output is None or job.input.path is None:
            return None
        try:
            status = job.input.path.stat()
        except OSError:
            return None
        return {
            "output": job.output.relative_to(self._folder).as_posix(),
            "input": str(job.input.path.resolve()),
            "state": f"{status.st_size}:{status.st_mtime_ns}",
            "settings": self._digest,
        }

    def _read(self) -> Iterator[tuple[str, bytes]]:
        """Outputs and their lines."""
        try:
            with open_regular(self._path, "rb") as file:
                data = io.BytesIO(file.read(MAX_JOURNAL + 1))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise InvalidRequest(f"cannot read {self._path}: {error.strerror or error}; move it away") from error
        if data.getbuffer().nbytes > MAX_JOURNAL:
            raise InvalidRequest(
                f"{self._path} has more than {MAX_JOURNAL} bytes; move it away, or use another --output-dir"
            )
        for line in data:
            try:
                entry = json.loads(line.decode("utf-8", "surrogateescape")) if len(line) <= MAX_LINE else None
            except (ValueError, RecursionError):
                continue  # the last line of an interrupted run: that file is read again
            if isinstance(entry, dict) and isinstance(entry.get("output"), str):
                yield entry["output"], line


def _line(entry: dict[str, str]) -> bytes:
    return (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape")


def _is_file(path: Path | None) -> bool:
    return path is not None and path.is_file()
