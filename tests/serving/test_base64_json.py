"""Base64 in JSON, in pieces of any size."""

from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import ImageTooLarge, ShiziError
from shizi.serving.base64_json import Base64Object
from shizi.serving.refusals import BadRequest

values = st.one_of(st.text(max_size=40), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))


def parsed(body: bytes, step: int) -> tuple[bytes, dict[str, str]]:
    parser = Base64Object(30, 4000)
    out = b"".join(parser.feed(body[at : at + step]) for at in range(0, len(body), step))
    parser.finish()
    return out, parser.fields


@given(
    st.binary(max_size=300),
    st.dictionaries(st.text(max_size=10).filter(lambda key: key != "image_base64"), values, max_size=5),
    st.integers(1, 50),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_says_what_pythons_own_parser_says(
    data: bytes, others: dict[str, object], step: int, indent: int | None, ascii_only: bool
) -> None:
    whole = others | {"image_base64": base64.encodebytes(data).decode()}
    body = json.dumps(whole, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    out, fields = parsed(body, step)
    assert out == data
    expected = {key: value for key, value in others.items() if value is not None}
    assert fields == {k: v if isinstance(v, str) else json.dumps(v) for k, v in expected.items()}


@given(st.binary(max_size=200), st.integers(1, 20))
def test_nothing_else_than_ours_is_raised(body: bytes, step: int) -> None:
    try:
        out, _ = parsed(b'{"image_base64":"QUJD",' + body, step)
    except ShiziError:
        return
    assert out.startswith(b"ABC")


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize(
    "text",
    ["AP+/", "AP\\u002b\\/", "AP\\n+\\r\\n/", "data:image/png;base64,AP+/", "data:;base64,AP+/", " AP+/ "],
)
def test_ways_to_write_the_same(text: str, step: int) -> None:
    assert parsed(f'{{"image_base64":"{text}"}}'.encode(), step)[0] == b"\x00\xff\xbf"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "breaks off"),
        ("{", "breaks off"),
        ("[]", "{ is expected"),
        ('{"image_base64":"QUJ"}', "3 characters too many"),
        ('{"image_base64":"Q==="}', "no base64"),
        ('{"image_base64":"QQ==QUJD"}', "no base64"),
        ('{"image_base64":"QQ=="} x', "after the end"),
        ('{"image_base64":"QUJD","image_base64":"QUJD"}', "twice"),
        ('{"a":1,"a":2,"image_base64":""}', "twice"),
        ('{"image_base64":null}', '" is expected'),
        ('{"image_base64":"\\q"}', "no JSON"),
        ('{"image_base64":"\\uzzzz"}', "escape"),
        ('{"image_base64":"-_-_"}', "with + and /"),
        ('{"a":tru,"image_base64":""}', "no JSON"),
        ('{"a":{"b":1},"image_base64":""}', "a list or an object"),
        ('{"a" 1}', ": is expected"),
        ("{a:1}", "key in quotation marks"),
        ('{"a":1}', "no 'image_base64'"),
        ('{"image_base64":"data:' + "x" * 300 + '"}', "comma"),
        ('{"image_base64":"QUJD",}', "key in quotation marks"),
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_what_is_wrong_is_said(body: str, said: str, step: int) -> None:
    with pytest.raises(BadRequest, match=said.replace("(", r"\(").replace("{", r"\{").replace("+", r"\+")):
        parsed(body.encode(), step)


def test_keys_and_values_are_bounded() -> None:
    for body in ('{"a":"' + "x" * 5000, '{"' + "k" * 5000, '{"a":' + "1" * 5000):
        with pytest.raises(ImageTooLarge, match="4000 bytes"):
            parsed(body.encode(), 100)
    many = "{" + ",".join(f'"{number}":1' for number in range(31)) + "}"
    with pytest.raises(ImageTooLarge, match="30 keys"):
        parsed(many.encode(), 100)


@pytest.mark.parametrize("filling", [b"\\n", b"\\u0041", b"A", b"\\"])
def test_time_grows_with_the_length_alone(filling: bytes) -> None:
    def seconds(count: int) -> float:
        parser = Base64Object(3, 4000)
        body = b'{"image_base64":"' + filling * count
        start = time.process_time()
        for at in range(0, len(body), 65_536):
            parser.feed(body[at : at + 65_536])
        return time.process_time() - start

    try:
        assert seconds(400_000) < 2.0
    except BadRequest:
        assert filling == b"\\"
