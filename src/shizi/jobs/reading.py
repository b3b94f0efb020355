"""What a worker reads with, what options mean, and what an error means for the task."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, NoReturn, Protocol

from shizi.errors import (
    DeadlineExceeded,
    InvalidRequest,
    ModelLoadFailed,
    OutOfMemory,
    ShiziError,
    TryLater,
)
from shizi.jobs.job import Ending, Made
from shizi.pipeline.options import ReadOptions
from shizi.types import Page

_FLAGS: Final = ("detect", "classify", "recognize")


@dataclass(frozen=True, slots=True)
class Source:
    """A document on this machine.

    Attributes:
        file: at its beginning.
        size: bytes.
        sha256: of the bytes, hexadecimal.
    """

    file: BinaryIO
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Terms:
    """On whose behalf a document is read.

    Attributes:
        tenant: whose it is.
        deadline: in `time.monotonic()`.
        alone: nothing else should be read by the engine meanwhile, where that can be had.
        on_page: takes each page when it is read, in order, and how it was; what it raises ends the reading.
    """

    tenant: str
    deadline: float
    alone: bool
    on_page: Callable[[Page, Made], Awaitable[None]]


class CrashedError(Exception):
    """What read the document died while it did, which may be the document's fault."""

    def __init__(self, error: ShiziError) -> None:
        super().__init__(str(error))
        self.error = error


class PageReader(Protocol):
    """Decodes and reads, where no document can harm the worker."""

    @property
    def ready(self) -> bool:
        """Whether there is any use in beginning now; where not, tasks are left to workers that can."""
        ...

    async def count(self, source: Source, password: str | None, deadline: float) -> int:
        """Pages of a document.

        Raises:
            CrashedError: what counted them died.
            ShiziError: as `read`.
        """
        ...

    async def read(self, source: Source, options: ReadOptions, terms: Terms) -> None:
        """Reads the pages that the options name.

        Raises:
            CrashedError: what read them died.
            ShiziError: as `OCR.read`; also DeadlineExceeded, Overloaded, EngineUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an attempt ended, and what to say about it."""

    ending: Ending
    error: str
    message: str


def judge(error: Exception) -> Verdict:
    """What an error means for the task.

    Whoever has no room, or is not there, is no fault of the document. What died, ran out of memory or time, or failed in a way
    that nobody foresaw may be, so it counts. Everything else is the document's own fault, and would be again.
    """
    if isinstance(error, CrashedError):
        return Verdict("crashed", error.error.code, str(error.error))
    if isinstance(error, TryLater | ModelLoadFailed):
        return Verdict("put back", error.code, str(error))
    if isinstance(error, OutOfMemory | DeadlineExceeded) or type(error) is ShiziError:
        return Verdict("crashed", error.code, str(error))
    if isinstance(error, ShiziError):
        return Verdict("refused", error.code, str(error))
    # Its words may quote the document.
    return Verdict("crashed", ShiziError.code, f"an unexpected {type(error).__name__}; the worker's log says more")


def read_options(options: Mapping[str, object], pages: tuple[int, ...] | None) -> ReadOptions:
    """Options as JSON has them, for some pages.

    Raises:
        InvalidRequest: an unknown option, or a wrong value.
    """
    values: dict[str, Any] = {name: value for name, value in options.items() if name != "pages" and value is not None}
    languages = values.get("languages")
    if languages is not None:
        values["languages"] = tuple(languages) if isinstance(languages, list) else _wrong("languages")
    for name in _FLAGS:
        if not isinstance(values.get(name, True), bool):
            _wrong(name)
    chosen = options.get("pages")
    if pages is None and isinstance(chosen, list):
        pages = tuple(chosen)
    try:
        return ReadOptions(**values, pages=pages)
    except TypeError as error:
        raise InvalidRequest(f"the options of the job cannot be used: {error}") from None


def _wrong(name: str) -> NoReturn:
    raise InvalidRequest(f"the option {name} of the job has a wrong value")
