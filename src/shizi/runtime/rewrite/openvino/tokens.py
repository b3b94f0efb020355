"""Between a picture of one row and its columns as tokens: fewer steps than networks take, each of which costs time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from shizi.runtime.rewrite.openvino.nodes import integers, origin, replace, source

if TYPE_CHECKING:
    import openvino

_SWAP: Final = [0, 2, 1]
_CHANNELS_LAST: Final = [0, 2, 3, 1]
_CHANNELS_FIRST: Final = [0, 3, 1, 2]


def straighten_tokens(model: openvino.Model) -> openvino.Model:
    """Turns (lines, channels, 1, columns) into (lines, columns, channels) at once, and adds tokens to a picture as tokens.

    Networks drop the row and swap the two others after that; so OpenVINO, which keeps the channels last anyway, brings them to the
    front and back again. Where tokens become a picture again only to be added to another, and that becomes tokens, the other one
    becomes tokens instead.

    Returns:
        The model, changed in place.
    """
    import openvino.opset13 as ops

    for node in model.get_ordered_ops():
        if node.get_type_name() != "Transpose" or integers(node, 1) != _SWAP:
            continue
        dropped = source(node, 0)
        if _drops_row(dropped):
            tokens = _tokens(source(dropped, 0))
            if tokens is not None:
                replace(node, ops.add(tokens[0], _straight(tokens[1])))
            elif _is_row(dropped.input_value(0)):
                replace(node, _straight(dropped.input_value(0)))
    return model


def _straight(picture: openvino.Output) -> openvino.Node:
    import openvino.opset13 as ops

    channels = picture.get_partial_shape()[1].get_length()
    turned = ops.transpose(picture, ops.constant(np.array(_CHANNELS_LAST)))
    return ops.reshape(turned, ops.constant(np.array([0, -1, channels])), special_zero=True)


def _is_row(picture: openvino.Output) -> bool:
    """Whether an output is (lines, channels, 1, columns), with a known number of channels."""
    shape = picture.get_partial_shape()
    return bool(shape.rank.is_static and shape.rank.get_length() == 4 and shape[1].is_static and shape[2] == 1)


def _drops_row(node: openvino.Node) -> bool:
    """Whether a node makes (lines, channels, columns) of (lines, channels, 1, columns)."""
    if node.get_type_name() == "Squeeze":
        return node.get_input_size() == 2 and integers(node, 1) == [2]
    return node.get_type_name() == "Reshape" and _is_row(node.input_value(0)) and _joins_last(node)


def _joins_last(node: openvino.Node) -> bool:
    """Whether a reshape keeps the first two sizes and makes one of the others."""
    joined = source(node, 1)
    if joined.get_type_name() != "Concat" or joined.get_input_size() != 2 or integers(joined, 1) != [-1]:
        return False
    first = source(joined, 0)
    if first.get_type_name() != "Slice" or [integers(first, index) for index in (1, 2)] != [[0], [2]]:
        return False
    measured = source(first, 0)
    if measured.get_type_name() != "ShapeOf":
        return False
    # Names, for nodes that are compared make a node.
    one, other = origin(measured, 0), origin(node, 0)
    return one.get_index() == other.get_index() and bool(one.get_node().get_name() == other.get_node().get_name())


def _tokens(node: openvino.Node) -> tuple[openvino.Output, openvino.Output] | None:
    """The tokens (lines, columns, channels) and the picture of which a node is the sum, as a picture; None where it is not such."""
    if node.get_type_name() != "Add":
        return None
    for index in (0, 1):
        turned = source(node, index)
        if turned.get_type_name() != "Transpose" or integers(turned, 1) != _CHANNELS_FIRST:
            continue
        shaped = source(turned, 0)
        if shaped.get_type_name() == "Reshape" and _adds_row(shaped):
            other = node.input_value(1 - index)
            if _is_row(other):
                return shaped.input_value(0), other
    return None


def _adds_row(node: openvino.Node) -> bool:
    """Whether a reshape makes (lines, 1, columns, channels) of (lines, columns, channels)."""
    joined = source(node, 1)
    shape = node.input_value(0).get_partial_shape()
    if joined.get_type_name() != "Concat" or joined.get_input_size() != 4 or shape.rank.is_dynamic:
        return False
    if shape.rank.get_length() != 3 or shape[2].is_dynamic or not node.get_attributes()["special_zero"]:
        return False
    sizes = [integers(joined, index) for index in (0, 1, 3)]
    return bool(sizes == [[0], [1], [shape[2].get_length()]])
