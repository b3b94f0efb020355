from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.engine import protocol
from shizi.engine.raw import MOST_FIELDS, join, split
from shizi.errors import ImageTooLarge, InvalidRequest


def message(identity: str = "", raw: list[bytes] | None = None) -> bytes:
    made = protocol.new("ModelInferRequest")
    made.id = identity
    made.parameters["x"].double_param = 1.5
    made.raw_input_contents.extend(raw or [])
    data: bytes = made.SerializeToString()
    return data


@given(st.text(), st.lists(st.binary(max_size=300), max_size=4))
def test_raw_contents_are_taken_out_and_put_back(identity: str, raw: list[bytes]) -> None:
    head, found = split(message(identity, raw), 10_000)
    assert [bytes(part) for part in found] == raw
    assert head == message(identity)
    again = protocol.parse("ModelInferRequest", join(head, found))
    assert (again.id, list(again.raw_input_contents)) == (identity, raw)


@given(st.binary(max_size=300))
def test_any_bytes_are_split_as_the_protocol_reads_them_or_refused(data: bytes) -> None:
    try:
        head, raw = split(data, 200)
    except (InvalidRequest, ImageTooLarge):
        return
    try:
        whole = protocol.parse("ModelInferRequest", data)
    except InvalidRequest:
        with pytest.raises(InvalidRequest):
            protocol.parse("ModelInferRequest", head)
        return
    assert [bytes(part) for part in raw] == list(whole.raw_input_contents)


@given(st.binary(max_size=30), st.integers(0, 100), st.integers(1, 255))
def test_a_damaged_message_is_refused_or_read(raw: bytes, place: int, change: int) -> None:
    data = bytearray(message("an id", [raw]))
    data[place % len(data)] ^= change
    with contextlib.suppress(InvalidRequest, ImageTooLarge):
        head, found = split(bytes(data), 1000)
        assert len(head) + sum(map(len, found)) <= len(data)


def test_pixels_are_not_copied() -> None:
    data = message(raw=[bytes(10**6)])
    assert split(data, 100)[1][0].obj is data


def test_what_is_parsed_is_bounded() -> None:
    with pytest.raises(ImageTooLarge, match=r"max_head_bytes\) is 50"):
        split(message("x" * 100), 50)
    with pytest.raises(InvalidRequest, match="more than 64"):
        split(message() * (MOST_FIELDS + 1), 10**6)


@pytest.mark.parametrize("data", [b"\xff" * 11, b"\x3a\x05abc", b"\x3a", b"\x00\x01", b"\x0b", b"\x09abc"])
def test_damage_is_named(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="damaged"):
        split(data, 100)
