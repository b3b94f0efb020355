"""The orientation in an EXIF block."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.imaging.headers.frame import exif_orientation


def exif(order: str, value: int, kind: int = 3) -> bytes:
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "L", 8)
    entries = struct.pack(order + "HHLHH", 271, 3, 1, 9, 0) + struct.pack(order + "HHLHH", 274, kind, 1, value, 0)
    return head + struct.pack(order + "H", 2) + entries


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_both_byte_orders(order: str, prefix: bytes) -> None:
    assert [exif_orientation(prefix + exif(order, value)) for value in range(10)] == [1, 1, 2, 3, 4, 5, 6, 7, 8, 1]


def test_another_type_says_nothing() -> None:
    assert exif_orientation(exif("<", 6, kind=4)) == 1


@given(st.binary(max_size=60), st.sampled_from([b"", b"II*\0", b"MM\0*", b"Exif\0\0II*\0\x08\0\0\0"]))
def test_any_bytes_give_an_orientation(rest: bytes, start: bytes) -> None:
    assert 1 <= exif_orientation(start + rest) <= 8
