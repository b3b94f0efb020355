"""Values of parameters; what the messages around them say is tested with the requests."""

from __future__ import annotations

import pytest

from shizi.batching.claim import NOBODY
from shizi.engine import protocol
from shizi.engine.parameters import deadline_of, flag, lane_of, options_of, tenant_of, text, values_of, whole
from shizi.errors import InvalidRequest
from shizi.pipeline.options import ReadOptions


def test_values_of_every_kind_come_by_their_names() -> None:
    made = protocol.new("ModelInferRequest")
    made.parameters["a"].string_param = "x"
    made.parameters["b"].int64_param = 5
    made.parameters["c"].bool_param = False
    assert values_of(made.parameters, ("a", "b", "c", "d"), "the request") == {"a": "x", "b": 5, "c": False}
    with pytest.raises(InvalidRequest, match="the request has an unknown parameter; known are a, b"):
        values_of(made.parameters, ("a", "b"), "the request")


def test_what_is_not_said_has_a_meaning() -> None:
    assert options_of({}) == ReadOptions()
    assert deadline_of(None) is None
    assert tenant_of({}) == NOBODY
    assert lane_of({}) == "interactive"


def test_what_is_said_is_meant() -> None:
    assert options_of({"options": '{"recognize": false}'}) == ReadOptions(recognize=False)
    assert deadline_of(1500) == 1.5
    assert tenant_of({"tenant": "bank"}) == "bank"
    assert lane_of({"lane": "bulk"}) == "bulk"


def test_a_value_is_of_its_kind_and_of_none_that_is_like_it() -> None:
    for wrong in (True, 1.0, "1"):
        with pytest.raises(InvalidRequest, match="width must be a whole number"):
            whole(wrong, "width")
    for wrong in (0, 1, "true"):
        with pytest.raises(InvalidRequest, match="alone must be true or false"):
            flag(wrong, "alone")
    with pytest.raises(InvalidRequest, match="tenant must be a text"):
        text(b"bank", "tenant")
