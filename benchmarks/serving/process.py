"""Servers to be measured: processes of their own, on ports that were free, looked at from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

READY_S = 180.0
END_S = 120.0


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Server:
    """A program that answers HTTP on loopback.

    Args:
        command: arguments of this Python, or of another program whose path begins with "/".
        port: where it will listen.
        ready: path that is answered with 200 when it is ready.
    """

    def __init__(self, command: Sequence[str], port: int, ready: str) -> None:
        self.port = port
        self._ready = ready
        self.statuses: Counter[int] = Counter()
        """Of requests, as its log says."""
        self.milliseconds: dict[int, list[float]] = {}
        """The times of its log, by status."""
        whole = [*command] if command[0].startswith("/") else [sys.executable, *command]
        self._folder = tempfile.TemporaryDirectory(prefix="shizi-load-")  # nobody's jobs and corrections are touched
        self._process = subprocess.Popen(
            whole,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "SHIZI_DATA_DIR": self._folder.name},
        )
        self._last: list[str] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for line in self._process.stderr or ():
            if '"/readyz"' not in line:  # what it was asked while it was waited for says nothing
                self._last = [*self._last[-20:], line]
            if line.startswith('{"request_id"'):
                entry = json.loads(line)
                if entry.get("route") == "/v1/ocr":
                    self.statuses[entry["status"]] += 1
                    self.milliseconds.setdefault(entry["status"], []).append(entry["ms"])

    @property
    def pid(self) -> int:
        """Of its first process."""
        return self._process.pid

    def until_ready(self) -> Self:
        """Waits.

        Raises:
            SystemExit: it ended, or was not ready in time.
        """
        end = time.monotonic() + READY_S
        while time.monotonic() < end and self._process.poll() is None:
            if self._status(self._ready) == 200:
                return self
            time.sleep(0.1)
        raise SystemExit(f"the server is not ready: {''.join(self._last)}")

    def end(self) -> int:
        """Asks it to end and returns its exit code when it has."""
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._thread.join(END_S)
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._folder.cleanup()
        return code

    def _status(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.end()
        self._folder.cleanup()


def shizi_serve(*options: str, port: int | None = None) -> Server:
    """`shizi serve`, which is being started."""
    port = port or free_port()
    return Server(["-m", "shizi", "serve", "--port", str(port), *options], port, "/readyz")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = entry.read_text().partition(" (")
            children.setdefault(int(rest.rpartition(")")[2].split()[1]), []).append(int(number))
        except OSError:
            continue
    found = [pid]
    for each in found:
        found.extend(children.get(each, ()))
    return found


def memory_mb(pid: int) -> float:
    """Proportional set size of a process: pages that several share count in parts; 0 where it is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        return 0.0
    return 0.0


def descriptors(pid: int) -> int:
    """Open files, sockets and pipes of a process; 0 where it is gone."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


def command(pid: int) -> str:
    """What a process was started with; "" where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
