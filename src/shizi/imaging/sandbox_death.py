"""Why a sandbox died, from what the system says of a dead process, and what that means for its document."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass
from typing import Literal

from shizi.errors import CorruptDocument, DeadlineExceeded, OutOfMemory, ShiziError
from shizi.imaging.limits import MIB, Limits

Reason = Literal["crash", "deadline", "memory", "nonsense", "abandoned", "start"]

EXIT_MEMORY = 77  # of a process that has not even the memory to say so
_ALLOCATION_FAILED = (
    signal.SIGABRT,
    signal.SIGILL,
    signal.SIGTRAP,
    signal.SIGSEGV,
)  # how native code ends without memory
_MOST_OF_IT = 0.75


class GoneError(Exception):
    """The process is of no use any more: ended, silent, or speaking nonsense; `error` is what to tell about the document."""

    def __init__(self, reason: Reason, error: ShiziError) -> None:
        super().__init__(str(error))
        self.reason: Reason = reason
        self.error = error


@dataclass(frozen=True, slots=True)
class Death:
    """A process that nobody of ours killed.

    Attributes:
        status: as Popen has it: an exit code, or 0 - signal.
        most: bytes that it held at its peak, ever.
        peak: the same when it took the document; what its parent held at its start counts as held.
        resident: bytes that it held when it took the document.
    """

    status: int
    most: int
    peak: int
    resident: int


def judge(death: Death, limits: Limits) -> GoneError:
    """Deadline, memory or crash.

    A decoder in C that gets no memory mostly says so; some abort. So an abort of a process that in this document came near
    its bound is taken for lack of memory. (One that asks for all of it at once and aborts looks like any other crash.)
    SIGKILL comes from outside alone, mostly from a kernel that is out of memory: the document may be good.
    """
    if death.status == -signal.SIGXCPU:
        message = "decoding took more processor time than its deadline allows: ask for fewer pages, or allow more"
        return GoneError("deadline", DeadlineExceeded(message))
    if death.status == -signal.SIGKILL:
        message = "the system, or somebody, killed the process that decoded the document; most likely memory ran out"
        return GoneError("memory", OutOfMemory(f"{message}: try again, or let fewer documents be decoded at once"))
    bound = min(limits.max_memory, limits.pdf_memory)
    has_grown = death.most > death.peak and death.most - death.resident >= _MOST_OF_IT * bound
    if death.status == EXIT_MEMORY or (has_grown and -death.status in _ALLOCATION_FAILED):
        message = f"decoding the document takes more than {bound // MIB} MiB (max_memory, pdf_memory)"
        return GoneError("memory", OutOfMemory(f"{message}: scale it down, or raise the limits"))
    message = f"the decoder crashed on the document ({_name(death.status)}); it is damaged"
    return GoneError("crash", CorruptDocument(f"{message}: save it anew with another program"))


def _name(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"
