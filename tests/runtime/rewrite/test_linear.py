"""Steps in another order compute the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shizi.onnx.graph import Graph, read
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


@pytest.mark.parametrize("swapped", [False, True])
def test_what_is_added_everywhere_is_not_averaged_early(swapped: bool) -> None:
    drawn = Network()
    picture = drawn.conv("x", 3, 4, 3)
    made = drawn.conv(drawn.add("Relu", [drawn.add("GlobalAveragePool", [picture])]), 4, 4)
    total = drawn.add("Add", [made, picture] if swapped else [picture, made])
    content = drawn.onnx(
        drawn.add("AveragePool", [total], {"kernel_shape": (2, 2), "strides": (2, 2), "count_include_pad": 1})
    )
    before = kinds(read(content))
    assert kinds(same(content, pool_early, 1, 3, 6, 8)) == before


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("rewrite", [pool_early, join_products])
def test_a_block_whose_product_is_smaller_stays(swapped: bool, rewrite: Callable[[Graph], None]) -> None:
    drawn = Network()
    picture = drawn.add("Relu", [drawn.conv("x", 3, 32, 3)])
    small = drawn.add("MaxPool", [picture], {"kernel_shape": (8, 1)})
    made = drawn.conv(small, 32, 32)
    total = drawn.add("Add", [made, picture] if swapped else [picture, made])
    pooled = drawn.add("AveragePool", [total], {"kernel_shape": (2, 2), "strides": (2, 2)})
    content = drawn.onnx(pooled if rewrite is pool_early else drawn.conv(total, 32, 16))
    before = kinds(read(content))
    assert kinds(same(content, rewrite, 1, 3, 8, 12)) == before


@pytest.mark.parametrize(("given", "made"), [(16, 1), (1, 16)])
def test_products_of_other_channels_than_they_are_added_to_stay(given: int, made: int) -> None:
    drawn = Network()
    picture = drawn.conv("x", 3, given, 3)
    total = drawn.add("Add", [picture, drawn.conv(drawn.add("Relu", [picture]), given, made)])
    content = drawn.onnx(drawn.conv(total, 16, 8))
    before = kinds(read(content))
    assert kinds(same(content, join_products, 1, 3, 8, 12)) == before


def test_two_constants_are_no_block() -> None:
    drawn = Network()
    constant = drawn.add("Add", [drawn.drawn(1, 4, 1, 1), drawn.drawn(1, 4, 1, 1)])
    total = drawn.add("Add", [drawn.conv("x", 3, 4, 3), constant])
    content = drawn.onnx(drawn.add("AveragePool", [total], POOL))
    before = kinds(read(content))
    assert kinds(same(content, pool_early, 1, 3, 6, 8)) == before


def test_averages_that_leave_as_many_pixels_stay() -> None:
    drawn = Network()
    _, _, total = block(drawn)
    content = drawn.onnx(drawn.add("AveragePool", [total], {"kernel_shape": (3, 3), "strides": (1, 1)}))
    before = kinds(read(content))
    assert kinds(same(content, pool_early, 1, 3, 6, 8)) == before


def test_padding_that_is_said_to_be_none_is_none() -> None:
    drawn = Network()
    _, _, total = block(drawn)
    content = drawn.onnx(drawn.add("AveragePool", [total], {**POOL, "auto_pad": "NOTSET"}))
    assert kinds(same(content, pool_early, 1, 3, 6, 8)).count("AveragePool") == 2


@pytest.mark.parametrize("channels", [16, 32])
@pytest.mark.parametrize("rewrite", [pool_early, join_products])
def test_whole_blocks_of_channels_too(channels: int, rewrite: Callable[[Graph], None]) -> None:
    drawn = Network()
    given = drawn.conv("x", 3, channels, 3)
    made = drawn.conv(drawn.add("Relu", [drawn.conv(given, channels, 2 * channels)]), 2 * channels, channels)
    total = drawn.add("Add", [given, made])
    last = drawn.conv(total, channels, 8) if rewrite is join_products else drawn.add("AveragePool", [total], POOL)
    assert kinds(same(drawn.onnx(last), rewrite, 2, 3, 6, 8))[-1] == "Add"
