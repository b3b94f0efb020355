"""Frames, descriptors, deadlines, and whatever else may come through a socket."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.imaging.frames import MAX_HEADER
from shizi.imaging.sandbox_channel import Channel

Pair = tuple[Channel, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    yield channel, theirs
    channel.close()
    theirs.close()


def soon() -> float:
    return time.monotonic() + 10


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_frame_and_a_descriptor(pair: Pair, tmp_path: Path) -> None:
    channel, theirs = pair
    (tmp_path / "a").write_bytes(b"content")
    with (tmp_path / "a").open("rb") as file:
        channel.send({"名": ["a" * 100_000, 1.5, None]}, [file.fileno()], soon())
    header, descriptor = Channel(theirs).receive_with_descriptor()
    assert header == {"名": ["a" * 100_000, 1.5, None]}
    assert descriptor is not None
    assert os.pread(descriptor, 10, 0) == b"content"
    os.close(descriptor)
    channel.send({}, deadline=soon())
    assert Channel(theirs).receive_with_descriptor() == ({}, None)


def test_descriptors_that_nobody_asked_for_are_closed(pair: Pair) -> None:
    channel, theirs = pair
    before = descriptors()
    text = b'{"a":1}'
    socket.send_fds(theirs, [struct.pack(">L", len(text)) + text], [0, 1, 2])
    assert channel.receive(soon()) == {"a": 1}
    assert descriptors() == before


def test_waiting_takes_nothing(pair: Pair) -> None:
    channel, theirs = pair
    assert not channel.wait(time.monotonic() + 0.05)
    assert not channel.wait(0.0)
    Channel(theirs).send({"a": 1})
    assert channel.wait(soon())
    assert channel.receive(soon()) == {"a": 1}


def test_a_drip_does_not_move_the_deadline(pair: Pair) -> None:
    channel, theirs = pair
    theirs.sendall(struct.pack(">L", 1000))
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            theirs.sendall(b" ")

    thread = threading.Thread(target=drip)
    thread.start()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        channel.receive(started + 0.3)
    stop.set()
    thread.join()
    assert 0.3 <= time.monotonic() - started < 5


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"1", b"\xff", b'{"a":}'])
def test_frames_that_are_none(pair: Pair, text: bytes) -> None:
    channel, theirs = pair
    theirs.sendall(struct.pack(">L", len(text)) + text)
    with pytest.raises(ValueError, match=r".*"):
        channel.receive(soon())


def test_a_frame_over_the_limit_is_not_read(pair: Pair) -> None:
    channel, theirs = pair
    theirs.sendall(struct.pack(">L", MAX_HEADER + 1))
    with pytest.raises(ValueError, match="a frame of"):
        channel.receive(soon())


@given(st.binary(max_size=64))
def test_any_bytes_end_in_a_frame_or_one_of_few_errors(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.close()
        with contextlib.suppress(EOFError, ValueError, RecursionError):
            assert isinstance(Channel(ours).receive(soon()), dict)
