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
_STEPS = 6  # so many are looked at between a convolution and the next


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
    filled = {node.output for node in graph.nodes if _is_to_be_filled(graph, node, block)}
    widened: dict[str, _Widened] = {}
    for node in graph.nodes:
        weights = weights_of(graph, node)
        if weights is not None:
            if node.inputs[0] in widened:
                node.inputs[1] = graph.keep(node.inputs[1], _spread(weights, 1, widened[node.inputs[0]]))
            if node.output in filled:
                widened[node.output] = _Widened(np.arange(len(weights)), -(-len(weights) // block) * block)
                _fill(graph, node, widened[node.output])
        elif _passes(node) and node.inputs[0] in widened:
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
        counts = [channels(graph, name) or 0 for name in joined.inputs]
        whole = all(count and count % block == 0 for count in counts)
        if len(counts) != 2 or sum(counts) != weights.shape[1] or not whole:
            continue
        at = graph.unused(node.output)
        parts = []
        for number, (name, part) in enumerate(zip(joined.inputs, np.split(weights, counts[:1], axis=1), strict=True)):
            kernel = graph.keep(f"{at}.{number}.weights", part)
            bias = node.inputs[2:] if number == 0 else []
            parts.append(Node("Conv", [name, kernel, *bias], [f"{at}.{number}"], node.attributes))
        graph.nodes.remove(joined)
        graph.replace(node, *summed(graph, parts[0], parts[1], node.output))


def _is_to_be_filled(graph: Graph, node: Node, block: int) -> bool:
    weights = weights_of(graph, node)
    if weights is None or len(weights) % block == 0:
        return False
    return (len(weights) < block or _is_joined(graph, node.output)) and _only_convolved(graph, node.output)


def _fill(graph: Graph, node: Node, wide: _Widened) -> None:
    """Gives a convolution more outputs, which are nothing but zeros."""
    for index, name in enumerate(node.inputs[1:], start=1):
        values = graph.constant(name)
        if values is not None:
            node.inputs[index] = graph.keep(name, _spread(values, 0, wide))


def _only_convolved(graph: Graph, name: str, steps: int = _STEPS) -> bool:
    """Whether only convolutions see the channels of a value, at once or behind a few steps through which zeros pass as they are."""
    if name in graph.outputs or steps == 0:
        return False
    return all(
        (weights_of(graph, node) is not None and name not in node.inputs[1:])
        or ((_passes(node) or _joins_known(graph, node)) and _only_convolved(graph, node.output, steps - 1))
        for node in graph.users(name)
    )


def _is_joined(graph: Graph, name: str, steps: int = _STEPS) -> bool:
    """Whether a value is pooled or joined before it is convolved again."""
    users = graph.users(name) if steps else []
    return any(
        node.is_a("MaxPool") or _joins(node) or (_passes(node) and _is_joined(graph, node.output, steps - 1))
        for node in users
    )


def _passes(node: Node) -> bool:
    return any(node.is_a(operator) for operator in _PASSING)


def _joins_known(graph: Graph, joined: Node) -> bool:
    """Whether a node lays pictures behind each other, of as many channels as the convolutions that see them take."""
    if not _joins(joined):
        return False
    counts = [channels(graph, name) or 0 for name in joined.inputs]
    seen = [weights_of(graph, node) for node in graph.users(joined.output)]
    return all(counts) and all(each is None or each.shape[1] == sum(counts) for each in seen)


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
