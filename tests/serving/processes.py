"""Servers in processes of their own, on ports that were free, for tests that speak HTTP to them."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import IO, Any, Self, cast

import httpx

from shizi.serving.counting import WINDOW_S

WAIT_S = 60
_LATE_S = 15


class Process:
    """A started program, whose lines are collected while it runs."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._collect, args=(stream, into), daemon=True)
            for stream, into in ((self._process.stdout, self.out), (self._process.stderr, self.err))
        ]
        for thread in self._threads:
            thread.start()

    def _collect(self, stream: IO[str] | None, into: list[str]) -> None:
        for line in stream or ():
            into.append(line)
            self._lines.put(line)

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self, part: str, wait_s: float = WAIT_S) -> str:
        """The next line that holds a text, of either stream."""
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            try:
                line = self._lines.get(timeout=0.2)
            except queue.Empty:
                assert self._process.poll() is None or not self._lines.empty(), "".join(self.err[-20:])
                continue
            if part in line:
                return line
        raise AssertionError(f"no line with {part!r} came: {''.join(self.err[-20:])}")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, wait_s: float = WAIT_S) -> int:
        code = self._process.wait(wait_s)
        for thread in self._threads:
            thread.join(wait_s)
        return code

    def log(self) -> list[dict[str, Any]]:
        """The lines of standard error that are JSON."""
        return [cast(dict[str, Any], json.loads(line)) for line in list(self.err) if line.startswith("{")]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


class LocalServer(Process):
    """`tests.serving.local`; the arguments are fields of its options."""

    def __init__(
        self,
        service: dict[str, Any] | None = None,
        server: dict[str, Any] | None = None,
        uploads: dict[str, Any] | None = None,
        jobs: dict[str, Any] | None = None,
    ) -> None:
        parts = [json.dumps(part or {}) for part in (service, server, uploads, jobs)]
        super().__init__(["-m", "tests.serving.local", *parts])
        self.ports: list[int] = json.loads(self.line("["))

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=WAIT_S, trust_env=False)


def script(text: str) -> dict[str, Any]:
    """The `files` of a form with a document that says what is to happen."""
    return {"file": ("SECRET-NAME.png", f"SCRIPT {text} ".encode(), "image/png")}


def not_late_in_a_minute() -> None:
    """Waits where the clock's minute is nearly over: in the next one, what was counted against a quota weighs less."""
    left = WINDOW_S - time.time() % WINDOW_S
    if left < _LATE_S:
        time.sleep(left)


def until(holds: Callable[[], bool], wait_s: float = 60.0) -> None:
    """Looks again and again until something holds."""
    end = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)
