"""Nodes of OpenVINO graphs: what they are, and new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import openvino

Array = NDArray[np.float32]

_PLAIN = {"strides": [1, 1], "dilations": [1, 1], "pads_begin": [0, 0], "pads_end": [0, 0], "auto_pad": "explicit"}


def origin(node: openvino.Node, index: int) -> openvino.Output:
    """The output that is an input, over nodes that change nothing."""
    found: Any = node.input_value(index)
    while found.get_node().get_type_name() == "Identity":
        found = found.get_node().input_value(0)
    return found


def source(node: openvino.Node, index: int) -> openvino.Node:
    """The node that makes an input, over nodes that change nothing."""
    return origin(node, index).get_node()


def constant(node: openvino.Node, index: int) -> Array | None:
    """An input that is the same for every run; None where it is not, or not float32, as all that is made of it would be."""
    found = source(node, index)
    if found.get_type_name() != "Constant" or found.data.dtype != np.float32:
        return None
    return np.asarray(found.data)


def integers(node: openvino.Node, index: int) -> list[int] | None:
    """An input of whole numbers, such as a shape, that is the same for every run; None where it is not."""
    found = source(node, index)
    if found.get_type_name() != "Constant" or not np.issubdtype(found.data.dtype, np.integer):
        return None
    return [int(value) for value in np.ravel(found.data)]


def number(node: openvino.Node) -> float | None:
    """The single number that is a node's second input at every run; None where it is something else."""
    found = constant(node, 1)
    return float(found.ravel()[0]) if found is not None and found.size == 1 else None


def users(node: openvino.Node) -> list[openvino.Node]:
    """The nodes that take a node's output, also from nodes that change nothing."""
    found: list[openvino.Node] = []
    for target in node.output(0).get_target_inputs():
        user = target.get_node()
        found += users(user) if user.get_type_name() == "Identity" else [user]
    return found


def replace(old: openvino.Node, new: openvino.Node | openvino.Output) -> None:
    """Hands an output, or the new node's only one, to all that used the old one's."""
    output: Any = new.output(0) if hasattr(new, "output") else new
    for user in list(old.output(0).get_target_inputs()):
        user.replace_source_output(output)


def is_pointwise(node: openvino.Node) -> bool:
    """True for a convolution of single pixels, as `pointwise` makes it."""
    if node.get_type_name() != "Convolution" or list(node.input_value(1).get_partial_shape())[2:] != [1, 1]:
        return False
    attributes = node.get_attributes()
    return all(attributes[name] == value for name, value in _PLAIN.items())


def convolution_like(
    layer: openvino.Node, inputs: openvino.Node | openvino.Output, weights: Array | openvino.Node
) -> openvino.Node:
    """A convolution with the strides, dilations and padding of another."""
    import openvino.opset13 as ops

    said = layer.get_attributes()
    kernel = weights if hasattr(weights, "output") else ops.constant(np.ascontiguousarray(weights, dtype=np.float32))
    places = (said[name] for name in ("strides", "pads_begin", "pads_end", "dilations"))
    return ops.convolution(inputs, kernel, *map(list, places), said["auto_pad"])


def pointwise(inputs: openvino.Node | openvino.Output, weights: Array, bias: Array) -> openvino.Node:
    """A convolution of single pixels: weights (outputs, inputs), bias (outputs,)."""
    import openvino.opset13 as ops

    matrix = np.ascontiguousarray(weights.reshape(*weights.shape[:2], 1, 1), dtype=np.float32)
    product = ops.convolution(inputs, ops.constant(matrix), [1, 1], [0, 0], [0, 0], [1, 1])
    return ops.add(product, ops.constant(np.ascontiguousarray(bias.reshape(1, -1, 1, 1), dtype=np.float32)))
