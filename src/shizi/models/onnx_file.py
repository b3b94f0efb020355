"""What shizi does to ONNX files: reads their metadata, and takes the last layer off a recogniser.

The numbers of the fields are those of `onnx.proto3` of the ONNX specification (https://github.com/onnx/onnx/blob/main/docs/IR.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shizi.models.wire import Field, Piece, entry, fields, nested, numbers

_GRAPH, _OPERATORS, _METADATA = 7, 8, 14  # of ModelProto
_NODE, _TENSOR, _INPUT, _OUTPUT, _VALUE_INFO = 1, 5, 11, 12, 13  # of GraphProto
_ATTRIBUTE = 5  # of NodeProto
_FLOAT = 1
_LAST = (2, 2**64 - 1)  # the last of three axes, and -1


@dataclass(frozen=True, slots=True)
class Linear:
    """A fully connected layer: y = weights @ x + bias.

    Attributes:
        weights: (classes, features), in memory as the file has them, which is mostly the other way round.
        bias: (classes,).
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def only(self, classes: NDArray[np.intp]) -> Linear:
        """The same layer with these classes alone, in this order."""
        return Linear(self.weights[classes], self.bias[classes])

    def passing_on(self) -> Linear:
        """The same layer, whose output ends with its input."""
        features = self.weights.shape[1]
        weights = np.concatenate([self.weights, np.eye(features, dtype=np.float32)])
        return Linear(weights, np.concatenate([self.bias, np.zeros(features, dtype=np.float32)]))

    def onnx(self, *, softmax: bool) -> bytes:
        """An ONNX model of the layer, and of a softmax after it: "x" (N, features) -> "y" (N, classes)."""
        tensors = (_tensor("w", self.weights.T), _tensor("b", self.bias))
        nodes = [_node("MatMul", ["x", "w"], "product"), _node("Add", ["product", "b"], "sum" if softmax else "y")]
        if softmax:
            nodes.append(_node("Softmax", ["sum"], "y"))
        graph = [*(entry(_NODE, node) for node in nodes), entry(2, "linear"), *_all(tensors)]
        graph += [entry(_INPUT, _variable("x", 2)), entry(_OUTPUT, _variable("y", 2))]
        # IR version 8, operators as of version 13.
        return b"".join([entry(1, 8), *nested(_GRAPH, graph), entry(8, entry(2, 13))])


@dataclass(frozen=True, slots=True)
class Body:
    """A recogniser without its last layer.

    Attributes:
        graph: its graph but for the output.
        hidden: the value in it that entered the last layer, (B, T, features).
        rest: what the file holds beside the graph.
    """

    graph: bytes
    hidden: str
    rest: bytes

    def onnx(self, layer: Linear | None = None) -> bytes:
        """An ONNX model of the body, or of the body and this last layer, without a softmax: (B, T, classes)."""
        if layer is None:
            return self.rest + entry(_GRAPH, self.graph + entry(_OUTPUT, _variable(self.hidden, 3)))
        prefix = "shizi."
        while prefix.encode() in self.graph:  # not every runtime refuses a name that is there twice
            prefix += "_"
        weights, bias, product, output = (prefix + name for name in ("weights", "bias", "product", "output"))
        nodes = (_node("MatMul", [self.hidden, weights], product), _node("Add", [product, bias], output))
        tensors = (_tensor(weights, layer.weights.T), _tensor(bias, layer.bias))
        graph = [
            self.graph,
            *(entry(_NODE, node) for node in nodes),
            *_all(tensors),
            entry(_OUTPUT, _variable(output, 3)),
        ]
        return b"".join([self.rest, *nested(_GRAPH, graph)])


def read_metadata(data: bytes) -> dict[str, str]:
    """The metadata of a model.

    Raises:
        IndexError: this is no ONNX file.
        UnicodeDecodeError: likewise.
    """
    pairs = {}
    for field in fields(memoryview(data)):
        if field.number == _METADATA:
            pair = {part.number: bytes(part.value).decode("utf-8") for part in fields(field.value)}
            pairs[pair.get(1, "")] = pair.get(2, "")
    return pairs


