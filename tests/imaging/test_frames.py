"""The pipe's frames."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.imaging.frames import MAX_HEADER, receive_header, receive_into, send


def test_a_frame_comes_back() -> None:
    pipe = io.BytesIO()
    send(pipe, {"text": "发票"}, b"payload")
    pipe.seek(0)
    header = receive_header(pipe)
    payload = bytearray(header["bytes"])
    receive_into(pipe, memoryview(payload))
    assert header["text"] == "发票"
    assert bytes(payload) == b"payload"


@given(st.binary(max_size=80))
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises((EOFError, ValueError)):
        receive_header(io.BytesIO(data))


def test_a_header_without_end_is_not_read() -> None:
    pipe = io.BytesIO(struct.pack(">L", MAX_HEADER + 1) + b" " * 100)
    with pytest.raises(ValueError, match="a header of 8388609 bytes"):
        receive_header(pipe)
    assert pipe.tell() == 4


def test_a_payload_that_ends_early() -> None:
    with pytest.raises(EOFError):
        receive_into(io.BytesIO(b"abc"), memoryview(bytearray(4)))
