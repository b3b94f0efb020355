"""A server that answers with bytes that a test chose, connection by connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

Step = bytes | float | Callable[[socket.socket], None]


class Hostile:
    """Answers each request with the steps of its turn, the last turn for all that follow: bytes are sent, numbers are seconds
    of silence. Then the connection is closed.

    Args:
        turns: steps for each request.
        take_body: whether the request is read to its end before it is answered.
        tls: the server's certificate.
    """

    def __init__(self, *turns: Sequence[Step], take_body: bool = True, tls: ssl.SSLContext | None = None) -> None:
        self._turns, self._take_body, self._tls = turns, take_body, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._ended = False
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._ended:
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    if self._tls is None:
                        self._answer(connection)
                    else:
                        with self._tls.wrap_socket(connection, server_side=True) as safe:
                            self._answer(safe)

    def _answer(self, connection: socket.socket) -> None:
        self.requests.append(self._request(connection))
        for step in self._turns[min(len(self.requests), len(self._turns)) - 1]:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif isinstance(step, float):
                self._pause(step)
            else:
                step(connection)

    def _request(self, connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            data += _more(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        while self._take_body and lengths and len(body) < int(lengths[0]):
            body += _more(connection)
        while self._take_body and b"transfer-encoding" in head.lower() and not body.endswith(b"0\r\n\r\n"):
            body += _more(connection)
        return head + b"\r\n\r\n" + body

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._ended:
            time.sleep(0.02)


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the client went away")
    return data


def answer(status: str, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """An answer of HTTP, whatever length it says that its body has."""
    said = len(body) if length is None else length
    # Said, since it is done: else the next attempt may meet a connection whose end did not come yet.
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {said}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
