from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.engine.layer import layer_from_json, layer_to_json
from shizi.errors import InvalidRequest
from shizi.imaging.pages import LayerLine, TextLayer
from shizi.types import Word

BOX = ((1.0, 2.0), (30.5, 2.0), (30.5, 12.0), (1.0, 12.0))
LAYER = TextLayer(
    (LayerLine("合同 No. 7", BOX, (Word("合同", 1.0, BOX), Word("No.", 1.0, BOX)), 90.0, False),),
    True,
    "",
    True,
    (BOX,),
)


def test_a_layer_comes_back_as_it_was() -> None:
    assert layer_from_json(layer_to_json(LAYER)) == LAYER


@given(st.text(), st.text(), st.booleans())
def test_any_text_comes_back_as_it_was(text: str, reason: str, sound: bool) -> None:
    layer = TextLayer((LayerLine(text, BOX, (), 0.0, True),), sound, reason, False, ())
    assert layer_from_json(layer_to_json(layer)) == layer


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("sound",), "perhaps", "sound"),
        (("more",), 1, "more"),
        (("lines", 0, "angle"), 360, "lines.0.angle"),
        (("lines", 0, "polygon"), [[0, 0]], "lines.0.polygon"),
        (("lines", 0, "words", 0, "score"), 1.5, "lines.0.words.0.score"),
        (("lines", 0, "words", 0, "polygon", 0, 0), float("inf"), "lines.0.words.0.polygon.0.0"),
        (("lines", 0, "text"), None, "lines.0.text"),
    ],
)
def test_a_wrong_value_is_refused_by_its_place(path: tuple[Any, ...], value: object, place: str) -> None:
    fields = json.loads(layer_to_json(LAYER))
    target = fields
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(InvalidRequest, match=f"text_layer: {place}"):
        layer_from_json(json.dumps(fields).encode())


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        layer_from_json(data)


def test_the_text_of_a_refused_layer_is_not_told() -> None:
    data = layer_to_json(LAYER).replace(b'"angle":90.0', b'"angle":"90 secret"')
    with pytest.raises(InvalidRequest) as refused:
        layer_from_json(data)
    assert "secret" not in str(refused.value)
    assert "合同" not in str(refused.value)
