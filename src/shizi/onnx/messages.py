"""The messages that ONNX files are made of: tensors, nodes, inputs.

The numbers of the fields are those of `onnx.proto3` of the ONNX specification (https://github.com/onnx/onnx/blob/main/docs/IR.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from shizi.onnx.wire import Piece, entry, fields, nested, numbers

# Of ModelProto, of GraphProto, and of NodeProto.
GRAPH, OPERATORS, METADATA = 7, 8, 14
NODE, TENSOR, INPUT, OUTPUT, VALUE_INFO = 1, 5, 11, 12, 13
ATTRIBUTE = 5
FLOAT = 1


def texts(message: memoryview, number: int) -> list[str]:
    """A repeated text."""
    return [bytes(field.value).decode("utf-8") for field in fields(message) if field.number == number]


def text(message: memoryview, number: int) -> str:
    """A text; empty where it is not there."""
    return next(iter(texts(message, number)), "")


def integers(message: memoryview, number: int) -> list[int]:
    """A repeated integer, packed or not."""
    found = []
    for field in fields(message):
        if field.number == number:
            found += numbers(field.value) if field.value else numbers(field.raw)[1:]
    return found


def floats(message: memoryview) -> NDArray[np.float32] | None:
    """The values of a tensor; None where there are none, or of another type, or elsewhere."""
    shape = integers(message, 1)
    parts = [field.value for field in fields(message) if field.number in (4, 9)]
    raw = parts[0] if len(parts) == 1 else b"".join(parts)  # megabytes are not copied
    if integers(message, 2) != [FLOAT] or not raw or len(raw) != 4 * math.prod(shape):
        return None
    return np.frombuffer(raw, dtype="<f4").reshape(shape)


def tensor(name: str, values: NDArray[np.float32]) -> list[Piece]:
    """A tensor of these values."""
    raw = np.ascontiguousarray(values, dtype="<f4").reshape(-1).view(np.uint8).data
    return [*(entry(1, side) for side in values.shape), entry(2, FLOAT), entry(8, name), *nested(9, [raw])]


def all_tensors(tensors: Iterable[list[Piece]]) -> Iterator[Piece]:
    """Tensors as fields of a graph."""
    for each in tensors:
        yield from nested(TENSOR, each)


def variable(name: str, shape: Sequence[str | int]) -> bytes:
    """A float input, output or value in between, of this shape: sizes, and names of those that are free."""
    sides = b"".join(entry(1, entry(2 if isinstance(side, str) else 1, side)) for side in shape)
    return entry(1, name) + entry(2, entry(1, entry(1, FLOAT) + entry(2, sides)))


def free(name: str, rank: int) -> list[str]:
    """A shape of this many free sides."""
    return [f"{name}.{axis}" for axis in range(rank)]


def node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    """A node with one output and no attributes."""
    return b"".join(entry(1, name) for name in inputs) + entry(2, output) + entry(4, operator)


def attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    """An attribute of a node: a number, a text, or numbers that are not negative."""
    if isinstance(value, str):
        return entry(1, name) + entry(4, value) + entry(20, 3)
    if isinstance(value, int):
        return entry(1, name) + entry(3, value) + entry(20, 2)
    return entry(1, name) + b"".join(entry(8, each) for each in value) + entry(20, 7)
