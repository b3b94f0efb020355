from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.engine import protocol
from shizi.engine.layer import layer_to_json
from shizi.engine.options import HostOptions
from shizi.engine.protocol import Message
from shizi.engine.raw import join
from shizi.engine.regions import Regions
from shizi.engine.request import PageRequest, RequestParser
from shizi.errors import ImageTooLarge, InvalidRequest, NotFound, ShiziError
from shizi.imaging.pages import TextLayer
from shizi.pipeline.options import ReadOptions
from tests.engine.pages import shared

HOST = HostOptions(max_pixels=1000, max_side=100, max_text_layer_bytes=2000, max_head_bytes=5000)
PARSE = RequestParser(HOST, Regions(4))
PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
LAYER = TextLayer((), True, "", False, ())


def message(**parameters: object) -> Message:
    """A request for one page, to be spoilt."""
    made = protocol.new("ModelInferRequest")
    made.model_name, made.id = "shizi", "an id"
    made.inputs.add(name="image", datatype="UINT8", shape=PIXELS.shape)
    for name, value in parameters.items():
        kind = {str: "string_param", int: "int64_param", float: "double_param"}[type(value)]
        setattr(made.parameters[name], kind, value)
    return made


def parse(made: Message, *raw: bytes) -> PageRequest:
    return PARSE(join(made.SerializeToString(), raw))


def element(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data


def test_a_page_in_the_message() -> None:
    options = json.dumps({"languages": ["en"], "min_score": 0.5, "text_layer": "ignore", "classify": False})
    request = parse(message(options=options, deadline_ms=1500), PIXELS.tobytes())
    assert request.pixels is not None
    assert (request.pixels == PIXELS).all()
    assert not request.pixels.flags.writeable
    assert (request.id, request.width, request.height, request.deadline_s) == ("an id", 5, 4, 1.5)
    assert request.options == ReadOptions(languages=["en"], min_score=0.5, text_layer="ignore", classify=False)


def test_a_page_in_shared_memory_by_key_and_by_region() -> None:
    with shared(PIXELS) as page:
        assert page.pixels is not None
        by_key = message()
        by_key.inputs[0].parameters["shared_memory_key"].string_param = page.pixels.name
        first = parse(by_key)
        assert PARSE.regions is not None
        PARSE.regions.register("r", page.pixels.name, 0, PIXELS.nbytes)
        by_region = message()
        by_region.inputs[0].parameters["shared_memory_region"].string_param = "r"
        by_region.inputs[0].parameters["shared_memory_byte_size"].int64_param = PIXELS.nbytes
        second = parse(by_region)
        PARSE.regions.unregister("r")
    for request in (first, second):
        assert request.pixels is not None
        assert (request.pixels == PIXELS).all()


def test_a_text_layer_with_and_without_pixels() -> None:
    made = message()
    made.inputs.add(name="text_layer", datatype="BYTES", shape=[1])
    assert parse(made, PIXELS.tobytes(), element(layer_to_json(LAYER))).image().text_layer == LAYER
    alone = message(width=50, height=20)
    del alone.inputs[:]
    alone.inputs.add(name="text_layer", datatype="BYTES", shape=[1]).contents.bytes_contents.append(
        layer_to_json(LAYER)
    )
    image = parse(alone).image()
    assert (image.width, image.height, image.pixels, image.text_layer) == (50, 20, None, LAYER)


def spoil(made: Message, change: str) -> Message:
    exec(change, {"m": made})
    return made


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ("m.model_name = 'other'", NotFound, "has the model 'shizi'"),
        ("m.model_version = '2'", NotFound, "of version '1' alone"),
        ("m.id = 'x' * 300", InvalidRequest, "more than 256"),
        ("m.inputs[0].datatype = 'FP32'", InvalidRequest, r"UINT8 of the shape \[height, width, 3\]"),
        ("m.inputs[0].shape[2] = 4", InvalidRequest, "UINT8 of the shape"),
        ("m.inputs[0].shape.append(1)", InvalidRequest, "UINT8 of the shape"),
        ("m.inputs[0].shape[0] = 0", InvalidRequest, "UINT8 of the shape"),
        ("m.inputs[0].shape[0] = -4", InvalidRequest, "UINT8 of the shape"),
        ("m.inputs[0].shape[0] = 101", ImageTooLarge, r"\(max_side\)"),
        ("m.inputs[0].shape[0], m.inputs[0].shape[1] = 50, 50", ImageTooLarge, r"\(max_pixels\)"),
        ("m.inputs[0].shape[0], m.inputs[0].shape[1] = 2**62, 2**62", ImageTooLarge, r"\(max_side\)"),
        ("m.inputs[0].shape[0] = 5", InvalidRequest, "has 60 bytes, its shape says 75"),
        ("m.inputs[0].name = 'picture'", InvalidRequest, "inputs are image and text_layer"),
        ("m.inputs.add().CopyFrom(m.inputs[0])", InvalidRequest, "each at most once"),
        ("m.inputs[0].contents.uint_contents.append(1)", InvalidRequest, "not as contents"),
        ("m.inputs[0].parameters['x'].bool_param = True", InvalidRequest, "input image has an unknown parameter"),
        ("m.inputs[0].parameters['shared_memory_key'].int64_param = 1", InvalidRequest, "must be a text"),
        ("m.inputs[0].parameters['shared_memory_key'].string_param = 'shizi-0-gone'", NotFound, "cannot be opened"),
        ("m.inputs[0].parameters['shared_memory_key'].string_param = '../x'", InvalidRequest, "the key of the"),
        ("m.inputs[0].parameters['shared_memory_region'].string_param = 'r'", NotFound, "no region of this name"),
        ("m.inputs[0].parameters['shared_memory_offset'].int64_param = 1", InvalidRequest, "needs shared_memory_key"),
        ("m.inputs.add(name='text_layer', datatype='UINT8', shape=[1])", InvalidRequest, "text_layer must be BYTES"),
        ("m.inputs.add(name='text_layer', datatype='BYTES', shape=[1])", InvalidRequest, "has no raw_input_contents"),
        ("m.outputs.add(name='text')", InvalidRequest, "the only output is page"),
        ("m.outputs.add(name='page').parameters['x'].bool_param = True", InvalidRequest, "takes no parameters"),
        (
            "m.parameters['timeout'].int64_param = 1",
            InvalidRequest,
            "known are options, deadline_ms, tenant, lane, alone, width, height",
        ),
        ("m.parameters['options'].SetInParent()", InvalidRequest, "options of the request has no value"),
        ("m.parameters['options'].string_param = '{'", InvalidRequest, "options: "),
        ("m.parameters['options'].string_param = '[]'", InvalidRequest, "options: "),
        ("m.parameters['options'].string_param = '{\"pages\": [1]}'", InvalidRequest, "options: pages"),
        ("m.parameters['options'].string_param = '{\"min_score\": 2}'", InvalidRequest, "options: min_score"),
        ("m.parameters['options'].string_param = '{\"detect\": 1}'", InvalidRequest, "options: detect"),
        ("m.parameters['options'].bool_param = True", InvalidRequest, "options must be a text"),
        ("m.parameters['tenant'].string_param = ''", InvalidRequest, "tenant must have 1 to 256"),
        ("m.parameters['tenant'].string_param = 'x' * 257", InvalidRequest, "tenant must have 1 to 256"),
        ("m.parameters['tenant'].int64_param = 5", InvalidRequest, "tenant must be a text"),
        ("m.parameters['lane'].string_param = 'fast'", InvalidRequest, "one of interactive, bulk"),
        ("m.parameters['alone'].int64_param = 1", InvalidRequest, "alone must be true or false"),
        ("m.parameters['lane'].int64_param = 0", InvalidRequest, "one of interactive, bulk"),
        ("m.parameters['deadline_ms'].string_param = '5'", InvalidRequest, "deadline_ms must be a whole number"),
        ("m.parameters['width'].int64_param = 5", InvalidRequest, "for a page without image"),
    ],
)
def test_what_is_wrong_is_named(change: str, kind: type[ShiziError], said: str) -> None:
    with pytest.raises(kind, match=said):
        parse(spoil(message(), change), PIXELS.tobytes())


