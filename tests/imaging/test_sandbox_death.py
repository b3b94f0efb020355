"""What the end of a process says about its document."""

from __future__ import annotations

import signal

import pytest

from shizi.errors import CorruptDocument, DeadlineExceeded, OutOfMemory, ShiziError
from shizi.imaging.limits import MIB, Limits
from shizi.imaging.sandbox_death import EXIT_MEMORY, Death, judge

LIMITS = Limits(max_memory=800 * MIB, pdf_memory=1000 * MIB)


@pytest.mark.parametrize(
    ("status", "most", "peak", "resident", "reason", "error"),
    [
        (-signal.SIGSEGV, 90, 80, 50, "crash", CorruptDocument),
        (-signal.SIGABRT, 90, 80, 50, "crash", CorruptDocument),
        (1, 90, 80, 50, "crash", CorruptDocument),
        (-200, 90, 80, 50, "crash", CorruptDocument),  # no signal that there is
        (-signal.SIGABRT, 700, 80, 50, "memory", OutOfMemory),
        (-signal.SIGTRAP, 700, 80, 50, "memory", OutOfMemory),
        (-signal.SIGABRT, 700, 700, 50, "crash", CorruptDocument),  # that peak was an earlier document's
        (-signal.SIGABRT, 700, 680, 300, "crash", CorruptDocument),  # most of it was there before
        (1, 700, 80, 50, "crash", CorruptDocument),  # Python has memory to say so
        (EXIT_MEMORY, 90, 80, 50, "memory", OutOfMemory),
        (-signal.SIGKILL, 90, 80, 50, "memory", OutOfMemory),
        (-signal.SIGXCPU, 700, 80, 50, "deadline", DeadlineExceeded),
    ],
)
def test_each_end_has_one_meaning(
    status: int, most: int, peak: int, resident: int, reason: str, error: type[ShiziError]
) -> None:
    gone = judge(Death(status, most * MIB, peak * MIB, resident * MIB), LIMITS)
    assert (gone.reason, type(gone.error)) == (reason, error)


def test_messages_say_what_to_do() -> None:
    assert "SIGSEGV" in str(judge(Death(-signal.SIGSEGV, 0, 0, 0), LIMITS).error)
    assert "800 MiB (max_memory, pdf_memory)" in str(judge(Death(EXIT_MEMORY, 0, 0, 0), LIMITS).error)
    assert judge(Death(-signal.SIGKILL, 0, 0, 0), LIMITS).error.retryable
