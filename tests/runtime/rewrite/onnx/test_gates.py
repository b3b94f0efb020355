"""Gates with what they are added to."""

from __future__ import annotations

import pytest

from shizi.runtime.rewrite.onnx.gates import add_gates
from tests.onnx.network import Network
from tests.onnx.rewritten import kinds, same


def gated(drawn: Network, picture: str, kind: str = "HardSigmoid", swapped: bool = False) -> str:
    gate = drawn.add(kind, [drawn.conv(drawn.add("GlobalAveragePool", [picture]), 4, 4)])
    return drawn.add("Mul", [gate, picture] if swapped else [picture, gate])


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_a_gated_picture_and_the_picture_are_one_product(swapped: bool, first: bool) -> None:
    drawn = Network()
    picture = drawn.conv("x", 3, 4)
    product = gated(drawn, picture, swapped=swapped)
    content = drawn.onnx(drawn.add("Add", [picture, product] if first else [product, picture]))
    graph = same(content, add_gates, 2, 3, 4, 5)
    assert kinds(graph)[-3:] == ["HardSigmoid", "Add", "Mul"]
    assert graph.nodes[-2].inputs[0] == graph.nodes[-3].output  # the gate is added to, not the picture


def test_each_gate_has_its_own() -> None:
    drawn = Network()
    picture = drawn.conv("x", 3, 4)
    for _ in range(2):
        picture = drawn.add("Add", [picture, gated(drawn, picture)])
    assert kinds(same(drawn.onnx(picture), add_gates, 1, 3, 4, 5)).count("Mul") == 2


def test_what_is_added_to_another_stays() -> None:
    drawn = Network()
    picture, other = drawn.conv("x", 3, 4), drawn.conv("x", 3, 4)
    content = drawn.onnx(drawn.add("Add", [other, gated(drawn, picture)]))
    assert kinds(same(content, add_gates, 1, 3, 4, 5))[-1] == "Add"


def test_a_product_that_others_need_stays() -> None:
    drawn = Network()
    picture = drawn.conv("x", 3, 4)
    product = gated(drawn, picture)
    content = drawn.onnx(drawn.add("Add", [picture, product]), drawn.add("Relu", [product]))
    assert kinds(same(content, add_gates, 1, 3, 4, 5))[-2:] == ["Add", "Relu"]


def test_a_square_and_another_factor_stay() -> None:
    drawn = Network()
    picture = drawn.conv("x", 3, 4)
    square = drawn.add("Add", [picture, drawn.add("Mul", [picture, picture])])
    other = drawn.add("Add", [picture, gated(drawn, picture, "Relu")])
    assert kinds(same(drawn.onnx(square, other), add_gates, 1, 3, 4, 5))[-1] == "Add"


def test_gates_of_half_as_many_bits_stay() -> None:
    drawn = Network()
    half = drawn.add("Cast", [drawn.conv("x", 3, 4)], {"to": 10})
    gate = drawn.add("HardSigmoid", [drawn.add("GlobalAveragePool", [half])])
    total = drawn.add("Add", [half, drawn.add("Mul", [half, gate])])
    content = drawn.onnx(drawn.add("Cast", [total], {"to": 1}))
    assert kinds(same(content, add_gates, 1, 3, 4, 5))[-2:] == ["Add", "Cast"]
