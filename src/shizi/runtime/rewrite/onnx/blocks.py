"""Channels in whole blocks, which pooling and joining need to work on them as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from shizi.onnx.convolutions import channels, summed, weights_of
from shizi.onnx.graph import Array, Graph, Node

_PASSING = ("Relu", "MaxPool")  # through which channels of nothing but zeros pass as they are


@dataclass(frozen=True, slots=True)
class _Widened:
    """Where the channels that there were stand among more: (channels,), and how many there are now."""

    places: NDArray[np.intp]
    count: int


def fill_blocks(graph: Graph, block: int) -> None:
    """Gives convolutions that fill no whole number of blocks further channels, of zeros, which those that follow ignore.

    Only where all that follow are convolutions again, at once or behind pooling and joining; and only where that helps: for fewer
    channels than a block, and before pooling and joining, which else want all brought back into rows, and the convolution behind
    them back into blocks.
    """
    widened: dict[str, _Widened] = {}
    for node in graph.nodes:
        weights = weights_of(graph, node)
        if weights is not None:
            if node.inputs[0] in widened:
                weights = _spread(weights, 1, widened[node.inputs[0]])
                node.inputs[1] = graph.keep(node.inputs[1], weights)
            count = len(weights)
            followers = _followers(graph, node.output) if count % block else None
            if followers is not None and (count < block or followers):
                wide = _Widened(np.arange(count), -(-count // block) * block)
                for index, name in enumerate(node.inputs[1:], start=1):
                    values = graph.constant(name)
                    if values is not None:
                        node.inputs[index] = graph.keep(name, _spread(values, 0, wide))
                widened[node.output] = wide
        elif node.operator in _PASSING and node.inputs[0] in widened:
            widened[node.output] = widened[node.inputs[0]]
        elif node.is_a("Concat") and any(name in widened for name in node.inputs):
            widened[node.output] = _joined([widened.get(name) or _plain(graph, name) for name in node.inputs])


def add_branches(graph: Graph, block: int) -> None:
    """A convolution of two pictures laid behind each other becomes the sum of two convolutions, which need not be copied for it.

    Left alone are convolutions of single pixels, which are quick themselves, and pictures that fill no whole number of blocks.
    """
    for node in [*graph.nodes]:
        weights = weights_of(graph, node)
        joined = graph.maker(node.inputs[0]) if weights is not None and weights[0, 0].size > 1 else None
        if weights is None or joined is None or not _joins(joined) or graph.only_user(joined.output) is not node:
            continue
        counts = [channels(graph, name) for name in joined.inputs]
        if len(counts) != 2 or not all(count and count % block == 0 for count in counts):
            continue
        parts = []
        for number, (name, part) in enumerate(
            zip(joined.inputs, np.split(weights, [counts[0] or 0], axis=1), strict=True)
        ):
            kernel = graph.keep(f"{node.inputs[1]}.{number}", part)
            bias = node.inputs[2:] if number == 0 else []
            parts.append(Node("Conv", [name, kernel, *bias], [f"{node.output}.{number}"], node.attributes))
        graph.nodes.remove(joined)
        graph.replace(node, *summed(graph, parts[0], parts[1], node.output))


def _followers(graph: Graph, name: str) -> set[str] | None:
    """What stands between a value and the convolutions that follow; None where anything else follows that would see its channels."""
    if name in graph.outputs:
        return None
    between: set[str] = set()
    for node in graph.users(name):
        if weights_of(graph, node) is not None and name not in node.inputs[1:]:
            continue
        passing = any(node.is_a(operator) for operator in _PASSING)
        if not passing and not (_joins(node) and all(channels(graph, each) for each in node.inputs)):
            return None
        further = _followers(graph, node.output)
        if further is None:
            return None
        between |= further | ({node.operator} - {"Relu"})
    return between


def _joins(node: Node) -> bool:
    return node.is_a("Concat") and node.numbers("axis") == [1]


def _spread(values: Array, axis: int, wide: _Widened) -> Array:
    """Values with zeros for the channels that were added, along an axis."""
    shape = list(values.shape)
    shape[axis] = wide.count
    spread = np.zeros(shape, dtype=np.float32)
    np.moveaxis(spread, axis, 0)[wide.places] = np.moveaxis(values, axis, 0)
    return spread


def _joined(parts: Sequence[_Widened]) -> _Widened:
    """Of pictures laid behind each other."""
    ends = list(accumulate(part.count for part in parts))
    starts = [end - part.count for part, end in zip(parts, ends, strict=True)]
    return _Widened(np.concatenate([part.places + start for part, start in zip(parts, starts, strict=True)]), ends[-1])


def _plain(graph: Graph, name: str) -> _Widened:
    """Of a picture that was not widened, whose channels are known."""
    count = channels(graph, name) or 0
    return _Widened(np.arange(count), count)
