"""A real Redis that can be frozen: it then takes connections and answers nothing."""

from __future__ import annotations

import os
import signal
import socket

from tests.servers import RedisServer


class FreezableRedis(RedisServer):
    """A Redis of the tests' own."""

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def ask(self, *words: str) -> bytes:
        """The beginning of its answer to a command."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as sock:
            sock.sendall(" ".join(words).encode() + b"\r\n")
            return sock.recv(65_536)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        if self._process is not None and self._process.poll() is None:
            self.thaw()
        super().stop(number)
