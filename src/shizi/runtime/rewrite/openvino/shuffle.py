"""The end of a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shizi.runtime.rewrite.openvino.nodes import Array, constant, pointwise, source

if TYPE_CHECKING:
    import openvino

_END = ("Sigmoid", "Add", "ConvolutionBackpropData", "Relu", "Add", "ConvolutionBackpropData")


def shuffle_late(model: openvino.Model) -> openvino.Model:
    """Gives a network that ends in two transposed convolutions, as a DBNet does, an end that works at low resolution.

    A transposed convolution whose kernel is its stride is a product with a matrix for every pixel, and then a shuffle of the
    channels into space (Shi et al., 2016, "Is the deconvolution layer the same as a convolutional layer?"). All that stands between
    works on single pixels, so the shuffles can wait until the end: the plain products run in bfloat16 on blocked channels, where
    OpenVINO has its transposed convolutions in float32 and its sigmoid on one thread. A page's detection takes a sixth less time.

    Returns:
        The rewritten network; the same one where it does not end so.
    """
    end = _end(model)
    if end is None:
        return model
    entry, (first, first_bias), (second, second_bias) = end
    ways = 4  # the pixels of a 2 x 2 block
    channels = first.shape[1]
    expand = first.transpose(2, 3, 1, 0).reshape(ways * channels, first.shape[0])
    block = second.transpose(2, 3, 1, 0).reshape(ways, channels)
    shrink = np.zeros((ways, ways, ways, channels), dtype=np.float32)
    shrink[np.arange(ways), :, np.arange(ways)] = block
    import openvino
    import openvino.opset13 as ops

    hidden = ops.relu(pointwise(entry, expand, np.tile(first_bias.ravel(), ways)))
    packed = pointwise(hidden, shrink.reshape(ways * ways, -1), np.tile(second_bias.ravel(), ways * ways))
    shuffled = ops.sigmoid(packed)
    for _ in range(2):
        shuffled = ops.depth_to_space(shuffled, "blocks_first", 2)
    return openvino.Model([shuffled.output(0)], model.get_parameters(), "shuffled-late")


def _end(model: openvino.Model) -> tuple[openvino.Output, tuple[Array, Array], tuple[Array, Array]] | None:
    """What enters the last nodes, where they are `_END`, and both kernels and biases, where both double the sides."""
    if len(model.outputs) != 1:
        return None
    node: Any = model.output(0).get_node()
    nodes = []
    for wanted in _END:
        node = source(node, 0)
        if node.get_type_name() != wanted:
            return None
        nodes.append(node)
    _, outer_bias, outer, _, inner_bias, inner = nodes
    first, second = _doubling(inner, inner_bias), _doubling(outer, outer_bias)
    if first is None or second is None or second[0].shape[1] != 1:
        return None
    return inner.input_value(0), first, second


def _doubling(layer: openvino.Node, add: openvino.Node) -> tuple[Array, Array] | None:
    """Kernel and bias, where every pixel becomes a 2 x 2 block of its own, with one bias for each channel."""
    kernel, bias = constant(layer, 1), constant(add, 1)
    if kernel is None or bias is None or layer.get_input_size() != 2:
        return None
    said = layer.get_attributes()
    plain = {"strides": [2, 2], "dilations": [1, 1], "pads_begin": [0, 0], "pads_end": [0, 0], "output_padding": [0, 0]}
    _, channels, *sides = kernel.shape
    fits = sides == [2, 2] and all(list(said[name]) == value for name, value in plain.items())
    return (kernel, bias) if fits and bias.shape[-3:] == (channels, 1, 1) else None
