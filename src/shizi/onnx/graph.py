"""The graph of an ONNX model, to be changed: nodes in an order in which they can run, and the constants among their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shizi.onnx import messages
from shizi.onnx.messages import ATTRIBUTE, GRAPH, INPUT, NODE, OUTPUT, TENSOR, VALUE_INFO, integers, text
from shizi.onnx.wire import Piece, entry, fields, nested

Array = NDArray[np.float32]
# Of ModelProto, of GraphProto, of TensorProto, and of AttributeProto.
_FUNCTIONS, _SPARSE, _ELSEWHERE, _SUBGRAPHS = 25, 15, 13, (6, 11)
_MOST_NODES = 5000
# How many inputs the operators have that are changed, at least.
_NEEDED = dict.fromkeys(
    ("Identity", "Relu", "Sigmoid", "HardSigmoid", "Erf", "MaxPool", "AveragePool", "Resize", "Concat"), 1
)
_NEEDED |= dict.fromkeys(("Conv", "ConvTranspose", "Add", "Sub", "Mul", "Div"), 2) | {"BatchNormalization": 5}


class Strange(ValueError):
    """A model that is left as it is."""


@dataclass(slots=True, eq=False)
class Node:
    """One step of a network.

    Attributes:
        operator: its name; of ONNX's own set where `domain` is empty.
        inputs: names of values; empty for one that is left out.
        outputs: names of values.
        attributes: by name, as the file has them.
        domain: whose operator it is.
        name: what the file calls it.
    """

    operator: str
    inputs: list[str]
    outputs: list[str]
    attributes: Mapping[str, memoryview] = field(default_factory=dict)
    domain: str = ""
    name: str = ""

    @property
    def output(self) -> str:
        """The first output."""
        return self.outputs[0]

    def is_a(self, operator: str) -> bool:
        """Whether it is this one of ONNX's own operators, and nothing but its first output is there."""
        return self.operator == operator and not self.domain and len(self.outputs) == 1

    def numbers(self, name: str) -> list[int]:
        """An attribute of whole numbers; empty where it is not there."""
        found = self.attributes.get(name)
        return [] if found is None else integers(found, 3) + integers(found, 8)

    def fraction(self, name: str, default: float) -> float:
        """An attribute of one float."""
        found = self.attributes.get(name)
        raw = [] if found is None else [part.raw for part in fields(found) if part.number == 2]
        return float(np.frombuffer(raw[0][1:], dtype="<f4")[0]) if raw else default

    def word(self, name: str) -> str:
        """An attribute of text; empty where it is not there."""
        found = self.attributes.get(name)
        return "" if found is None else text(found, 4)


@dataclass(slots=True)
class Graph:
    """A network.

    Attributes:
        nodes: in an order in which they can run.
        outputs: names of the values that it is asked for.
        constants: messages of tensors, by name.
        shapes: what is to be said of values in between: sizes, and names of those that are free.
        changed: whether a node was replaced, or a constant kept.
    """

    nodes: list[Node]
    outputs: list[str]
    constants: dict[str, Sequence[Piece]]
    shapes: dict[str, Sequence[str | int]]
    changed: bool = False
    _inputs: Sequence[str] = ()
    _around: Sequence[Piece] = ()
    _within: Sequence[Piece] = ()

    def maker(self, name: str) -> Node | None:
        """The node whose output this is; None for an input and for a constant."""
        return next((node for node in self.nodes if name in node.outputs), None)

    def users(self, name: str) -> list[Node]:
        """The nodes whose input this is, each once."""
        return [node for node in self.nodes if name in node.inputs]

    def only_user(self, name: str) -> Node | None:
        """The node that alone needs a value, and needs it once; None where others do, or who asks for the network's output."""
        users = self.users(name)
        alone = len(users) == 1 and users[0].inputs.count(name) == 1 and name not in self.outputs
        return users[0] if alone else None

    def constant(self, name: str) -> Array | None:
        """A constant of floats that stands in the file; None where it is no such."""
        found = self.constants.get(name)
        return None if found is None else messages.floats(memoryview(found[0] if len(found) == 1 else b"".join(found)))

    def unused(self, name: str) -> str:
        """This, or something like it, with which no value's name and no constant's begins."""
        names = [*self._inputs, *self.constants, *(output for node in self.nodes for output in node.outputs)]
        while any(each.startswith(name) for each in names):
            name += "_"
        return name

    def keep(self, name: str, values: Array) -> str:
        """Adds a constant under a name that is like this one and unused, and returns that."""
        name = self.unused(name)
        self.constants[name] = messages.tensor(name, values)
        self.changed = True
        return name

    def replace(self, old: Node, *new: Node) -> None:
        """Puts nodes in the place of one."""
        at = self.nodes.index(old)
        self.nodes[at : at + 1] = new
        self.changed = True

    def onnx(self) -> bytes:
        """The model."""
        used = {name for node in self.nodes for name in node.inputs} | set(self.outputs)
        parts: list[Piece] = [entry(NODE, _written(node)) for node in self.nodes]
        parts += messages.all_tensors([*tensor] for name, tensor in self.constants.items() if name in used)
        parts += [entry(VALUE_INFO, messages.variable(name, shape)) for name, shape in self.shapes.items()]
        return b"".join([*self._around, *nested(GRAPH, [*self._within, *parts])])


