"""Files of recognisers that are nothing but an end: a doubled input, a linear layer, a softmax."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shizi.onnx.wire import varint
from tests.runtime.onnx_file import FLOAT, entry, node, variable

FEATURES, CLASSES = 6, 9
Array = NDArray[np.float32]
SHARED = np.random.default_rng(5)
WEIGHTS: Array = SHARED.standard_normal((CLASSES, FEATURES)).astype(np.float32)
BIAS: Array = SHARED.standard_normal(CLASSES).astype(np.float32)
TAIL = (node("MatMul", ["h", "w"], "p"), node("Add", ["p", "b"], "s"))
SOFTMAX = node("Softmax", ["s"], "y")


def tensor(name: str, values: Array, *, packed: bool = False, raw: bool = True) -> bytes:
    """A tensor: its sides packed or one by one, its values as raw bytes or as floats."""
    sides = entry(1, b"".join(map(varint, values.shape))) if packed else b"".join(entry(1, n) for n in values.shape)
    return sides + entry(2, FLOAT) + entry(8, name) + entry(9 if raw else 4, values.astype("<f4").tobytes())


LAYER = (tensor("w", WEIGHTS.T), tensor("b", BIAS))


def model(
    tail: Sequence[bytes],
    tensors: Sequence[bytes] = LAYER,
    version: int = 13,
    inputs: Sequence[bytes] = (),
    format_version: int = 8,
) -> bytes:
    """ "x" (B, T, features) doubled to "h", then the tail up to "y"."""
    nodes = [node("Add", ["x", "x"], "h"), *tail]
    graph = b"".join(entry(1, part) for part in nodes) + entry(2, "g") + b"".join(entry(5, part) for part in tensors)
    graph += b"".join(entry(11, given) for given in [variable("x", 3), *inputs]) + entry(12, variable("y", 3))
    metadata = entry(14, entry(1, "k") + entry(2, "v"))
    return entry(1, format_version) + entry(7, graph) + entry(8, entry(2, version)) + metadata


def axis(number: int) -> bytes:
    """An attribute of a softmax."""
    return entry(5, entry(1, "axis") + entry(3, number) + entry(20, 2))
