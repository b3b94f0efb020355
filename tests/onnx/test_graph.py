"""A graph is read, changed and written, and what is no network is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.onnx.graph import Graph, Node, Strange, read
from shizi.onnx.messages import attribute, tensor
from shizi.onnx.wire import entry
from tests.onnx.network import Network, pictures, run
from tests.runtime.onnx_file import FLOAT, INT64, model, node
from tests.runtime.onnx_file import tensor as packed


def kinds(graph: Graph) -> list[str]:
    return [node.operator for node in graph.nodes]


def small() -> bytes:
    drawn = Network()
    made = drawn.conv("x", 3, 5, 3, bias="after", said={"strides": (2, 1)})
    return drawn.onnx(drawn.add("HardSigmoid", [made], {"alpha": 0.25, "beta": 0.5}))


def test_what_is_read_is_written_as_it_was() -> None:
    graph = read(small())
    assert kinds(graph) == ["Conv", "Add", "HardSigmoid"]
    assert run(graph.onnx(), pictures(2, 3, 6, 7))[0].tolist() == run(small(), pictures(2, 3, 6, 7))[0].tolist()
    assert read(graph.onnx()).onnx() == graph.onnx()


def test_attributes_are_read_as_they_were_said() -> None:
    conv, _, gate = read(small()).nodes
    assert conv.numbers("strides") == [2, 1]
    assert conv.numbers("dilations") == []
    assert gate.fraction("alpha", 1.0) == 0.25
    assert gate.fraction("gamma", 7.0) == 7.0
    assert conv.name.startswith("Conv.")


def test_text_is_an_attribute_too() -> None:
    drawn = Network()
    graph = read(drawn.onnx(drawn.add("MaxPool", ["x"], {"kernel_shape": (2, 2), "auto_pad": "SAME_UPPER"})))
    assert graph.nodes[0].word("auto_pad") == "SAME_UPPER"
    assert graph.nodes[0].word("mode") == ""


def test_nodes_that_pass_on_are_drawn_in() -> None:
    drawn = Network()
    same = drawn.add("Identity", [drawn.add("Identity", ["x"])])
    graph = read(drawn.onnx(drawn.add("Relu", [same])))
    assert kinds(graph) == ["Relu"]
    assert graph.nodes[0].inputs == ["x"]


def test_one_that_passes_on_the_output_stays() -> None:
    drawn = Network()
    graph = read(drawn.onnx(drawn.add("Identity", [drawn.add("Relu", ["x"])])))
    assert kinds(graph) == ["Relu", "Identity"]
    assert run(graph.onnx(), pictures(1, 1, 2, 2))[0] == pytest.approx(np.maximum(pictures(1, 1, 2, 2), 0))


def test_constants_of_nodes_are_constants() -> None:
    held = entry(1, "value") + entry(5, b"".join(map(bytes, tensor("other name", np.array([3.0], dtype=np.float32)))))
    constant = entry(2, "three") + entry(4, "Constant") + entry(5, held + entry(20, 4))
    graph = read(model([constant, node("Mul", ["x", "three"], "y")]))
    assert kinds(graph) == ["Mul"]
    found = graph.constant("three")
    assert found is not None
    assert found.tolist() == [3.0]
    assert run(graph.onnx(), np.full((1, 1, 1, 2), 2, dtype=np.float32))[0].ravel().tolist() == [6.0, 6.0]


def test_constants_that_are_listed_as_inputs_are_none() -> None:
    content = model([node("Mul", ["x", "two"], "y")], [packed("two", [2.0], FLOAT)])
    listed = read(content + entry(7, entry(11, entry(1, "two"))))
    assert listed.onnx().count(entry(1, "two")) == 1  # as the node's input


def test_only_floats_are_given_as_constants() -> None:
    graph = read(model([node("Mul", ["x", "two"], "y")], [packed("two", [2.0], FLOAT), packed("whole", [2], INT64)]))
    assert graph.constant("two") is not None
    assert graph.constant("whole") is graph.constant("x") is None


def test_constants_that_nobody_needs_are_left_out() -> None:
    graph = read(model([node("Mul", ["x", "two"], "y")], [packed("two", [2.0], FLOAT), packed("seven", [7.0], FLOAT)]))
    assert b"two" in graph.onnx()
    assert b"seven" not in graph.onnx()


def test_a_kept_constant_takes_nobodys_name() -> None:
    graph = read(model([node("Mul", ["x", "two"], "y")], [packed("two", [2.0], FLOAT)]))
    names = [graph.keep(name, np.ones(3, dtype=np.float32)) for name in ("two", "two", "y", "x", "new")]
    assert names == ["two_", "two__", "y_", "x_", "new"]
    assert graph.unused("t") == "t_"  # with which nothing begins
    assert graph.changed


def test_the_only_user_is_known() -> None:
    drawn = Network()
    first = drawn.add("Relu", ["x"])
    twice = drawn.add("Mul", [first, first])
    once = drawn.add("Sigmoid", [twice])
    graph = read(drawn.onnx(once))
    assert graph.only_user(first) is None
    assert graph.only_user(twice) is graph.nodes[2]
    assert graph.only_user(once) is None
    assert read(drawn.onnx(once, twice)).only_user(twice) is None
    assert graph.maker(twice) is graph.nodes[1]
    assert graph.maker("x") is None
    assert graph.users(first) == [graph.nodes[1]]


def test_nodes_are_put_in_the_place_of_one() -> None:
    drawn = Network()
    graph = read(drawn.onnx(drawn.add("Sigmoid", [drawn.add("Relu", ["x"])])))
    relu, sigmoid = graph.nodes
    graph.replace(relu, Node("Neg", ["x"], ["n"]), Node("Relu", ["n"], relu.outputs))
    assert kinds(graph) == ["Neg", "Relu", "Sigmoid"]
    assert graph.nodes[2] is sigmoid
    expected = 1 / (1 + np.exp(-np.maximum(-pictures(1, 1, 2, 3), 0)))
    assert run(graph.onnx(), pictures(1, 1, 2, 3))[0] == pytest.approx(expected, abs=1e-6)


def test_an_operator_of_another_domain_is_another_one() -> None:
    drawn = Network()
    graph = read(drawn.onnx(drawn.add("Relu", ["x"], domain="example.com"), drawn.add("MaxPool", ["x"], outputs=2)))
    assert not graph.nodes[0].is_a("Relu")
    assert not graph.nodes[1].is_a("MaxPool")


ELSEWHERE = (
    entry(1, 1) + entry(2, FLOAT) + entry(8, "w") + entry(13, entry(1, "location") + entry(2, "w.bin")) + entry(14, 1)
)
WITHIN = (
    entry(2, "y") + entry(4, "If") + entry(1, "x") + entry(5, entry(1, "then_branch") + entry(6, b"") + entry(20, 5))
)


HELD = entry(1, "value") + entry(5, ELSEWHERE) + entry(20, 4)


@pytest.mark.parametrize(
    "content",
    [
        model([node("Mul", ["x", "w"], "y")], [ELSEWHERE]),
        model([WITHIN]),
        model([node("Relu", ["x"], "y")]) + entry(25, entry(1, "f")),
        model([node("Relu", ["x"], "y")]) + entry(7, entry(15, b"")),
        model([node("Relu", ["z"], "y"), node("Relu", ["x"], "z")]),
        model([node("Add", ["y", "x"], "z"), node("Add", ["z", "x"], "y")]),
        model([node("Conv", ["x"], "y")]),
        model([node("Conv", ["", "x"], "y")]),
        model([node("Relu", [], "y")]),
        model([node("Relu", ["x"], "z"), node("Neg", ["x"], "z"), node("Relu", ["z"], "y")]),
        model([node("Relu", ["x"], "x")]),
        model([entry(2, "w") + entry(4, "Constant") + entry(5, HELD), node("Mul", ["x", "w"], "y")]),
        model([node("Relu", ["x"], "y")] + [node("Relu", ["y"], f"y{number}") for number in range(5000)]),
        model([entry(1, "x") + entry(4, "Relu")]),
    ],
    ids=[
        "other files",
        "if",
        "functions",
        "sparse",
        "order",
        "circle",
        "one input",
        "no first",
        "none",
        "twice",
        "itself",
        "node with another file",
        "many",
        "no output",
    ],
)
def test_what_cannot_be_changed_is_said_to_be_strange(content: bytes) -> None:
    with pytest.raises(Strange):
        read(content)


@given(st.binary(max_size=200))
def test_what_is_no_file_is_refused_or_has_no_nodes(content: bytes) -> None:
    try:
        graph = read(content)
    except Strange:
        return
    assert isinstance(graph.onnx(), bytes)


@given(st.integers(0, len(small())), st.integers(0, 255))
def test_a_damaged_file_is_refused_or_read(at: int, byte: int) -> None:
    content = bytearray(small())
    content[at : at + 1] = bytes([byte])
    try:
        graph = read(bytes(content))
    except Strange:
        return
    assert isinstance(graph.onnx(), bytes)


def test_numbers_and_texts_of_attributes_are_written() -> None:
    assert attribute("axis", 1) == bytes.fromhex("0a04617869731801a00102")
    assert attribute("mode", "DCR") == bytes.fromhex("0a046d6f64652203444352a00103")
    assert attribute("pads", (1, 0)) == bytes.fromhex("0a047061647340014000a00107")
