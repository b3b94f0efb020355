"""A sandbox as its owner sees it: started, spoken to until a deadline, ended, and asked why it died."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from shizi.errors import CorruptDocument, DeadlineExceeded, EngineUnavailable, ShiziError
from shizi.imaging.child import _ENVIRONMENT as INHERITED
from shizi.imaging.frames import Header
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox_channel import Channel
from shizi.imaging.sandbox_death import Death, GoneError, Reason, judge

# As `child.start_child`, but nothing runs before main(): a thread would escape what main() gives up.
_START = (
    "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[1]); importlib.import_module(sys.argv[2]).main()"
)
# One thread, and a heap that is not handed back to the system after each document: without it, each pays for its pages anew.
_ALLOCATION = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
}
START_S = 60.0  # a process that is not ready then never will be
_DYING_S = 1.0  # a process that has closed its socket is given so long to end by itself


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds in the sandboxes on this machine, by name, and what could not be had, by name with the reason."""

    held: tuple[str, ...]
    missing: dict[str, str]


class SandboxProcess:
    """One process; used by one thread at a time, but `end` may be called from any."""

    def __init__(self, module: str, limits: Limits) -> None:
        """Starts it and does not wait for it.

        Raises:
            EngineUnavailable: the system starts no process.
        """
        self.documents = 0
        self.bounds: Bounds | None = None
        self._limits = limits
        self._lock = threading.Lock()
        self._ended: tuple[int, int] | None = None  # exit status as Popen has it, most resident bytes
        self._killed = False  # by us, because it did not end
        self._closed = False  # by `kill`
        self._before = 0, 0  # most bytes that it ever held, and bytes that it holds, when it takes a document
        self._inherited = 0  # bytes that the system counts as its peak, but were its parent's
        self._start_by = time.monotonic() + START_S
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._channel = Channel(ours)
        try:
            self._process = _start(module, theirs)
        except OSError as error:
            ours.close()
            raise EngineUnavailable(f"no process for decoding can be started: {error.strerror}") from error
        finally:
            theirs.close()
        with contextlib.suppress(OSError):  # it died at once: that is found when it is needed
            start = {"limits": asdict(limits), "parent": os.getpid()}
            self._channel.send(start, deadline=self._start_by)

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def resident(self) -> int:
        """Bytes of memory that it holds now; 0 where the system does not say, or it has ended."""
        return self._size("VmRSS")

    def is_alive(self) -> bool:
        """False for one that died while nobody looked."""
        with self._lock:
            self._reap(os.WNOHANG)
            return self._ended is None

    def wait_until_ready(self, deadline: float) -> bool:
        """True when it has bounded itself; False where it was still starting at the deadline, and is well.

        Raises:
            GoneError: it did not start; no document is to blame.
        """
        if self.bounds is not None:
            return True
        try:
            if not self._channel.wait(min(deadline, self._start_by)):
                if time.monotonic() < self._start_by:
                    return False
                raise EOFError(f"not ready after {START_S:g} s")
            header = self._channel.receive(self._start_by)
            self._inherited = int(header["peak"])
            missing = {str(name): str(why) for name, why in header["missing"].items()}
            self.bounds = Bounds(tuple(str(name) for name in header["held"]), missing)
        except (EOFError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            status = self.end()[0]
            message = f"the process for decoding did not start (status {status}): is the installation whole?"
            raise self._gone("start", EngineUnavailable(message)) from error
        return True

    def open(self, document: Header, descriptor: int, deadline: float) -> bool:
        """Hands a document over and says whether it is a PDF.

        Raises:
            GoneError: reason "start" where the process died before it looked into the document.
        """
        self._before = self._size("VmHWM"), self._size("VmRSS")
        try:
            self._channel.send(document, [descriptor], deadline)
            taken = self._channel.receive(deadline)
            if taken.get("taken") is not True:
                raise ValueError("no receipt")
        except TimeoutError:
            raise self._expired(None) from None
        except (EOFError, OSError) as error:
            status = self.end()[0]
            message = f"the process for decoding died before it had looked into the document (status {status})"
            raise self._gone("start", EngineUnavailable(message)) from error
        except (ValueError, RecursionError) as error:
            raise self._nonsense(error) from error
        self.documents += 1
        return taken.get("pdf") is True

    def send(self, header: Header, deadline: float, descriptor: int | None = None) -> None:
        """Says something to it.

        Raises:
            GoneError: it is gone.
        """
        with self._guarded(None):
            self._channel.send(header, [] if descriptor is None else [descriptor], deadline)

    def receive(self, deadline: float, page_timeout_s: float | None) -> Header:
        """What it answers before the deadline, and in no more than page_timeout_s.

        Raises:
            GoneError: it died, was killed, or spoke nonsense; `error` is what to tell about the document.
        """
        until = deadline if page_timeout_s is None else min(deadline, time.monotonic() + page_timeout_s)
        with self._guarded(page_timeout_s if until < deadline else None):
            return self._channel.receive(until)

    def kill(self) -> None:
        """From any thread: whoever waits for an answer gets EngineUnavailable, and calls `end`."""
        with self._lock:
            self._reap(os.WNOHANG)
            if self._ended is None:
                self._closed = True
                os.kill(self.number, signal.SIGKILL)

    def end(self, at_once: bool = False) -> tuple[int, int]:
        """Makes sure that it is gone; exit status as Popen has it (0 - signal), and the most memory it ever held, in bytes."""
        give_up = time.monotonic() + (0 if at_once else _DYING_S)
        while self.is_alive() and time.monotonic() < give_up:
            time.sleep(0.002)
        with self._lock:
            if self._ended is None:
                self._killed = True
                os.kill(self.number, signal.SIGKILL)
                self._reap(0)
            self._channel.close()
            return self._ended or (0, 0)

    def nonsense(self, why: str) -> GoneError:
        """For whoever finds what it answered to be nonsense; it is killed."""
        return self._nonsense(ValueError(why))

    @contextlib.contextmanager
    def _guarded(self, page_timeout_s: float | None) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise self._expired(page_timeout_s) from None
        except (EOFError, OSError) as error:
            raise self._died() from error
        except (ValueError, RecursionError) as error:
            raise self._nonsense(error) from error

    def _expired(self, page_timeout_s: float | None) -> GoneError:
        what = "its deadline passed" if page_timeout_s is None else f"a page took longer than {page_timeout_s:g} s"
        limit = "" if page_timeout_s is None else " (pdf_timeout_s)"
        message = f"the document was being decoded when {what}{limit}: ask for fewer pages, or allow more time"
        return self._gone("deadline", DeadlineExceeded(message))

    def _nonsense(self, error: Exception) -> GoneError:
        message = (
            f"the process that decodes the document answered nonsense ({str(error)[:200]}); the document is damaged"
        )
        return self._gone("nonsense", CorruptDocument(message))

    def _gone(self, reason: Reason, error: ShiziError) -> GoneError:
        self.end(at_once=True)
        return GoneError(reason, error)

    def _died(self) -> GoneError:
        status, most = self.end()
        if self._closed:
            return GoneError("abandoned", EngineUnavailable("the sandbox was closed while it decoded the document"))
        if self._killed:
            return GoneError("nonsense", CorruptDocument("the decoder stopped answering; the document is damaged"))
        peak, resident = self._before
        return judge(Death(status, most, max(peak, self._inherited), resident), self._limits)

    def _reap(self, options: int) -> None:
        """Notes how it ended, if it has; the lock is held."""
        if self._ended is not None:
            return
        try:
            number, status, usage = os.wait4(self.number, options)
        except ChildProcessError:  # the host program collects all its children itself
            self._process.returncode = 0
            self._ended = 0, 0
            return
        if number:
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._ended = self._process.returncode, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    def _size(self, name: str) -> int:
        try:
            lines = Path(f"/proc/{self.number}/status").read_text().splitlines()
            return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)
        except OSError:
            return 0


def _start(module: str, connection: socket.socket) -> subprocess.Popen[bytes]:
    folders = json.dumps([folder for folder in sys.path if folder])
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        [sys.executable, "-I", "-S", "-c", _START, folders, module],
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**environment, **_ALLOCATION, "LC_ALL": "C.UTF-8"},
        close_fds=True,
    )
