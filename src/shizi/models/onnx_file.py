"""What shizi does to the files of models: reads their metadata, and takes the last layer off a recogniser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shizi.onnx.messages import (
    ATTRIBUTE,
    GRAPH,
    INPUT,
    METADATA,
    NODE,
    OPERATORS,
    OUTPUT,
    TENSOR,
    VALUE_INFO,
    all_tensors,
    floats,
    free,
    integers,
    node,
    tensor,
    text,
    texts,
    variable,
)
from shizi.onnx.wire import Field, entry, fields, nested

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
        tensors = (tensor("w", self.weights.T), tensor("b", self.bias))
        nodes = [node("MatMul", ["x", "w"], "product"), node("Add", ["product", "b"], "sum" if softmax else "y")]
        if softmax:
            nodes.append(node("Softmax", ["sum"], "y"))
        graph = [*(entry(NODE, each) for each in nodes), entry(2, "linear"), *all_tensors(tensors)]
        graph += [entry(INPUT, variable("x", free("x", 2))), entry(OUTPUT, variable("y", free("y", 2)))]
        # IR version 8, operators as of version 13.
        return b"".join([entry(1, 8), *nested(GRAPH, graph), entry(8, entry(2, 13))])


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
            return self.rest + entry(GRAPH, self.graph + entry(OUTPUT, variable(self.hidden, free(self.hidden, 3))))
        prefix = "shizi."
        while prefix.encode() in self.graph:  # not every runtime refuses a name that is there twice
            prefix += "_"
        weights, bias, product, output = (prefix + name for name in ("weights", "bias", "product", "output"))
        nodes = (node("MatMul", [self.hidden, weights], product), node("Add", [product, bias], output))
        tensors = (tensor(weights, layer.weights.T), tensor(bias, layer.bias))
        graph = [
            self.graph,
            *(entry(NODE, each) for each in nodes),
            *all_tensors(tensors),
            entry(OUTPUT, variable(output, free(output, 3))),
        ]
        return b"".join([self.rest, *nested(GRAPH, graph)])


def read_metadata(data: bytes) -> dict[str, str]:
    """The metadata of a model.

    Raises:
        IndexError: this is no ONNX file.
        UnicodeDecodeError: likewise.
    """
    pairs = {}
    for field in fields(memoryview(data)):
        if field.number == METADATA:
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
    graph = [part for field in top if field.number == GRAPH for part in fields(field.value)]
    tensors = {text(part.value, 8): part for part in graph if part.number == TENSOR}
    tail = _tail(graph, tensors)
    if tail is None or not _over_last_axis(tail[1], top):
        return None
    hidden, dropped = tail
    names = [name for part in dropped for name in texts(part.value, 1) if name in tensors]
    found = [floats(tensors[name].value) for name in names]
    arrays = [array for array in found if array is not None]  # the bias, then the weights
    if [array.ndim for array in arrays] != [1, 2] or arrays[0].shape != arrays[1].shape[1:]:
        return None
    gone = {id(part) for part in dropped} | {id(tensors[name]) for name in names}
    gone |= {
        id(part) for part in graph if part.number == INPUT and text(part.value, 1) in names
    }  # as old files list them
    kept = b"".join(part.raw for part in graph if part.number not in (OUTPUT, VALUE_INFO) and id(part) not in gone)
    rest = b"".join(field.raw for field in top if field.number != GRAPH)
    return Body(kept, hidden, rest), Linear(arrays[1].T, arrays[0])


def _tail(graph: list[Field], tensors: dict[str, Field]) -> tuple[str, list[Field]] | None:
    """Walks up from the output over softmax, bias and matrix product: what enters them, and their nodes."""
    makers = {text(part.value, 2): part for part in graph if part.number == NODE}
    name = next((text(part.value, 1) for part in graph if part.number == OUTPUT), "")
    dropped: list[Field] = []
    for wanted in ("Softmax", "Add", "MatMul"):
        while (maker := makers.pop(name, None)) is not None:  # each once: a damaged graph may run in a circle
            dropped.append(maker)
            operands = texts(maker.value, 1)
            inputs = [each for each in operands if each not in tensors]
            operator = text(maker.value, 4)
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
    softmax = next(part for part in dropped if text(part.value, 4) == "Softmax")
    for field in fields(softmax.value):
        if field.number == ATTRIBUTE and text(field.value, 1) == "axis":
            return integers(field.value, 3)[:1] in ([axis] for axis in _LAST)
    versions = [integers(field.value, 2) for field in top if field.number == OPERATORS and not text(field.value, 1)]
    return any(version >= 13 for found in versions for version in found)
