"""Convolutions in a graph: made, recognized, added."""

from __future__ import annotations

from collections.abc import Sequence

from shizi.onnx.graph import Array, Graph, Node
from shizi.onnx.messages import attribute

_PICTURES = 4  # dimensions: pictures, channels, rows, columns
_KEEPING_CHANNELS = ("Relu", "MaxPool", "Resize", "Mul", "Add")


def convolution(
    inputs: Sequence[str], output: str, kernel: Sequence[int], pads: Sequence[int], strides: Sequence[int] = (1, 1)
) -> Node:
    """A convolution.

    Args:
        inputs: names of a picture, of the weights, and of the bias, if there is one.
        output: its name.
        kernel: its rows and columns.
        pads: rows and columns before the picture, and after it.
        strides: by rows and by columns.
    """
    said: dict[str, int | Sequence[int]] = {
        "kernel_shape": kernel,
        "pads": pads,
        "strides": strides,
        "dilations": (1, 1),
        "group": 1,
    }
    attributes = {name: memoryview(attribute(name, value)) for name, value in said.items()}
    return Node("Conv", [*inputs], [output], attributes)


def weights_of(graph: Graph, node: Node | None, operator: str = "Conv") -> Array | None:
    """The kernel of a convolution of pictures in one group, whose bias, if it has one, is a constant too; None for anything else."""
    if node is None or not node.is_a(operator) or node.numbers("group") not in ([], [1]):
        return None
    weights = graph.constant(node.inputs[1])
    known = weights is not None and weights.ndim == _PICTURES
    return weights if known and all(graph.constant(name) is not None for name in node.inputs[2:]) else None


def channels(graph: Graph, name: str) -> int | None:
    """The channels of a value that a convolution made; None where that is not plain to see."""
    node = graph.maker(name)
    if node is None:
        return None
    if node.is_a("Conv"):
        weights = graph.constant(node.inputs[1])
        return None if weights is None else len(weights)
    if any(node.is_a(operator) for operator in _KEEPING_CHANNELS):
        return channels(graph, node.inputs[0])
    return None


def summed(graph: Graph, first: Node, second: Node, output: str) -> list[Node]:
    """Two convolutions and their sum. ONNX Runtime adds in the convolution where it knows that both are of one shape."""
    for node in (first, second):
        weights = graph.constant(node.inputs[1])
        if weights is not None:
            graph.shapes[node.output] = [f"{output}.pictures", len(weights), f"{output}.rows", f"{output}.columns"]
    return [first, second, Node("Add", [first.output, second.output], [output])]


def is_pointwise(graph: Graph, node: Node | None) -> bool:
    """Whether a node is a convolution that multiplies every pixel by one matrix."""
    weights = weights_of(graph, node)
    return (
        node is not None
        and weights is not None
        and weights.shape[2:] == (1, 1)
        and not any(node.numbers("pads"))
        and set(node.numbers("strides")) <= {1}
        and not node.word("auto_pad")
    )
