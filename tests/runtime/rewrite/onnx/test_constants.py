"""Constants for each channel become part of the convolution."""

from __future__ import annotations

import pytest

from shizi.runtime.rewrite.onnx.constants import fold_constants
from tests.onnx.network import Network
from tests.onnx.rewritten import kinds, same


def transposed(drawn: Network, inputs: int, outputs: int, *bias: str) -> str:
    weights = drawn.drawn(inputs, outputs, 2, 2)
    return drawn.add("ConvTranspose", ["x", weights, *bias], {"kernel_shape": (2, 2), "strides": (2, 2)})


def normalized(drawn: Network, made: str, channels: int, **said: float) -> str:
    numbers = [drawn.drawn(channels) for _ in range(3)]
    return drawn.add("BatchNormalization", [made, *numbers, drawn.positive(channels)], said)


@pytest.mark.parametrize("shape", [(1, 5, 1, 1), (5, 1, 1)])
@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
@pytest.mark.parametrize("first", [False, True])
def test_what_is_added_becomes_the_bias(shape: tuple[int, ...], kind: str, first: bool) -> None:
    drawn = Network()
    made = drawn.conv("x", 3, 5, 3, bias="none") if kind == "Conv" else transposed(drawn, 3, 5)
    added = [drawn.drawn(*shape), made] if first else [made, drawn.drawn(*shape)]
    graph = same(drawn.onnx(drawn.add("Relu", [drawn.add("Add", added)])), fold_constants, 2, 3, 4, 5)
    assert kinds(graph) == [kind, "Relu"]


@pytest.mark.parametrize("said", [{}, {"epsilon": 0.5}, {"epsilon": 1e-5, "momentum": 0.75}], ids=str)
@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_a_normalization_of_batches_becomes_weights_and_bias(kind: str, said: dict[str, float]) -> None:
    drawn = Network()
    made = drawn.conv("x", 3, 5, 3) if kind == "Conv" else transposed(drawn, 3, 5, drawn.drawn(5))
    after = drawn.add("Add", [normalized(drawn, made, 5, **said), drawn.drawn(1, 5, 1, 1)])
    assert kinds(same(drawn.onnx(after), fold_constants, 2, 3, 4, 5)) == [kind]


def test_weights_that_two_share_are_changed_for_one() -> None:
    drawn = Network()
    weights = drawn.drawn(5, 3, 1, 1)
    plain, other = (drawn.add("Conv", ["x", weights]) for _ in range(2))
    graph = same(drawn.onnx(plain, normalized(drawn, other, 5)), fold_constants, 1, 3, 4, 5)
    assert kinds(graph) == ["Conv", "Conv"]


def test_what_others_need_stays() -> None:
    drawn = Network()
    made = drawn.conv("x", 3, 5, bias="none")
    content = drawn.onnx(drawn.add("Add", [made, drawn.drawn(1, 5, 1, 1)]), drawn.add("Relu", [made]))
    assert kinds(same(content, fold_constants, 1, 3, 4, 5)) == ["Conv", "Add", "Relu"]


@pytest.mark.parametrize("shape", [(1,), (5,), (1, 1, 1, 5), (2, 5, 1, 1), (1, 5, 4, 5)])
def test_a_constant_of_another_shape_stays(shape: tuple[int, ...]) -> None:
    drawn = Network()
    content = drawn.onnx(drawn.add("Add", [drawn.conv("x", 3, 5, bias="none"), drawn.drawn(*shape)]))
    assert kinds(same(content, fold_constants, 2, 3, 4, 5)) == ["Conv", "Add"]


def test_what_is_computed_is_no_constant() -> None:
    drawn = Network()
    content = drawn.onnx(drawn.add("Add", [drawn.conv("x", 3, 5), drawn.add("Relu", [drawn.drawn(1, 5, 1, 1)])]))
    assert kinds(same(content, fold_constants, 1, 3, 4, 5)) == ["Conv", "Relu", "Add"]


def test_groups_stay() -> None:
    drawn = Network()
    made = drawn.add("Conv", ["x", drawn.drawn(6, 1, 3, 3)], {"group": 3})
    content = drawn.onnx(drawn.add("Add", [made, drawn.drawn(1, 6, 1, 1)]))
    assert kinds(same(content, fold_constants, 1, 3, 4, 5)) == ["Conv", "Add"]
