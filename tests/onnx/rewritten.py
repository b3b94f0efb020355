"""What a rewrite makes of a network, and whether that computes the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from shizi.onnx.graph import Graph, read
from tests.onnx.network import pictures, run


def kinds(graph: Graph) -> list[str]:
    """Its operators, in order."""
    return [node.operator for node in graph.nodes]


def same(content: bytes, rewrite: Callable[[Graph], None], *shape: int) -> Graph:
    """The network rewritten, which computes what it did."""
    graph = read(content)
    rewrite(graph)
    expected = run(content, pictures(*shape))
    for optimized in (False, True):
        for before, after in zip(expected, run(graph.onnx(), pictures(*shape), optimized=optimized), strict=True):
            assert before.shape == after.shape
            assert len(np.unique(before.round(4))) > 4  # no plain picture, which much would give
            assert after == pytest.approx(before, abs=1e-4)
    return graph
