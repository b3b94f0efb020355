"""JSON that only one reading fits."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.serving.strictjson import strict_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_json_can_say_is_read(value: object) -> None:
    plain = json.dumps(value).encode()
    assert strict_json(plain) == json.loads(plain)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"a": 1, "a": 1}', "twice"),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "twice"),
        (b"NaN", "finite"),
        (b"[-Infinity]", "finite"),
        (b"1e999", "finite"),
        (b"9" * 33, "too long"),
        (b"0." + b"1" * 40, "too long"),
        (b"[" * 100_000, "deeply"),
        (b'{"a":' * 100_000, "deeply"),
        (b'"\xff"', "UTF-8"),
        (b'"\xed\xa0\x80"', "UTF-8"),
        ('"a"'.encode("utf-16"), "UTF-8"),
        (b"\xef\xbb\xbf1", "JSON"),
        (b"1 2", "JSON"),
        (b"", "JSON"),
        (b"{'a': 1}", "JSON"),
        (b'"a\nb"', "JSON"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        strict_json(text)


@given(st.binary(max_size=50))
def test_other_bytes_raise_nothing_else(text: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert strict_json(text) == json.loads(text)
