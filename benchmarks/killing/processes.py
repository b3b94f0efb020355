"""Worker processes that are started again when they die, as a service manager would, and the processes under them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

ENGINE: Final = "shizi.engine.process"
SANDBOX: Final = "shizi.imaging.sandbox_worker"
_PAUSE_S: Final = 0.2
_STOP_S: Final = 30


class Workers:
    """Some processes of the same command.

    Attributes:
        restarts: how often one was started again.
    """

    def __init__(self, command: Sequence[str], count: int, environment: Mapping[str, str], log: IO[bytes]) -> None:
        self._command = [sys.executable, *command]
        self._environment = {**os.environ, **environment}
        self._log = log
        self._stopping = threading.Event()
        self._processes = [self._start() for _ in range(count)]
        self._watching = threading.Thread(target=self._watch)
        self.restarts = 0

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, env=self._environment, stdout=self._log, stderr=self._log)

    def _watch(self) -> None:
        while not self._stopping.wait(_PAUSE_S):
            for place, process in enumerate(self._processes):
                if process.poll() is not None and not self._stopping.is_set():
                    self._processes[place] = self._start()
                    self.restarts += 1

    @property
    def pids(self) -> list[int]:
        """Of those that live."""
        return [process.pid for process in self._processes if process.poll() is None]

    def below(self, part: str, worker: int | None = None) -> list[int]:
        """Processes under them, or under one of them, whose command line has a part."""
        children = _children()
        found, looked = [], self.pids if worker is None else [worker]
        while looked:
            for child in children.get(looked.pop(), ()):
                looked.append(child)
                if part in _command_line(child):
                    found.append(child)
        return found

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._watching.join()
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def kill(number: int) -> bool:
    """kill -9; False where it was gone already."""
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def until(holds: object, seconds: float) -> bool:
    """Whether something came true in time; it is asked again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if callable(holds) and holds():
            return True
        time.sleep(0.05)
    return False


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    return children


def _command_line(number: int) -> str:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
