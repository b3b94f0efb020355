"""Channels in whole blocks, and convolutions of pictures laid behind each other."""

from __future__ import annotations

from functools import partial

import pytest

from shizi.onnx.graph import Graph
from shizi.runtime.rewrite.onnx.blocks import add_branches, fill_blocks
from tests.onnx.network import Network, Said
from tests.onnx.rewritten import kinds, same

PAIR: dict[str, Said] = {"kernel_shape": (2, 2), "auto_pad": "SAME_UPPER"}
fill = partial(fill_blocks, block=8)
branch = partial(add_branches, block=8)


def stem(drawn: Network, first: int = 6, between: int = 3, second: int = 5) -> str:
    """Two ways from a convolution to another one: by pooling, and by two convolutions."""
    made = drawn.add("Relu", [drawn.conv("x", 3, first, 3, said={"strides": (2, 2)})])
    pooled = drawn.add("MaxPool", [made], PAIR)
    small = drawn.add("Relu", [drawn.conv(made, first, between, 3)])
    other = drawn.add("Relu", [drawn.conv(small, between, second, 3, bias="none")])
    joined = drawn.add("Concat", [pooled, other], {"axis": 1})
    return drawn.conv(joined, first + second, 4, 3, said={"strides": (2, 2)})


def widths(graph: Graph) -> list[tuple[int, int]]:
    """Outputs and inputs of the convolutions."""
    kernels = [graph.constant(node.inputs[1]) for node in graph.nodes if node.operator == "Conv"]
    return [(kernel.shape[0], kernel.shape[1]) for kernel in kernels if kernel is not None]


@pytest.mark.parametrize(("first", "between", "second"), [(6, 3, 5), (8, 3, 5), (6, 8, 16), (9, 12, 17)])
def test_channels_are_filled_up_to_whole_blocks(first: int, between: int, second: int) -> None:
    drawn = Network()
    graph = same(drawn.onnx(stem(drawn, first, between, second)), fill, 2, 3, 8, 12)

    def whole(count: int) -> int:
        return -(-count // 8) * 8

    middle = between if between > 8 else 8  # nothing but a convolution follows, which reads more than a block as it is
    expected = [(whole(first), 3), (middle, whole(first)), (whole(second), middle), (4, whole(first) + whole(second))]
    assert widths(graph) == expected


def test_whole_blocks_stay() -> None:
    drawn = Network()
    content = drawn.onnx(stem(drawn, 8, 8, 16))
    assert widths(same(content, fill, 1, 3, 8, 12)) == [(8, 3), (8, 8), (16, 8), (4, 24)]


def test_channels_that_anything_else_sees_stay() -> None:
    for kind in ("Sigmoid", "GlobalAveragePool"):
        drawn = Network()
        made = drawn.conv("x", 3, 5)
        content = drawn.onnx(drawn.conv(made, 5, 16), drawn.add(kind, [made]))
        assert widths(same(content, fill, 1, 3, 8, 12)) == [(5, 3), (16, 5)]


def test_the_channels_of_the_output_stay() -> None:
    drawn = Network()
    made = drawn.conv("x", 3, 5)
    content = drawn.onnx(made, drawn.conv(made, 5, 3))
    assert widths(same(content, fill, 1, 3, 8, 12)) == [(5, 3), (3, 5)]


def test_channels_laid_along_rows_stay() -> None:
    drawn = Network()
    made = drawn.conv("x", 3, 5)
    content = drawn.onnx(drawn.conv(drawn.add("Concat", [made, made], {"axis": 2}), 5, 16))
    assert widths(same(content, fill, 1, 3, 8, 12)) == [(5, 3), (16, 5)]


def test_pictures_of_unknown_channels_are_not_laid_behind_filled_ones() -> None:
    drawn = Network()
    content = drawn.onnx(drawn.conv(drawn.add("Concat", [drawn.conv("x", 3, 5), "x"], {"axis": 1}), 8, 16))
    assert widths(same(content, fill, 1, 3, 8, 12)) == [(5, 3), (16, 8)]


def test_a_convolution_of_two_pictures_is_a_sum_of_two() -> None:
    drawn = Network()
    graph = same(drawn.onnx(stem(drawn, 8, 8, 16)), branch, 2, 3, 8, 12)
    assert "Concat" not in kinds(graph)
    assert widths(graph)[-2:] == [(4, 8), (4, 16)]
    assert kinds(graph)[-1] == "Add"


def test_both_together() -> None:
    drawn = Network()

    def both(graph: Graph) -> None:
        fill(graph)
        branch(graph)

    assert widths(same(drawn.onnx(stem(drawn)), both, 2, 3, 8, 12))[-2:] == [(4, 8), (4, 8)]


def test_pictures_of_parts_of_blocks_stay_together() -> None:
    drawn = Network()
    assert "Concat" in kinds(same(drawn.onnx(stem(drawn, 8, 8, 12)), branch, 1, 3, 8, 12))


def test_three_pictures_stay_together() -> None:
    drawn = Network()
    made = [drawn.conv("x", 3, 8, 3) for _ in range(3)]
    content = drawn.onnx(drawn.conv(drawn.add("Concat", made, {"axis": 1}), 24, 4, 3))
    assert "Concat" in kinds(same(content, branch, 1, 3, 8, 12))


def test_single_pixels_stay_together() -> None:
    drawn = Network()
    made = [drawn.conv("x", 3, 8, 3) for _ in range(2)]
    content = drawn.onnx(drawn.conv(drawn.add("Concat", made, {"axis": 1}), 16, 4))
    assert "Concat" in kinds(same(content, branch, 1, 3, 8, 12))


def test_pictures_that_others_need_together_stay() -> None:
    drawn = Network()
    made = [drawn.conv("x", 3, 8, 3) for _ in range(2)]
    joined = drawn.add("Concat", made, {"axis": 1})
    content = drawn.onnx(drawn.conv(joined, 16, 4, 3), drawn.add("Relu", [joined]))
    assert "Concat" in kinds(same(content, branch, 1, 3, 8, 12))


def test_channels_that_a_product_makes_more_are_counted() -> None:
    drawn = Network()
    wide = drawn.add("Mul", [drawn.add("Relu", [drawn.conv("x", 3, 1)]), drawn.drawn(1, 16, 1, 1)])
    content = drawn.onnx(drawn.conv(drawn.add("Concat", [drawn.conv("x", 3, 5), wide], {"axis": 1}), 21, 8, 3))
    assert widths(same(content, fill, 1, 3, 8, 12)) == [(1, 3), (8, 3), (8, 24)]


def test_channels_that_are_repeated_are_not_parted() -> None:
    drawn = Network()
    twice = drawn.add("Resize", [drawn.conv("x", 3, 16), "", drawn.constant([1, 2, 1, 1])], {"mode": "nearest"})
    content = drawn.onnx(drawn.conv(drawn.add("Concat", [twice, drawn.conv("x", 3, 16)], {"axis": 1}), 48, 8, 3))
    assert "Concat" in kinds(same(content, branch, 1, 3, 8, 12))


def test_a_long_way_to_the_next_convolution_is_not_looked_along() -> None:
    drawn = Network()
    made = drawn.conv("x", 3, 5)
    for _ in range(1100):
        made = drawn.add("Relu", [made])
    assert widths(same(drawn.onnx(drawn.conv(made, 5, 16)), fill, 1, 3, 8, 12)) == [(5, 3), (16, 5)]
