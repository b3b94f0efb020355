"""The gates of squeeze-and-excitation blocks (Hu et al., 2018), as OpenVINO can fuse them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shizi.runtime.rewrite.openvino.nodes import (
    Array,
    constant,
    is_pointwise,
    origin,
    pointwise,
    replace,
    source,
    users,
)

if TYPE_CHECKING:
    import openvino


def clamp_gates(model: openvino.Model) -> openvino.Model:
    """Draws a hard sigmoid, max(0, min(1, slope x + shift)), into the pointwise convolution before it.

    Slope and shift go into its weights and bias, and what is left is a clamp, which OpenVINO does in the convolution. The hard
    sigmoid it has in float32 and another memory layout only, with a conversion before it and one after it: four steps for a
    gate, each of which is prepared anew whenever the shape changes.

    Returns:
        The model, changed in place.
    """
    for node in model.get_ordered_ops():
        gate = _gate(node) if node.get_type_name() == "HardSigmoid" else None
        if gate is not None:
            replace(node, gate)
    return model


def add_gates(model: openvino.Model) -> openvino.Model:
    """Draws what a gated picture is added to into its gate: x + g x is (1 + g) x, for a gate g that `clamp_gates` knows.

    One step over the whole picture in place of two; the 1 goes into the bias and the bounds of the clamp.

    Returns:
        The model, changed in place.
    """
    import openvino.opset13 as ops

    for node in model.get_ordered_ops():
        found = _residual(node) if node.get_type_name() == "Add" else None
        gate = _gate(found[1], 1.0) if found is not None else None
        if found is not None and gate is not None:
            replace(node, ops.multiply(found[0], gate))
    return model


def _residual(add: openvino.Node) -> tuple[openvino.Output, openvino.Node] | None:
    """What is x and what makes g, where a node adds x and g x, and nobody else wants g x."""
    for one, other in ((0, 1), (1, 0)):
        whole, product = origin(add, one), source(add, other)
        if product.get_type_name() != "Multiply" or len(users(product)) != 1:
            continue
        for picture, gate in ((0, 1), (1, 0)):
            if origin(product, picture) == whole and source(product, gate).get_type_name() == "HardSigmoid":
                return whole, source(product, gate)
    return None


def _gate(node: openvino.Node, least: float = 0.0) -> openvino.Node | None:
    """A hard sigmoid as a clamp of the convolution before it, with a number added."""
    import openvino.opset13 as ops

    slope, shift = constant(node, 1), constant(node, 2)
    if slope is None or shift is None or slope.size != 1 or shift.size != 1:
        return None
    layer = source(node, 0)
    bias: Array | None = np.zeros(1, dtype=np.float32)
    if layer.get_type_name() == "Add":
        bias, layer = constant(layer, 1), source(layer, 0)
    weights = constant(layer, 1) if is_pointwise(layer) else None
    if bias is None or weights is None:
        return None
    outputs = len(weights)
    if bias.shape not in ((1, outputs, 1, 1), (outputs, 1, 1), (1,)):
        return None
    shifts = np.broadcast_to(slope.ravel() * bias.ravel() + shift.ravel() + least, outputs)
    return ops.clamp(pointwise(layer.input_value(0), slope.ravel() * weights, shifts), least, least + 1.0)
