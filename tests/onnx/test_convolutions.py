"""Convolutions are recognized by what they compute."""

from __future__ import annotations

import pytest

from shizi.onnx.convolutions import channels, convolution, is_pointwise, summed, weights_of
from shizi.onnx.graph import Graph, Node, read
from tests.onnx.network import Network, pictures, run


def last(drawn: Network, name: str) -> tuple[Graph, Node]:
    graph = read(drawn.onnx(name))
    return graph, graph.nodes[-1]


@pytest.mark.parametrize("bias", ["own", "none"])
def test_the_kernel_of_a_convolution(bias: str) -> None:
    drawn = Network()
    graph, node = last(drawn, drawn.conv("x", 3, 5, (1, 3), bias=bias))
    weights = weights_of(graph, node)
    assert weights is not None
    assert weights.shape == (5, 3, 1, 3)
    assert weights_of(graph, node, "ConvTranspose") is None


def test_other_steps_have_none() -> None:
    drawn = Network()
    grouped = drawn.add("Conv", ["x", drawn.drawn(4, 1, 3, 3)], {"group": 4})
    of_lines = drawn.add("Conv", ["x", drawn.drawn(4, 3, 3)])
    computed = drawn.add("Conv", ["x", drawn.add("Relu", [drawn.drawn(4, 3, 3, 3)])])
    biased = drawn.add("Conv", ["x", drawn.drawn(4, 3, 3, 3), drawn.add("Relu", [drawn.drawn(4)])])
    graph = read(drawn.onnx(grouped, of_lines, computed, biased, drawn.add("Relu", ["x"])))
    assert [weights_of(graph, node) for node in (*graph.nodes, None)] == [None] * (len(graph.nodes) + 1)


def test_channels_go_through_what_keeps_them() -> None:
    drawn = Network()
    made = drawn.conv("x", 3, 7, 3)
    kept = drawn.add("MaxPool", [drawn.add("Relu", [made])], {"kernel_shape": (2, 2)})
    graph = read(drawn.onnx(kept, joined := drawn.add("Concat", [kept, kept], {"axis": 1})))
    assert [channels(graph, name) for name in (made, kept, joined, "x", "nothing")] == [7, 7, None, None, None]


def test_channels_of_sums_and_products() -> None:
    drawn = Network()
    made = drawn.conv("x", 3, 7, 3)
    named = [
        made,
        drawn.drawn(1, 7, 1, 1),
        drawn.drawn(7, 1, 1),
        drawn.constant([2.0]),
        drawn.drawn(7),
        drawn.drawn(1, 3, 1, 1),
    ]
    sums = [drawn.add("Add", [made, name]) for name in named] + [
        drawn.add("Mul", [named[1], drawn.add("Relu", [made])])
    ]
    graph = read(drawn.onnx(*sums))
    assert [channels(graph, name) for name in sums] == [7, 7, 7, 7, None, None, 7]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, True),
        ({"pads": (0, 1, 0, 0)}, False),
        ({"strides": (1, 2)}, False),
        ({"strides": (1, 1), "dilations": (2, 2)}, True),
    ],
)
def test_products_of_single_pixels(said: dict[str, tuple[int, ...]], expected: bool) -> None:
    drawn = Network()
    graph, node = last(drawn, drawn.conv("x", 3, 5, said=said))
    assert is_pointwise(graph, node) is expected


def test_a_larger_kernel_is_none() -> None:
    drawn = Network()
    graph, node = last(drawn, drawn.conv("x", 3, 5, (1, 3)))
    assert not is_pointwise(graph, node)


def test_one_that_pads_by_itself_is_none() -> None:
    drawn = Network()
    graph, node = last(drawn, drawn.add("Conv", ["x", drawn.drawn(5, 3, 1, 1)], {"auto_pad": "SAME_UPPER"}))
    assert not is_pointwise(graph, node)


def test_two_are_made_and_added() -> None:
    drawn = Network()
    graph, node = last(drawn, drawn.conv("x", 3, 5, 3, bias="none", said={"strides": (2, 2)}))
    parts = [convolution(["x", node.inputs[1]], f"part{number}", (3, 3), (1, 1, 1, 1), (2, 2)) for number in range(2)]
    before = run(graph.onnx(), pictures(1, 3, 4, 6))[0]
    graph.replace(node, *summed(graph, parts[0], parts[1], node.output))
    assert run(graph.onnx(), pictures(1, 3, 4, 6))[0] == pytest.approx(2 * before, abs=1e-5)
