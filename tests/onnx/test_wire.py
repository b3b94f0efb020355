"""Messages are read back as they were written, and damaged ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.onnx.wire import entry, fields, numbers, varint

field_numbers = st.integers(1, 2**29 - 1)
values = st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=300), st.text(max_size=300))
messages = st.lists(st.tuples(field_numbers, values), max_size=12)


def written(message: list[tuple[int, int | bytes | str]]) -> bytes:
    return b"".join(entry(number, value) for number, value in message)


def as_bytes(value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return b""
    return value.encode() if isinstance(value, str) else value


@given(messages)
def test_fields_are_read_back(message: list[tuple[int, int | bytes | str]]) -> None:
    found = list(fields(memoryview(written(message))))
    assert [(field.number, bytes(field.value)) for field in found] == [(key, as_bytes(value)) for key, value in message]
    assert [bytes(field.raw) for field in found] == [entry(key, value) for key, value in message]


@given(field_numbers, st.integers(0, 2**64 - 1))
def test_a_number_stands_after_its_key(key: int, value: int) -> None:
    (field,) = fields(memoryview(entry(key, value)))
    assert numbers(field.raw) == [key << 3, value]


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_packed_numbers_are_read_back(given_numbers: list[int]) -> None:
    assert numbers(memoryview(b"".join(map(varint, given_numbers)))) == given_numbers


def test_the_encoding_is_that_of_the_specification() -> None:
    # The examples of protobuf.dev/programming-guides/encoding: 150 in field 1, "testing" in field 2, packed 3, 270, 86942 in 6.
    assert entry(1, 150) == bytes.fromhex("089601")
    assert entry(2, "testing") == bytes.fromhex("120774657374696e67")
    (field,) = fields(memoryview(bytes.fromhex("3206038e029ea705")))
    assert (field.number, numbers(field.value)) == (6, [3, 270, 86942])


def test_fields_of_fixed_length_are_passed_over_whole() -> None:
    found = list(fields(memoryview(b"\x0d" + bytes(4) + b"\x11" + bytes(8) + entry(3, "end"))))
    assert [(field.number, len(field.raw), bytes(field.value)) for field in found] == [
        (1, 5, b""),
        (2, 9, b""),
        (3, 5, b"end"),
    ]


@given(st.binary(max_size=400))
def test_junk_is_read_or_refused(junk: bytes) -> None:
    try:
        found = list(fields(memoryview(junk)))
    except IndexError:
        return
    assert b"".join(field.raw for field in found) == junk


@given(messages.filter(bool), st.data())
def test_a_message_cut_short_is_refused_or_has_fewer_fields(
    message: list[tuple[int, int | bytes | str]], data: st.DataObject
) -> None:
    whole = written(message)
    short = whole[: data.draw(st.integers(0, len(whole) - 1))]
    ends = [len(written(message[:count])) for count in range(len(message))]
    if len(short) in ends:
        assert len(list(fields(memoryview(short)))) == ends.index(len(short))
    else:
        with pytest.raises(IndexError):
            list(fields(memoryview(short)))


@given(st.binary(max_size=60))
def test_junk_numbers_are_read_or_refused(junk: bytes) -> None:
    try:
        found = numbers(memoryview(junk))
    except IndexError:
        return
    assert len(found) == sum(byte < 0x80 for byte in junk)


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (b"\x0b", "wire type 3"),
        (b"\x0c", "wire type 4"),
        (b"\x0f", "wire type 7"),
        (b"\x80" * 40, "number too long"),
        (b"\x08" + b"\xff" * 10 + b"\x01", "number too long"),
        (b"\x0a\x05abcd", "longer than its message"),
        (b"\x0a" + b"\xff" * 9 + b"\x01", "longer than its message"),
        (b"\x09\x00", "longer than its message"),
    ],
)
def test_what_is_damaged_is_named(damaged: bytes, message: str) -> None:
    with pytest.raises(IndexError, match=message):
        list(fields(memoryview(damaged)))
