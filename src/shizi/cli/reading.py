"""One file through the engine and an exporter: the result, or the one error that it costs."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal, Protocol

from shizi.cli.options import EngineOptions, ReadOptions
from shizi.cli.outputs import Job
from shizi.cli.remote import RemoteOptions, open_remote
from shizi.errors import ImageTooLarge, NotFound, OutOfMemory, ShiziError
from shizi.types import Document

CHUNK: Final = 1 << 20
LINE: Final = "json line"  # beside the formats of `--format`: JSON on one line with its end


class Reader(Protocol):
    """The engine, as far as the command line uses it."""

    def read(
        self,
        source: Path | bytes,
        *,
        detect: bool = True,
        classify: bool = True,
        recognize: bool = True,
        pages: Collection[int] | None = None,
        languages: Sequence[str] | None = None,
        password: str | None = None,
        text_layer: Literal["auto", "ignore", "only"] = "auto",
        min_score: float | None = None,
    ) -> Document:
        """Read one document; called from several threads."""
        ...

    def close(self) -> None:
        """Free the models."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What the command works with; tests give their own.

    Attributes:
        open_reader: makes the engine.
        export: document, format (or LINE), bytes of the original (None where the format needs none), options → bytes.
        needs_original: whether a format draws on the original file.
        max_bytes: the largest file that is read, from the options.
        open_remote: makes a server the engine.
    """

    open_reader: Callable[[EngineOptions], Reader]
    export: Callable[[Document, str, bytes | None, ReadOptions, EngineOptions], bytes]
    extension: Callable[[str], str]
    needs_original: Callable[[str], bool]
    max_bytes: Callable[[EngineOptions], int]
    open_remote: Callable[[RemoteOptions], Reader] = open_remote


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job: either `data` and its warnings, or an error."""

    job: Job
    data: bytes = b""
    warnings: tuple[str, ...] = ()
    error: ShiziError | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """Reads one job; safe to call from several threads, and never raises for a bad file."""

    reader: Reader
    tools: Tools
    engine: EngineOptions
    options: ReadOptions
    format: str
    stdin: BinaryIO
    debug: bool = False

    def __call__(self, job: Job) -> Outcome:
        """Read and export; every error but running out of luck with the whole process becomes the outcome's."""
        try:
            return self._read(job)
        except ShiziError as error:
            return Outcome(job, error=error)
        except MemoryError:
            return Outcome(job, error=OutOfMemory("not enough memory for this file; try fewer --jobs or --max-pixels"))
        except Exception as error:
            if self.debug:
                traceback.print_exception(error, file=sys.stderr)
            hint = "" if self.debug else "; this is a bug: run `shizi --debug read` on this file for the traceback"
            return Outcome(job, error=ShiziError(f"unexpected {type(error).__name__}: {error}{hint}"))

    def _read(self, job: Job) -> Outcome:
        source = self._source(job)
        document = self.reader.read(
            source,
            detect=self.options.detect,
            classify=self.options.classify,
            recognize=self.options.recognize,
            pages=self.options.pages,
            languages=self.options.languages,
            password=self.options.password,
            text_layer=self.options.text_layer,
            min_score=self.options.min_score,
        )
        original = source if isinstance(source, bytes) else None
        data = self.tools.export(document, self.format, original, self.options, self.engine)
        several = len(document.pages) > 1
        warnings = tuple(
            f"page {page.number}: {warning}" if several else warning
            for page in document.pages
            for warning in page.warnings
        )
        return Outcome(job, data, warnings)

    def _source(self, job: Job) -> Path | bytes:
        path = job.input.path
        limit = self.tools.max_bytes(self.engine)
        if path is None:
            return _bounded(self.stdin, limit, "standard input")
        try:
            if path.is_file() and not self.tools.needs_original(self.format):
                return path
            with path.open("rb") as file:
                return _bounded(file, limit, "the file")
        except OSError as error:
            raise NotFound(f"cannot be opened: {error.strerror or error}") from error


def _bounded(stream: BinaryIO, limit: int, what: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise ImageTooLarge(f"{what} is larger than the limit of {limit} bytes; raise it with --max-bytes")
        chunks.append(chunk)
    return b"".join(chunks)