def cut_linear(data: bytes) -> tuple[Body, Linear] | None:
    """Takes a last linear layer and its softmax off a model.

    Returns:
        What comes before the layer, and the layer; None where the model ends in another way.

    Raises:
        IndexError: this is no ONNX file.
        UnicodeDecodeError: likewise.
    """
    top = list(fields(memoryview(data)))
    graph = [part for field in top if field.number == _GRAPH for part in fields(field.value)]
    tensors = {_text(part.value, 8): part for part in graph if part.number == _TENSOR}
    tail = _tail(graph, tensors)
    if tail is None or not _over_last_axis(tail[1], top):
        return None
    hidden, dropped = tail
    names = [name for part in dropped for name in _texts(part.value, 1) if name in tensors]
    arrays = [_floats(tensors[name].value) for name in names]  # the bias, then the weights
    if [array.ndim for array in arrays] != [1, 2] or arrays[0].shape != arrays[1].shape[1:]:
        return None
    gone = {id(part) for part in dropped} | {id(tensors[name]) for name in names}
    gone |= {
        id(part) for part in graph if part.number == _INPUT and _text(part.value, 1) in names
    }  # as old files list them
    kept = b"".join(part.raw for part in graph if part.number not in (_OUTPUT, _VALUE_INFO) and id(part) not in gone)
    rest = b"".join(field.raw for field in top if field.number != _GRAPH)
    return Body(kept, hidden, rest), Linear(arrays[1].T, arrays[0])


def _tail(graph: list[Field], tensors: dict[str, Field]) -> tuple[str, list[Field]] | None:
    """Walks up from the output over softmax, bias and matrix product: what enters them, and their nodes."""
    makers = {_text(part.value, 2): part for part in graph if part.number == _NODE}
    name = next((_text(part.value, 1) for part in graph if part.number == _OUTPUT), "")
    dropped: list[Field] = []
    for wanted in ("Softmax", "Add", "MatMul"):
        while (maker := makers.pop(name, None)) is not None:  # each once: a damaged graph may run in a circle
            dropped.append(maker)
            operands = _texts(maker.value, 1)
            inputs = [text for text in operands if text not in tensors]
            operator = _text(maker.value, 4)
            if len(inputs) != 1 or operator not in (wanted, "Identity"):
                return None
            if operator == "MatMul" and operands[0] in tensors:
                return None
            name = inputs[0]
            if operator == wanted:
                break
        else:
            return None
    return name, dropped


def _over_last_axis(dropped: list[Field], top: list[Field]) -> bool:
    """Whether the softmax is one over the classes; up to version 12 of the operators, it is not unless its node says so."""
    softmax = next(part for part in dropped if _text(part.value, 4) == "Softmax")
    for field in fields(softmax.value):
        if field.number == _ATTRIBUTE and _text(field.value, 1) == "axis":
            return _integers(field.value, 3)[:1] in ([axis] for axis in _LAST)
    versions = [_integers(field.value, 2) for field in top if field.number == _OPERATORS and not _text(field.value, 1)]
    return any(version >= 13 for found in versions for version in found)


def _texts(message: memoryview, number: int) -> list[str]:
    return [bytes(field.value).decode("utf-8") for field in fields(message) if field.number == number]


def _text(message: memoryview, number: int) -> str:
    return next(iter(_texts(message, number)), "")


def _integers(message: memoryview, number: int) -> list[int]:
    """A repeated integer, packed or not."""
    found = []
    for field in fields(message):
        if field.number == number:
            found += numbers(field.value) if field.value else numbers(field.raw)[1:]
    return found


def _floats(message: memoryview) -> NDArray[np.float32]:
    """The values of a tensor; an array of no dimensions where they are of another type or kept elsewhere."""
    shape = _integers(message, 1)
    raw = b"".join(field.value for field in fields(message) if field.number in (4, 9))
    if _integers(message, 2) != [_FLOAT] or not raw or len(raw) != 4 * math.prod(shape):
        return np.zeros((), dtype=np.float32)
    return np.frombuffer(raw, dtype="<f4").reshape(shape)


def _tensor(name: str, values: NDArray[np.float32]) -> list[Piece]:
    raw = np.ascontiguousarray(values, dtype="<f4").reshape(-1).view(np.uint8).data
    return [*(entry(1, side) for side in values.shape), entry(2, _FLOAT), entry(8, name), *nested(9, [raw])]


def _all(tensors: Iterable[list[Piece]]) -> Iterator[Piece]:
    """Tensors as fields of a graph."""
    for tensor in tensors:
        yield from nested(_TENSOR, tensor)


def _variable(name: str, rank: int) -> bytes:
    """A float input or output, every side of which is free."""
    shape = b"".join(entry(1, entry(2, f"{name}.{axis}")) for axis in range(rank))
    return entry(1, name) + entry(2, entry(1, entry(1, _FLOAT) + entry(2, shape)))


def _node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    return b"".join(entry(1, name) for name in inputs) + entry(2, output) + entry(4, operator)