def read(data: bytes) -> Graph:
    """Reads a model. Nodes that only pass something on, or hold a constant, are drawn into those that use them.

    Raises:
        Strange: it has functions of its own, networks within nodes, constants in other files, or very many nodes; or it is damaged.
    """
    try:
        return _read(data)
    except (IndexError, UnicodeDecodeError) as error:
        raise Strange(f"no ONNX file: {error}") from error


def _read(data: bytes) -> Graph:
    top = list(fields(memoryview(data)))
    parts = [part for each in top if each.number == GRAPH for part in fields(each.value)]
    if any(each.number == _FUNCTIONS for each in top) or any(part.number == _SPARSE for part in parts):
        raise Strange("functions of its own, or sparse constants")
    constants: dict[str, Sequence[Piece]] = {
        text(part.value, 8): [part.value] for part in parts if part.number == TENSOR
    }
    for (tensor,) in constants.values():
        _check_here(memoryview(tensor))
    inputs = [part for part in parts if part.number == INPUT and text(part.value, 1) not in constants]
    rest = [part for part in parts if part.number not in (NODE, TENSOR, INPUT, VALUE_INFO)]
    graph = Graph(
        nodes=[_read_node(part.value) for part in parts if part.number == NODE],
        outputs=[text(part.value, 1) for part in parts if part.number == OUTPUT],
        constants=constants,
        shapes={},
        _inputs=[text(part.value, 1) for part in inputs],
        _around=[each.raw for each in top if each.number != GRAPH],
        _within=[part.raw for part in (*inputs, *rest)],
    )
    _check(graph)
    _tidy(graph)
    return graph


def _check_here(tensor: memoryview) -> None:
    if any(part.number == _ELSEWHERE for part in fields(tensor)):
        raise Strange("constants in other files")


def _check(graph: Graph) -> None:
    """Refuses what is no network, in which whoever changes it might go round in circles."""
    if len(graph.nodes) > _MOST_NODES:
        raise Strange(f"{len(graph.nodes)} nodes, more than {_MOST_NODES}")
    known = {*graph._inputs, *graph.constants}
    for node in graph.nodes:
        needed = 0 if node.domain else _NEEDED.get(node.operator, 0)
        there = len(node.inputs) >= needed and all(node.inputs[:needed]) and known.issuperset(filter(None, node.inputs))
        if not there or not node.outputs or not known.isdisjoint(node.outputs):
            raise Strange(f"a node {node.operator!r} without its inputs, or without an output of its own")
        known |= set(filter(None, node.outputs))


def _tidy(graph: Graph) -> None:
    """Draws in nodes that hold a constant, and those that pass on what is not the network's output."""
    passed: dict[str, str] = {}
    kept = []
    for node in graph.nodes:
        node.inputs = [passed.get(name, name) for name in node.inputs]
        held = node.attributes.get("value") if node.is_a("Constant") else None
        tensor = next((part.value for part in fields(held) if part.number == 5), None) if held is not None else None
        if tensor is not None and node.output not in graph.outputs:
            _check_here(tensor)
            name = node.output
            unnamed = [part.raw for part in fields(tensor) if part.number != 8]
            graph.constants[name] = [*unnamed, entry(8, name)]
        elif node.is_a("Identity") and node.output not in graph.outputs:
            passed[node.output] = node.inputs[0]
        else:
            kept.append(node)
    graph.nodes = kept


def _read_node(message: memoryview) -> Node:
    found: dict[int, list[memoryview]] = {}
    for part in fields(message):
        found.setdefault(part.number, []).append(part.value)
    said = [(attribute, list(fields(attribute))) for attribute in found.get(ATTRIBUTE, [])]
    if any(part.number in _SUBGRAPHS for _, parts in said for part in parts):
        raise Strange("networks within nodes")

    def words(number: int) -> list[str]:
        return [bytes(value).decode("utf-8") for value in found.get(number, [])]

    return Node(
        operator=words(4)[-1] if 4 in found else "",
        inputs=words(1),
        outputs=words(2),
        attributes={
            bytes(part.value).decode("utf-8"): attribute
            for attribute, parts in said
            for part in parts
            if part.number == 1
        },
        domain=words(7)[-1] if 7 in found else "",
        name=words(3)[-1] if 3 in found else "",
    )


def _written(node: Node) -> bytes:
    named = [entry(1, name) for name in node.inputs] + [entry(2, name) for name in node.outputs]
    said = [entry(ATTRIBUTE, bytes(attribute)) for attribute in node.attributes.values()]
    return b"".join([*named, entry(3, node.name), entry(4, node.operator), entry(7, node.domain), *said])
