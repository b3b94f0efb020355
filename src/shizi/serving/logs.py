"""Structured logs: one JSON object per line, with ids, sizes, hashes and timings; never text, names of files, or secrets."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_MOST_FRAMES: Final = 12
_OWN: Final = "shizi"


def make_log(stream: TextIO | None = None) -> FilteringBoundLogger:
    """A logger that writes to the stream, by default standard error; nothing global is set."""
    logger = structlog.wrap_logger(
        _Lines(stream or sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
    return cast(FilteringBoundLogger, logger)


def where(error: BaseException) -> dict[str, Any]:
    """An unexpected error without its words, which may quote a document: its kind and the lines of code that it passed."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    return {
        "error": type(error).__name__,
        "stack": [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames],
    }


def quiet_library_logs(log: FilteringBoundLogger) -> None:
    """Sends what the web server's library says to our log, as the kind of message alone."""
    for name in ("uvicorn", "asyncio", "dramatiq", "opentelemetry", _OWN):
        logger = logging.getLogger(name)
        logger.handlers = [_Forward(log)]
        logger.propagate = False
        logger.setLevel(logging.WARNING)


class _Lines:
    """Writes whole lines, whatever thread they come from."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def msg(self, message: str) -> None:
        # Whoever took the lines may be gone (a closed pipe, a full disk): they are lost then, and the service goes on.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(message + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


class _Forward(logging.Handler):
    """A record of the standard library's logging as a line of ours.

    The values of other libraries are left out, since nobody knows what they quote; an exception keeps its place.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fields: MutableMapping[str, Any] = {"library": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            fields.update(where(record.exc_info[1]))
        said = record.getMessage() if record.name.startswith(_OWN) else str(record.msg).strip()
        self._log.log(record.levelno, said, **fields)


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_PACKAGE.parent)) if path.is_relative_to(_PACKAGE) else path.name
