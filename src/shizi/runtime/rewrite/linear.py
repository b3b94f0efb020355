"""Steps in another order where all that stands between them are sums: fewer products, for any runtime.

Both rewrites are of the end of a trunk whose blocks add what they make to what they were given: the last products for every pixel,
that sum, and then a step that is linear too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shizi.onnx.convolutions import NO_PADS_OF_ITS_OWN, channels, is_pointwise, same_size, summed, weights_of
from shizi.onnx.graph import Array, Graph, Node


@dataclass(frozen=True, slots=True)
class _Block:
    """The end of a block.

    Attributes:
        total: adds what the block made to what it was given.
        given: the name of that.
        products: the last convolution, of single pixels.
        bias: adds a constant to it; None where there is none, or where the convolution does.
    """

    total: Node
    given: str
    products: Node
    bias: Node | None


def pool_early(graph: Graph) -> None:
    """Averages pixels before the last products of a block, not after them: there are fewer then, and an average of products is one.

    A recogniser that averages three rows and two columns into one has a sixth of these products left.
    """
    for pool in [*graph.nodes]:
        block = _block(graph, pool.inputs[0]) if _averages(pool) else None
        if block is None or graph.only_user(block.total.output) is not pool:
            continue
        at = graph.unused(pool.output)
        of_made = Node("AveragePool", [block.products.inputs[0]], [f"{at}.made"], pool.attributes)
        of_given = Node("AveragePool", [block.given], [f"{at}.given"], pool.attributes)
        block.products.inputs[0] = of_made.output
        block.total.inputs = [of_given.output if name == block.given else name for name in block.total.inputs]
        block.total.outputs = pool.outputs
        graph.nodes.remove(pool)
        graph.replace(block.products, of_made, block.products)
        graph.replace(block.total, of_given, block.total)


def join_products(graph: Graph) -> None:
    """Multiplies the matrices of two products, of which one takes the sum that the other is part of, where that leaves fewer to do.

    C (B x + y) is (C B) x + C y: quicker where C has fewer outputs than inputs.
    """
    for node in [*graph.nodes]:
        block = _block(graph, node.inputs[0]) if is_pointwise(graph, node) else None
        if block is None or graph.only_user(block.total.output) is not node:
            continue
        outer, inner = weights_of(graph, node), weights_of(graph, block.products)
        if outer is None or inner is None or len(outer) >= len(inner):
            continue
        bias = _bias(graph, block, len(inner))
        if bias is None or not outer.shape[1] == len(inner) == channels(graph, block.given):
            continue
        at = graph.unused(node.output)
        matrix = outer[:, :, 0, 0]
        joined = graph.keep(f"{at}.joined", (matrix @ inner[:, :, 0, 0])[:, :, None, None])
        own = graph.constant(node.inputs[2]) if len(node.inputs) == 3 else None
        shift = graph.keep(f"{at}.shift", matrix @ bias + (own if own is not None else 0))
        made = Node("Conv", [block.products.inputs[0], joined, shift], [f"{at}.made"], node.attributes)
        given = Node("Conv", [block.given, node.inputs[1]], [f"{at}.given"], node.attributes)
        for gone in (block.total, block.products, block.bias):
            if gone is not None:
                graph.nodes.remove(gone)
        graph.replace(node, *summed(graph, made, given, node.output))


def _averages(pool: Node) -> bool:
    """Whether a node makes fewer pixels, each the average of a whole window."""
    return (
        pool.is_a("AveragePool")
        and math.prod(pool.numbers("strides")) > 1
        and not any(pool.numbers("pads"))
        and not any(pool.numbers("ceil_mode"))
        and pool.word("auto_pad") in NO_PADS_OF_ITS_OWN
    )


def _block(graph: Graph, name: str) -> _Block | None:
    """The block whose end a value is; None also where what it made is not as large as what it was given, as after pooling."""
    total = graph.maker(name)
    if total is None or not total.is_a("Add"):
        return None
    for given, made in (total.inputs, total.inputs[::-1]):
        bias = None
        last = graph.maker(made) if graph.only_user(made) is total else None
        if last is not None and last.is_a("Add") and sum(each in graph.constants for each in last.inputs) == 1:
            bias, made = last, next(each for each in last.inputs if each not in graph.constants)
            last = graph.maker(made) if graph.only_user(made) is bias else None
        if last is None or not is_pointwise(graph, last) or _added(graph, bias) is None:
            continue
        if same_size(graph, last.inputs[0], given):
            return _Block(total, given, last, bias)
    return None


def _added(graph: Graph, bias: Node | None) -> Array | None:
    """One number for each channel that a node adds, or one for all: (channels,) or (1,); 0 for no node, None for another constant."""
    if bias is None:
        return np.zeros(1, dtype=np.float32)
    added = graph.constant(next((name for name in bias.inputs if name in graph.constants), ""))
    fits = added is not None and added.ndim in (3, 4) and added.size == added.shape[-3]
    return added.ravel() if added is not None and fits else None


def _bias(graph: Graph, block: _Block, count: int) -> Array | None:
    """All that is added to the products of a block, (count,)."""
    added = _added(graph, block.bias)
    own = graph.constant(block.products.inputs[2]) if len(block.products.inputs) == 3 else None
    if added is None or added.size not in (1, count):
        return None
    return np.broadcast_to(added + (own if own is not None else 0), count).astype(np.float32)
