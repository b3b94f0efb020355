"""What a sandbox and its owner say to each other: JSON frames over a Unix socket, with descriptors beside them.

Only the owner sends descriptors: it never asks the system for any, so whatever a hostile process attaches is closed unseen.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import time
from collections.abc import Sequence

from shizi.imaging.frames import MAX_HEADER, Header, encoded

MOST_DESCRIPTORS = 1
LONGEST_S = 1_000_000.0  # Python refuses to wait for more than 24 days


class Channel:
    """One end of a connected Unix stream socket; used by one thread at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, header: Header, descriptors: Sequence[int] = (), deadline: float | None = None) -> None:
        """Writes one frame; a deadline is in time.monotonic().

        Raises:
            OSError: the other side is gone (TimeoutError: it takes nothing).
        """
        text = encoded(header)
        frame = struct.pack(">L", len(text)) + text
        self._bound(deadline)
        sent = socket.send_fds(self._connection, [frame], list(descriptors)) if descriptors else 0
        if sent < len(frame):
            self._connection.sendall(frame[sent:])

    def wait(self, deadline: float) -> bool:
        """Whether there is something to receive, or the end, before the deadline; nothing is taken."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))

    def receive(self, deadline: float | None = None) -> Header:
        """Reads one frame; a deadline is in time.monotonic().

        Raises:
            EOFError: the other side is gone.
            TimeoutError: the deadline has passed.
            ValueError: what comes is no frame.
        """
        return self._frame(self._exactly(4, deadline), deadline)

    def receive_with_descriptor(self) -> tuple[Header, int | None]:
        """One frame and the descriptor that came with it, which is the caller's to close."""
        start, descriptors, _, _ = socket.recv_fds(self._connection, 4, MOST_DESCRIPTORS)
        try:
            if not start:
                raise EOFError
            header = self._frame(start + self._exactly(4 - len(start), None), None)
        except BaseException:
            for descriptor in descriptors:
                os.close(descriptor)
            raise
        return header, (descriptors[0] if descriptors else None)

    def close(self) -> None:
        """The other side reads the end."""
        self._connection.close()

    def _frame(self, start: bytes, deadline: float | None) -> Header:
        (length,) = struct.unpack(">L", start)
        if length > MAX_HEADER:
            raise ValueError(f"a frame of {length} bytes")
        header = json.loads(self._exactly(length, deadline))
        if not isinstance(header, dict):
            raise ValueError("a frame that is no object")
        return header

    def _exactly(self, size: int, deadline: float | None) -> bytes:
        data = bytearray(size)
        done = 0
        while done < size:
            self._bound(deadline)
            count = self._connection.recv_into(memoryview(data)[done:])
            if not count:
                raise EOFError
            done += count
        return bytes(data)

    def _bound(self, deadline: float | None) -> None:
        if deadline is None:
            return  # nor is the socket touched: a sandbox may not change it
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(left, LONGEST_S))
