"""Branches that meet before a convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shizi.runtime.rewrite.openvino.nodes import Array, constant, convolution_like, is_pointwise, replace, source

if TYPE_CHECKING:
    import openvino

_PICTURES = 4  # dimensions: pictures, channels, rows, columns


def add_branches(model: openvino.Model) -> openvino.Model:
    """A convolution of two pictures laid behind each other becomes the sum of two convolutions, which computes the same.

    So the two need not be copied beside each other, channel by channel, which on half a page's resolution takes a third of the
    convolution's time. Left alone are convolutions of single pixels, which are quick themselves, and more branches than two, for
    their sums cost more than the copy.

    Returns:
        The model, changed in place.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Convolution" and not is_pointwise(node):
            _part(node)
    return model


def _part(layer: openvino.Node) -> None:
    import openvino.opset13 as ops

    joined, weights = source(layer, 0), constant(layer, 1)
    if (
        weights is None
        or weights.ndim != _PICTURES
        or joined.get_type_name() != "Concat"
        or joined.get_input_size() != 2
    ):
        return
    first = list(joined.input_value(0).get_partial_shape())[1]
    if joined.get_attributes()["axis"] not in (1, -3) or first.is_dynamic:
        return
    at = first.get_length()
    parts: list[Array] = [weights[:, :at], weights[:, at:]]
    sums = [convolution_like(layer, joined.input_value(number), part) for number, part in enumerate(parts)]
    replace(layer, ops.add(*sums))
