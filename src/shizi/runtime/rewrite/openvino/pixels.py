"""Pictures as they are, in place of numbers made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shizi.runtime.normalization import Normalization
from shizi.runtime.rewrite.openvino.nodes import replace

if TYPE_CHECKING:
    import openvino


def take_pixels(model: openvino.Model, rule: Normalization) -> openvino.Model:
    """Lets a network take pictures of RGB bytes, (N, H, W, 3), in place of what a normalisation makes of them.

    Bytes lie in memory as convolutions want their input, channels last, and become numbers on the way there. Made outside, the
    numbers are four times as many bytes, written three times and laid out anew.

    Returns:
        A new network; its nodes are those of the old one, which is not to be used any more.

    Raises:
        RuntimeError: the model has several inputs, as OpenVINO's own errors are.
    """
    import openvino
    import openvino.opset13 as ops

    def by_channel(values: tuple[float, float, float]) -> openvino.Node:
        """A constant of values in the order of the network's input; one number where all are equal, which is thrice as fast."""
        ordered = values[::-1] if rule.reverse else values
        return ops.constant(np.array(ordered if len(set(ordered)) > 1 else ordered[0], dtype=np.float32))

    if len(model.inputs) != 1:
        raise RuntimeError(f"pictures are one input, and the model has {len(model.inputs)}")
    (old,) = model.get_parameters()
    pictures = ops.parameter([-1, -1, -1, 3], np.uint8, name=old.get_friendly_name())
    numbers = ops.add(ops.multiply(ops.convert(pictures, "f32"), by_channel(rule.scale)), by_channel(rule.shift))
    planes = ops.transpose(numbers, [0, 3, 1, 2])
    if rule.reverse:  # OpenVINO draws it into the weights of the first convolution
        planes = ops.gather(planes, [2, 1, 0], 1)
    replace(old, planes)
    return openvino.Model(model.get_results(), [pictures], "of-pixels")
