"""Attention in fewer steps: OpenVINO prepares each step anew whenever the shape of its input changes, as lines' shapes do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from shizi.runtime.rewrite.openvino.nodes import Array, constant, integers, number, replace, source, users

if TYPE_CHECKING:
    import openvino

_PARTS: Final = 3  # queries, keys and values, made by one product
# (lines, columns, part, head, channels) to (part, lines, head, columns, channels)
_PARTS_FIRST: Final = [2, 0, 3, 1, 4]


def fold_norms(model: openvino.Model) -> openvino.Model:
    """Draws the scale and shift at the end of a layer normalization (Ba et al., 2016) into the product that follows it.

    Returns:
        The model, changed in place.
    """
    import openvino.opset13 as ops

    for node in model.get_ordered_ops():
        weights = constant(node, 1) if node.get_type_name() == "MatMul" else None
        if weights is None or weights.ndim != 2 or any(node.get_attributes().values()):
            continue
        shifted = source(node, 0)
        shift = _row(shifted, "Add", len(weights))
        scaled = source(shifted, 0) if shift is not None else None
        scale = _row(scaled, "Multiply", len(weights)) if scaled is not None else None
        if scaled is not None and shift is not None and scale is not None and _has_columns(scaled, len(weights)):
            product = ops.matmul(scaled.input_value(0), ops.constant(scale[:, None] * weights), False, False)
            replace(node, ops.add(product, ops.constant(shift @ weights)))
    return model


def split_heads(model: openvino.Model) -> openvino.Model:
    """Parts queries, keys and values by one step where the network does it by a slice and a squeeze for each.

    Where the queries are scaled after that, they are scaled before; OpenVINO draws it into the product that makes them.

    Returns:
        The model, changed in place.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Transpose" and integers(node, 1) == _PARTS_FIRST:
            _split(node)
    return model


def _split(parted: openvino.Node) -> None:
    import openvino.opset13 as ops

    shaped = source(parted, 0)
    form = integers(shaped, 1) if shaped.get_type_name() == "Reshape" else None
    if form is None or form[:3] != [0, -1, _PARTS] or not shaped.get_attributes()["special_zero"]:
        return
    heads, channels = form[3:]
    if not _has_columns(shaped, _PARTS * heads * channels):
        return
    parts = [_part(user) for user in users(parted)]
    if sorted(part for part, _ in parts) != list(range(_PARTS)):
        return
    ends = dict(parts)
    made = shaped.input_value(0)
    following = users(ends[0])
    scale = number(following[0]) if len(following) == 1 and following[0].get_type_name() == "Multiply" else None
    if scale is not None:
        factor = np.ones((_PARTS, heads * channels), dtype=np.float32)
        factor[0] = scale
        ends[0] = following[0]
        made = ops.multiply(made, ops.constant(factor.ravel())).output(0)
    apart = ops.reshape(made, ops.constant(np.array([0, -1, _PARTS * heads, channels])), special_zero=True)
    beside = ops.transpose(apart, ops.constant(np.array([0, 2, 1, 3])))
    split = ops.split(beside, ops.constant(np.array(1)), _PARTS)
    for part, end in ends.items():
        replace(end, split.output(part))


def _part(node: openvino.Node) -> tuple[int, openvino.Node]:
    """Which part a slice takes, and the squeeze after it; -1 for anything else."""
    if node.get_type_name() != "Slice":
        return -1, node
    start, stop, step, axis = (integers(node, index) for index in range(1, 5))
    following = users(node)
    if start is None or (stop, step, axis) != ([start[0] + 1], [1], [0]) or len(following) != 1:
        return -1, node
    squeeze = following[0]
    taken = squeeze.get_type_name() == "Squeeze" and integers(squeeze, 1) == [0]
    return (start[0], squeeze) if taken else (-1, node)


def _has_columns(node: openvino.Node, channels: int) -> bool:
    """Whether the first input of a node is (lines, columns, channels), so that nothing else is stretched to that."""
    shape = node.input_value(0).get_partial_shape()
    return bool(shape.rank.is_static and shape.rank.get_length() == 3 and shape[2] == channels)


def _row(node: openvino.Node, kind: str, length: int) -> Array | None:
    """The constant, one number for each channel, that a node adds or multiplies by."""
    found = constant(node, 1) if node.get_type_name() == kind else None
    return found.ravel() if found is not None and found.shape in ((length,), (1, 1, length)) else None
