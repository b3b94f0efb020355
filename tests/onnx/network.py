"""Networks drawn for a test, as ONNX files, and what ONNX Runtime computes with them as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from shizi.onnx.messages import GRAPH, INPUT, NODE, OUTPUT, all_tensors, attribute, free, variable
from shizi.onnx.messages import tensor as written
from shizi.onnx.wire import Piece, entry, nested

Array = NDArray[np.float32]
Said = int | float | str | Sequence[int]


class Network:
    """From pictures "x" (N, channels, H, W), by steps that are added one after the other."""

    def __init__(self, seed: int = 1) -> None:
        self._nodes: list[bytes] = []
        self._tensors: list[list[Piece]] = []
        self._random = np.random.default_rng(seed)
        self._count = 0

    def constant(self, values: Array | Sequence[float]) -> str:
        """Its name."""
        name = self._new("c")
        self._tensors.append(written(name, np.asarray(values, dtype=np.float32)))
        return name

    def drawn(self, *shape: int) -> str:
        """The name of a constant of this shape, such that products with it are of the size of what they are made of."""
        spread = self._random.standard_normal(shape) / math.prod(shape[1:]) ** 0.5
        return self.constant(spread.astype(np.float32))

    def positive(self, *shape: int) -> str:
        """The name of a constant of this shape, whose numbers are above 0."""
        return self.constant(self._random.uniform(0.5, 2, shape).astype(np.float32))

    def add(
        self,
        operator: str,
        inputs: Sequence[str],
        said: Mapping[str, Said] | None = None,
        *,
        outputs: int = 1,
        domain: str = "",
    ) -> str:
        """Adds a step; the name of its (first) output."""
        names = [self._new(operator.lower()) for _ in range(outputs)]
        named = [entry(1, name) for name in inputs] + [entry(2, name) for name in names]
        attributes = [entry(5, _attribute(name, value)) for name, value in (said or {}).items()]
        self._nodes.append(
            b"".join([*named, entry(3, f"{operator}.{self._count}"), entry(4, operator), entry(7, domain), *attributes])
        )
        return names[0]

    def conv(
        self,
        x: str,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int] = 1,
        bias: str = "own",
        said: Mapping[str, Said] | None = None,
    ) -> str:
        """Adds a convolution, with a bias of its "own", "after" it, or "none"."""
        rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
        usual: dict[str, Said] = {"kernel_shape": (rows, columns), "pads": (rows // 2, columns // 2) * 2}
        weights = [self.drawn(outputs, inputs, rows, columns)] + ([self.drawn(outputs)] if bias == "own" else [])
        made = self.add("Conv", [x, *weights], usual | dict(said or {}))
        return self.add("Add", [made, self.drawn(1, outputs, 1, 1)]) if bias == "after" else made

    def onnx(self, *outputs: str, extra: Mapping[int, bytes] | None = None, top: Sequence[bytes] = ()) -> bytes:
        """The file, of a network with these outputs.

        Args:
            outputs: their names.
            extra: further fields of the graph.
            top: further fields of the file.
        """
        parts: list[Piece] = [entry(NODE, node) for node in self._nodes]
        parts += [*all_tensors(self._tensors), entry(2, "drawn"), entry(INPUT, variable("x", free("x", 4)))]
        parts += [entry(OUTPUT, variable(name, free(name, 4))) for name in outputs]
        parts += [entry(number, value) for number, value in (extra or {}).items()]
        return b"".join([entry(1, 8), *nested(GRAPH, parts), entry(8, entry(2, 13)), *top])

    def _new(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"


def pictures(*shape: int) -> Array:
    """Numbers about 0, the same for a shape every time."""
    return np.random.default_rng(9).standard_normal(shape).astype(np.float32)


def run(content: bytes, batch: Array, *, optimized: bool = False) -> list[Array]:
    """All outputs, each step computed as the file has it, or all as ONNX Runtime likes best."""
    settings = onnxruntime.SessionOptions()
    if not optimized:
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
    return [np.asarray(output) for output in session.run(None, {session.get_inputs()[0].name: batch})]


def _attribute(name: str, value: Said) -> bytes:
    if isinstance(value, float):
        return entry(1, name) + b"\x15" + np.float32(value).tobytes() + entry(20, 1)
    return attribute(name, value)
