"""Networks with gates as a test wants them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import openvino

INPUTS = 3


@dataclass(frozen=True, slots=True)
class Gate:
    """A convolution, a bias, a hard sigmoid.

    Attributes:
        bias: its shape, -1 for the number of outputs; None for no bias.
        slope: a number; None for one that is given anew at every run.
        kind: of the weights, the bias and the numbers.
        between: what stands between the bias and the hard sigmoid.
        reshaped: the bias comes by way of a reshape.
    """

    outputs: int = 5
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    pads: tuple[int, int] = (0, 0)
    padding: str = "explicit"
    bias: tuple[int, ...] | None = (1, -1, 1, 1)
    slope: float | None = 0.2
    shift: float | None = 0.5
    kind: type[np.floating] = np.float32
    between: str = ""
    reshaped: bool = False
    bias_first: bool = False
    groups: bool = False
    seed: int = 8


def hard_sigmoid(node: openvino.Node, gate: Gate, given_anew: openvino.Node) -> openvino.Node:
    import openvino.opset13 as ops

    def number(value: float | None) -> openvino.Node:
        return given_anew if value is None else ops.constant(np.array(value, dtype=gate.kind))

    return ops.hard_sigmoid(node, number(gate.slope), number(gate.shift))


def layer(inputs: openvino.Node, gate: Gate) -> openvino.Node:
    """The convolution and its bias."""
    import openvino.opset13 as ops

    random = np.random.default_rng(gate.seed)
    grouping = (INPUTS, gate.outputs, 1) if gate.groups else (gate.outputs, INPUTS)
    weights = ops.constant((2 * random.standard_normal((*grouping, *gate.kernel))).astype(gate.kind))
    convolve = ops.group_convolution if gate.groups else ops.convolution
    strides, pads = list(gate.strides), list(gate.pads)
    node = convolve(inputs, weights, strides, pads, pads, [1, 1], auto_pad=gate.padding)
    if gate.bias is not None:
        values = 2 * random.standard_normal([gate.outputs if side < 0 else side for side in gate.bias])
        bias = ops.constant(values.astype(gate.kind))
        if gate.reshaped:
            bias = ops.reshape(bias, ops.constant(np.array([1, -1, 1, 1])), special_zero=False)
        node = ops.add(bias, node) if gate.bias_first else ops.add(node, bias)
    return getattr(ops, gate.between)(node) if gate.between else node


def network(*gates: Gate, seen: bool = False) -> openvino.Model:
    """(B, 3, H, W) through each of the gates; what each makes of the picture is an output, and before its gate too if `seen`."""
    import openvino
    import openvino.opset13 as ops

    picture = ops.parameter([-1, INPUTS, -1, -1], np.float32)
    given_anew = ops.parameter([], np.float32)
    outputs: list[openvino.Node] = []
    for gate in gates:
        half = gate.kind == np.float16
        before = layer(ops.convert(picture, "f16") if half else picture, gate)
        gated = hard_sigmoid(before, gate, given_anew)
        outputs.append(ops.convert(gated, "f32") if half else gated)
        if seen:
            outputs += [before, ops.multiply(before, gated)]
    needed = [picture] + [given_anew] * any(None in (gate.slope, gate.shift) for gate in gates)
    return openvino.Model([node.output(0) for node in outputs], needed, "drawn")


def residual(gate: Gate, *, swapped: bool = False, other: str = "") -> openvino.Model:
    """(B, 3, H, W): the picture and its gated self added; `other` is what differs from that."""
    import openvino
    import openvino.opset13 as ops

    picture = ops.parameter([-1, INPUTS, -1, -1], np.float32)
    same = replace(gate, outputs=INPUTS)
    gated = hard_sigmoid(layer(picture, same), same, picture)
    whole = ops.relu(picture) if other == "picture" else picture
    product = ops.multiply(gated, picture) if swapped else ops.multiply(picture, gated)
    second = ops.relu(product) if other == "third" else product
    added = ops.add(second, whole) if swapped else ops.add(whole, second)
    seen = [added] + [ops.relu(product)] * (other == "product")
    return openvino.Model([node.output(0) for node in seen], [picture], "drawn")