def test_contents_that_belong_to_nothing_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="1 raw_input_contents belong to no input"):
        parse(message(), PIXELS.tobytes(), b"more")


@pytest.mark.parametrize("content", [b"", b"abc", b"\x05\0\0\0abcd", b"\xff\xff\xff\xffabcd"])
def test_a_damaged_element_is_refused(content: bytes) -> None:
    made = message()
    made.inputs.add(name="text_layer", datatype="BYTES", shape=[1])
    with pytest.raises(InvalidRequest, match="four bytes of its length"):
        parse(made, PIXELS.tobytes(), content)


def test_a_text_layer_has_a_limit() -> None:
    made = message()
    made.inputs.add(name="text_layer", datatype="BYTES", shape=[1])
    with pytest.raises(ImageTooLarge, match=r"max_text_layer_bytes\) of 2000"):
        parse(made, PIXELS.tobytes(), element(bytes(2001)))


def test_a_page_without_image_needs_its_size() -> None:
    made = message()
    del made.inputs[:]
    with pytest.raises(InvalidRequest, match="needs the parameters width and height"):
        parse(made)
    for size in ({"width": 0, "height": 5}, {"width": -1, "height": 5}):
        made = message(**size)
        del made.inputs[:]
        with pytest.raises(InvalidRequest, match="pixels is none"):
            parse(made)


def test_shared_memory_is_not_for_everybody() -> None:
    made = message()
    made.inputs[0].parameters["shared_memory_key"].string_param = "shizi-0-a"
    with pytest.raises(InvalidRequest, match="only at a Unix socket"):
        RequestParser(HOST, None)(made.SerializeToString())


@given(st.binary(max_size=400))
def test_any_bytes_are_a_request_or_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(ShiziError):  # the name of the model alone is more than chance writes
        PARSE(data)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_request_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    made = message(options="{}", deadline_ms=5)
    made.inputs.add(name="text_layer", datatype="BYTES", shape=[1])
    data = bytearray(join(made.SerializeToString(), [PIXELS.tobytes(), element(layer_to_json(LAYER))]))
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(ShiziError):
        request = PARSE(bytes(data))
        assert request.pixels is None or request.pixels.nbytes <= 3000
        assert request.image().width >= 1
