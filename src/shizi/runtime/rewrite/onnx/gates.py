"""The gates of squeeze-and-excitation blocks (Hu et al., 2018)."""

from __future__ import annotations

import numpy as np

from shizi.onnx.convolutions import weights_of
from shizi.onnx.graph import Graph, Node


def add_gates(graph: Graph) -> None:
    """Makes x + g x into (1 + g) x, where a gate g has one number for each channel: one step over the picture in place of two."""
    one = ""
    for node in [*graph.nodes]:
        found = _residual(graph, node) if node.is_a("Add") else None
        if found is not None:
            one = one or graph.keep("shizi.one", np.ones(1, dtype=np.float32))
            product, picture, gate = found
            larger = graph.unused(f"{node.output}.gate")
            graph.nodes.remove(product)
            graph.replace(node, Node("Add", [gate, one], [larger]), Node("Mul", [picture, larger], node.outputs))


def _residual(graph: Graph, add: Node) -> tuple[Node, str, str] | None:
    """The node of g x, x, and g, where a node adds x and g x, and nobody else wants g x."""
    for picture, gated in (add.inputs, add.inputs[::-1]):
        product = graph.maker(gated)
        if (
            product is None
            or not product.is_a("Mul")
            or graph.only_user(gated) is not add
            or picture not in product.inputs
        ):
            continue
        gate = next((name for name in product.inputs if name != picture), "")
        maker = graph.maker(gate)
        made = graph.maker(maker.inputs[0]) if maker is not None and maker.is_a("HardSigmoid") else None
        if weights_of(graph, made) is not None:  # so its numbers are of the kind that is added
            return product, picture, gate
    return None
