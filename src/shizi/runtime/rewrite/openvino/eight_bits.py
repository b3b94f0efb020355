"""Convolutions with products of 8 bits, which the VNNI instructions of CPUs do at twice the speed of bfloat16.

Each output channel's weights are scaled to -127…127, and what comes into a layer to -128…127, or 0…255 where hardly anything of it
is negative. Some input channels hold numbers far greater than the others, which one scale for all would round to a few steps: so a
part of each channel's scale is moved into the weights (Xiao et al., "SmoothQuant", 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from shizi.runtime.ranges import LayerRange, Ranges
from shizi.runtime.rewrite.openvino.nodes import Array, constant, convolution_like, is_pointwise, replace

if TYPE_CHECKING:
    import openvino

_MOVED: Final = 0.5  # the exponent of an input channel's scale; what is left is the weights'
_FAINT: Final = 0.25  # of the greatest number: smaller negative ones are shifted to 0, and no bit is spent on signs
_SPREAD: Final = 1e-3  # smallest share of the greatest scale that a channel's may be


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a layer's input becomes 8 bits.

    Attributes:
        channels: what each channel is divided by, (channels,).
        greatest: what the greatest step stands for after that.
        shift: what is added before that; None where negative numbers stay negative.
    """

    channels: Array
    greatest: float
    shift: float | None


def in_eight_bits(model: openvino.Model, ranges: Ranges) -> openvino.Model:
    """Marks the convolutions whose ranges are known for products of 8 bits.

    Returns:
        The model, changed in place.
    """
    for node in model.get_ordered_ops():
        known = ranges.get(node.get_friendly_name())
        if known is not None and node.get_type_name() == "Convolution":
            _quantize(node, known)
    model.validate_nodes_and_infer_types()
    return model


def scaling(weights: Array, known: LayerRange, may_shift: bool = True) -> Scaling:
    """The scales of an input.

    Args:
        weights: that it meets, or their magnitudes, (outputs, channels).
        known: what it is.
        may_shift: whether negative numbers may be shifted to 0.
    """
    shift = None
    if -known.least <= (_FAINT * float(known.greatest.max()) if may_shift else 0):
        shift = max(-known.least, 0.0)
    seen = np.maximum(known.greatest + (shift or 0), np.finfo(np.float32).tiny)
    met = np.maximum(np.abs(weights).max(axis=0), np.finfo(np.float32).tiny)
    moved = np.exp(_MOVED * np.log(seen) - (1 - _MOVED) * np.log(met))
    moved /= np.exp(np.log(moved).mean())
    moved = np.maximum(moved, _SPREAD * moved.max()).astype(np.float32)
    return Scaling(moved, float((seen / moved).max()), shift)


def _is_shared(output: openvino.Output) -> bool:
    """Whether another node takes it too."""
    while len(output.get_target_inputs()) == 1 and output.get_node().get_type_name() == "Identity":
        output = output.get_node().input_value(0)
    return len(output.get_target_inputs()) > 1


def _quantize(layer: openvino.Node, known: LayerRange) -> None:
    import openvino.opset13 as ops

    def fixed(values: Array | float) -> openvino.Node:
        return ops.constant(np.ascontiguousarray(values, dtype=np.float32))

    weights = constant(layer, 1)
    if weights is None or weights.shape[1] != len(known.greatest):
        return
    # What a larger kernel meets beyond the border is 0, which a shift would make something else.
    how = scaling(np.abs(weights).max(axis=(2, 3)), known, is_pointwise(layer))
    channels = how.channels.reshape(1, -1, 1, 1)
    scaled = weights * channels
    most = np.maximum(np.abs(scaled).max(axis=(1, 2, 3), keepdims=True), np.finfo(np.float32).tiny)
    each = channels * how.greatest
    if how.shift is None:
        lowest = -128 / 127
        bounds = (fixed(lowest * each), fixed(each), fixed(lowest * how.greatest), fixed(how.greatest))
    else:
        bounds = (fixed(np.full_like(each, -how.shift)), fixed(each - how.shift), fixed(0.0), fixed(how.greatest))
    inputs = layer.input_value(0)
    if _is_shared(inputs):
        # Rounding is done by the step before it where nobody else wants what that makes. Else it is a step of its own, in float32 and
        # another memory layout, with a conversion before and after it; so it gets a step before it that changes nothing.
        inputs = ops.maximum(inputs, bounds[0])
    steps = ops.fake_quantize(inputs, *bounds, 256)
    whole = np.round(scaled / most * 127)
    coarse = ops.multiply(ops.convert(ops.constant(whole.astype(np.int8)), "f32"), fixed(most / 127))
    product = convolution_like(layer, steps, coarse)
    if how.shift:
        # The shift went through the rounded weights, so it comes out as theirs.
        rounded = whole / 127 * most
        through = (rounded[:, :, 0, 0] * (how.shift / how.channels)).sum(axis=1)
        product = ops.add(product, fixed(-through.reshape(1, -1, 1, 1)))
    replace(layer, product)
