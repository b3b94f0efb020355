"""Ranges of layers belong to one model file, and to layers that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from shizi.errors import InvalidRequest
from shizi.models.card import DEFAULT_TIER, Card
from shizi.models.onnx_file import cut_linear
from shizi.models.ranges import known_ranges
from shizi.models.store import ModelStore
from shizi.pipeline.engine import OCR
from shizi.runtime.base import SessionOptions
from shizi.runtime.choose import choose, load_runtime
from shizi.runtime.openvino import faster
from tests.pipeline.drawn import Piece, page, pixels

if TYPE_CHECKING:
    import openvino

LINES = ("发票号码：08123456", "Total amount due: $1,284.50", "收款人：王小明", "order 77-B")


MEASURED = (0, 1)  # the detector and the recogniser of a tier


def card_of(number: int) -> Card:
    store = ModelStore()
    return store.card(store.catalog.tier(DEFAULT_TIER).names[number])


def recognizer() -> Card:
    return card_of(1)


def body(card: Card) -> openvino.Model:
    """A recogniser without its last layer, anything else as it is."""
    load_runtime("openvino")  # keeps OpenVINO from calling home
    import openvino

    content = ModelStore().path(card.name).read_bytes()
    cut = cut_linear(content) if card.task == "recognize" else None
    assert (cut is not None) == (card.task == "recognize")
    return openvino.Core().read_model(content if cut is None else cut[0].onnx())


@pytest.mark.parametrize("number", MEASURED)
def test_every_range_belongs_to_a_layer_of_the_model(number: int) -> None:
    card = card_of(number)
    ranges = known_ranges(card)
    assert len(ranges) > 20
    network = faster(body(card), SessionOptions(1, "int8", few_shapes=number == 1, ranges=ranges))
    made = [node for node in network.get_ordered_ops() if node.get_type_name() == "FakeQuantize"]
    assert len(made) == len(ranges)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_other_precisions_leave_the_network_alone(precision: str) -> None:
    card = recognizer()
    options = SessionOptions(1, precision, few_shapes=True, ranges=known_ranges(card))  # type: ignore[arg-type]
    assert "FakeQuantize" not in {node.get_type_name() for node in faster(body(card), options).get_ordered_ops()}


def test_another_file_has_no_ranges() -> None:
    card = recognizer()
    assert known_ranges(card.model_copy(update={"sha256": "0" * 64})) == {}
    assert known_ranges(card.model_copy(update={"name": "someone-elses"})) == {}


@pytest.mark.parametrize("number", MEASURED)
def test_ranges_are_magnitudes(number: int) -> None:
    for layer in known_ranges(card_of(number)).values():
        assert layer.least <= 0
        assert np.all(layer.greatest >= 0)
        assert layer.greatest.max() > 0


def test_it_reads_the_same_with_8_bits() -> None:
    """Where the processor cannot, asking for it says so."""
    picture = pixels(page(700, 320, [Piece(40, 40 + 60 * row, text) for row, text in enumerate(LINES)]))
    if choose("openvino").precision != "int8":
        with pytest.raises(InvalidRequest, match="needs a CPU with one of"):
            OCR(runtime="openvino", precision="int8")
        return
    with OCR(runtime="openvino", precision="int8", threads=2) as ocr:
        assert ocr.read(picture).text.split("\n") == list(LINES)
