"""Steps in another order compute the same."""

from __future__ import annotations

import pytest

from shizi.onnx.graph import read
from shizi.runtime.rewrite.linear import join_products, pool_early
from tests.onnx.network import Network
from tests.onnx.rewritten import kinds, same

POOL = {"kernel_shape": (3, 2), "strides": (3, 2)}


def block(drawn: Network, bias: str = "after", swapped: bool = False) -> tuple[str, str, str]:
    """The end of a block: what it was given, what it made, and the sum."""
    given = drawn.conv("x", 3, 4, 3)
    open_ = drawn.add("Relu", [drawn.conv(given, 4, 8)])
    made = drawn.conv(open_, 8, 4, bias=bias)
    return given, made, drawn.add("Add", [made, given] if swapped else [given, made])


@pytest.mark.parametrize("bias", ["own", "after", "none"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("shape", [(1, 3, 3, 4), (2, 3, 6, 9), (1, 3, 7, 5)])
def test_pixels_are_averaged_before_they_are_multiplied(bias: str, swapped: bool, shape: tuple[int, ...]) -> None:
    drawn = Network()
    _, _, total = block(drawn, bias, swapped)
    graph = same(drawn.onnx(drawn.add("AveragePool", [total], POOL)), pool_early, *shape)
    assert kinds(graph).count("AveragePool") == 2
    products = next(node for node in graph.nodes if node.operator == "Conv" and "averagepool" in node.inputs[0])
    weights = graph.constant(products.inputs[1])
    assert weights is not None
    assert weights.shape == (4, 8, 1, 1)


@pytest.mark.parametrize("said", [{"pads": (1, 0, 1, 0)}, {"ceil_mode": 1}, {"auto_pad": "SAME_UPPER"}], ids=str)
def test_averages_of_parts_of_a_window_stay(said: dict[str, int]) -> None:
    drawn = Network()
    _, _, total = block(drawn)
    graph = same(drawn.onnx(drawn.add("AveragePool", [total], {**POOL, **said})), pool_early, 1, 3, 6, 9)
    assert kinds(graph)[-1] == "AveragePool"


def test_what_others_need_is_not_averaged_early() -> None:
    drawn = Network()
    _, _, total = block(drawn)
    pooled = drawn.add("AveragePool", [total], POOL)
    assert kinds(same(drawn.onnx(pooled, drawn.add("Relu", [total])), pool_early, 1, 3, 6, 8)).count("AveragePool") == 1
    drawn = Network()
    _, made, total = block(drawn)
    pooled = drawn.add("AveragePool", [total], POOL)
    assert kinds(same(drawn.onnx(pooled, drawn.add("Relu", [made])), pool_early, 1, 3, 6, 8)).count("AveragePool") == 1


def test_averages_of_anything_else_stay() -> None:
    drawn = Network()
    alone = drawn.add("AveragePool", [drawn.conv("x", 3, 4)], POOL)
    wide = drawn.add("Add", [drawn.conv("x", 3, 4, 3), drawn.conv("x", 3, 4, 3)])
    pooled = drawn.add("AveragePool", [wide], POOL)
    shifted = drawn.add("Add", [drawn.drawn(1, 4, 1, 1), drawn.conv("x", 3, 4, 3, bias="none")])
    content = drawn.onnx(alone, pooled, drawn.add("AveragePool", [shifted], POOL))
    before = kinds(read(content))
    assert kinds(same(content, pool_early, 1, 3, 6, 8)) == before


@pytest.mark.parametrize("bias", ["own", "after", "none"])
@pytest.mark.parametrize("outer", ["own", "after", "none"])
def test_products_are_joined_where_that_leaves_fewer(bias: str, outer: str) -> None:
    drawn = Network()
    _, _, total = block(drawn, bias)
    content = drawn.onnx(drawn.conv(total, 4, 2, bias=outer))
    graph = same(content, join_products, 2, 3, 3, 5)
    kernels = [graph.constant(node.inputs[1]) for node in graph.nodes if node.operator == "Conv"]
    assert sorted(kernel.shape[:2] for kernel in kernels if kernel is not None) == [(2, 4), (2, 8), (4, 3), (8, 4)]


@pytest.mark.parametrize("outputs", [4, 5])
def test_products_stay_where_there_would_be_more(outputs: int) -> None:
    drawn = Network()
    _, _, total = block(drawn)
    content = drawn.onnx(drawn.conv(total, 4, outputs))
    before = kinds(read(content))
    assert kinds(same(content, join_products, 1, 3, 3, 5)) == before


def test_what_others_need_is_not_joined() -> None:
    drawn = Network()
    _, _, total = block(drawn)
    content = drawn.onnx(drawn.conv(total, 4, 2), drawn.add("Relu", [total]))
    before = kinds(read(content))
    assert kinds(same(content, join_products, 1, 3, 3, 5)) == before


def test_larger_kernels_are_not_joined() -> None:
    drawn = Network()
    _, _, total = block(drawn)
    content = drawn.onnx(drawn.conv(total, 4, 2, 3))
    before = kinds(read(content))
    assert kinds(same(content, join_products, 1, 3, 3, 5)) == before
