"""Convolutions in a graph: made, recognized, added."""

from __future__ import annotations

from collections.abc import Sequence

from shizi.onnx.graph import Array, Graph, Node
from shizi.onnx.messages import attribute

_PICTURES = 4  # dimensions: pictures, channels, rows, columns
# Steps that work on each channel by itself, and on each pixel by itself.
_OF_EACH = ("Relu", "Sigmoid", "HardSigmoid", "MaxPool")
_PIXEL_BY_PIXEL = ("Relu", "Sigmoid", "HardSigmoid", "Erf", "Add", "Sub", "Mul", "Div")
NO_PADS_OF_ITS_OWN = ("", "NOTSET")


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


def channels(graph: Graph, name: str, steps: int = 8) -> int | None:
    """The channels of a value that a convolution made; None where that is not plain to see within a few steps."""
    constant = graph.constant(name)
    if constant is not None:
        return constant.shape[-3] if constant.ndim in (3, 4) else 1 if constant.size == 1 else None
    node = graph.maker(name)
    if node is None or steps == 0:
        return None
    if node.is_a("Conv"):
        weights = graph.constant(node.inputs[1])
        return None if weights is None else len(weights)
    if any(node.is_a(operator) for operator in _OF_EACH):
        return channels(graph, node.inputs[0], steps - 1)
    if node.is_a("Mul") or node.is_a("Add"):
        counts = {channels(graph, each, steps - 1) or 0 for each in node.inputs}
        return max(counts) if len(counts - {1}) <= 1 and 0 not in counts else None
    return None


def same_size(graph: Graph, name: str, other: str) -> bool:
    """Whether one value has the rows and columns of another, for it is made of that and nothing else, pixel by pixel."""
    seen: set[str] = set()
    ahead = [name]
    while ahead:
        each = ahead.pop()
        if each in seen or each == other:
            seen.add(each)
            continue
        seen.add(each)
        constant = graph.constant(each)
        if constant is not None and constant.size == 1:
            continue
        node = graph.maker(each)
        if node is None:
            return False
        if is_pointwise(graph, node):
            ahead.append(node.inputs[0])
        elif any(node.is_a(operator) for operator in _PIXEL_BY_PIXEL):
            ahead += [each for each in node.inputs if not _for_channels(graph, each)]
        else:
            return False
    return other in seen


def _for_channels(graph: Graph, name: str) -> bool:
    """Whether a value is a constant of one number for each channel."""
    constant = graph.constant(name)
    return constant is not None and constant.ndim in (3, 4) and constant.shape[-2:] == (1, 1)


def summed(graph: Graph, first: Node, second: Node, output: str) -> list[Node]:
    """Two convolutions that make pictures of one shape, and their sum; ONNX Runtime adds in one of them if it knows that."""
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
        and node.word("auto_pad") in NO_PADS_OF_ITS_OWN
    )
