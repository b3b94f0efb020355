"""Constants by which what a convolution made is multiplied, and that are added to it."""

from __future__ import annotations

import numpy as np

from shizi.onnx.convolutions import weights_of
from shizi.onnx.graph import Array, Graph, Node

_PICTURES = 4  # dimensions: pictures, channels, rows, columns
_KINDS = ("Conv", "ConvTranspose")


def fold_constants(graph: Graph) -> None:
    """Draws what is done to each channel that a convolution made into it: a number that is added, a normalization of batches."""
    for node in [each for each in graph.nodes if each.operator in _KINDS]:
        while (follower := graph.only_user(node.output)) is not None and _fold(graph, node, follower):
            node.outputs = follower.outputs
            graph.nodes.remove(follower)


def _fold(graph: Graph, node: Node, follower: Node) -> bool:
    """Changes a convolution to do what its follower does; says whether it can."""
    weights = weights_of(graph, node, node.operator)
    if weights is None:
        return False
    axis = 0 if node.operator == "Conv" else 1
    count = weights.shape[axis]
    found = _scale_and_shift(graph, node.output, follower, count)
    if found is None:
        return False
    scale, shift = found
    bias = graph.constant(node.inputs[2]) if len(node.inputs) == 3 else None
    shift = shift if bias is None else shift + scale * bias
    wide = np.expand_dims(scale, [each for each in range(_PICTURES) if each != axis])
    node.inputs[1:] = [graph.keep(node.inputs[1], weights * wide), graph.keep(f"{follower.output}.bias", shift)]
    return True


def _scale_and_shift(graph: Graph, name: str, node: Node, count: int) -> tuple[Array, Array] | None:
    """What a node multiplies each channel of a value by, and then adds to it, (count,) each; None where it does anything else."""
    if node.is_a("Add"):
        added = graph.constant(next(each for each in node.inputs if each != name))
        fits = added is not None and added.shape in ((1, count, 1, 1), (count, 1, 1))
        return (np.ones(count, dtype=np.float32), added.ravel()) if added is not None and fits else None
    if not node.is_a("BatchNormalization") or node.inputs[0] != name or node.numbers("training_mode") not in ([], [0]):
        return None
    known = [graph.constant(each) for each in node.inputs[1:]]
    scale, shift, mean, variance = (each if each is not None else np.zeros(()) for each in known)
    if not scale.shape == shift.shape == mean.shape == variance.shape == (count,):
        return None
    scale = scale / np.sqrt(variance + node.fraction("epsilon", 1e-5))
    return scale.astype(np.float32), (shift - mean * scale).astype(np.float32)
