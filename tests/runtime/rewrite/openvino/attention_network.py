"""A network with attention over the columns of a picture of one row, as a test wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import openvino

HEADS, CHANNELS, OUTPUTS = 4, 3, 5
WIDE = HEADS * CHANNELS


@dataclass(frozen=True, slots=True)
class Attention:
    """How one is written down.

    Attributes:
        rows: of the picture.
        drop: how the row is dropped: "measured" (a shape made at every run), "said" (a constant shape), "squeeze".
        order: to which queries, keys and values are turned before they are parted.
        step: of the slices that part them.
        scale: of the queries; None for none; an empty tuple for one number a channel.
        queries: whether anything else looks at them.
        shift: shape of the normalization's last step, -1 for the channels.
        turned: whether the products' weights are turned at every run.
        swapped: whether the picture comes first where tokens are added to it.
    """

    rows: int = 1
    drop: str = "measured"
    order: tuple[int, ...] = (2, 0, 3, 1, 4)
    step: int = 1
    scale: float | tuple[()] | None = 0.5
    queries: bool = False
    shift: tuple[int, ...] = (-1,)
    turned: bool = False
    swapped: bool = False


def network(how: Attention, seed: int = 4) -> openvino.Model:
    """(B, WIDE, rows, W) to (B, W, OUTPUTS): normalized, attended to, added to itself as a picture, and multiplied."""
    import openvino
    import openvino.opset13 as ops

    random = np.random.default_rng(seed)
    rows = how.rows if how.rows > 0 else -1
    picture = ops.parameter([-1, WIDE, rows, -1], np.float32)
    tokens = ops.transpose(_dropped(picture, how), whole(0, 2, 1))
    product = _product(_normalized(tokens, how, random), 3 * WIDE, how, random)
    heads, queries = _attended(product, how)
    summed = ops.add(tokens, _product(heads, WIDE, how, random))
    columns = ops.gather(ops.shape_of(picture), whole(3), number(0))
    shape = ops.concat([whole(0), whole(1), columns, whole(WIDE)], 0)
    back = ops.transpose(ops.reshape(summed, shape, special_zero=True), whole(0, 3, 1, 2))
    relu = ops.relu(picture)
    added = ops.add(relu, back) if how.swapped else ops.add(back, relu)
    end = ops.transpose(ops.squeeze(added, whole(2)), whole(0, 2, 1))
    outputs = [_product(end, OUTPUTS, how, random)] + [queries] * how.queries
    return openvino.Model([node.output(0) for node in outputs], [picture], "drawn")


def whole(*values: int) -> openvino.Node:
    import openvino.opset13 as ops

    return ops.constant(np.array(values, dtype=np.int64))


def number(value: int) -> openvino.Node:
    import openvino.opset13 as ops

    return ops.constant(np.array(value, dtype=np.int64))


def _dropped(picture: openvino.Node, how: Attention) -> openvino.Node:
    import openvino.opset13 as ops

    if how.drop == "squeeze":
        return ops.squeeze(picture, whole(2))
    if how.drop == "said":
        return ops.reshape(picture, whole(0, WIDE * how.rows, -1), special_zero=True)
    first = ops.slice(ops.shape_of(picture), whole(0), whole(2), whole(1), whole(0))
    return ops.reshape(picture, ops.concat([first, whole(-1)], 0), special_zero=False)


def _normalized(tokens: openvino.Node, how: Attention, random: np.random.Generator) -> openvino.Node:
    import openvino.opset13 as ops

    mean = ops.reduce_mean(tokens, whole(-1), keep_dims=True)
    off = ops.subtract(tokens, mean)
    deviation = ops.sqrt(ops.reduce_mean(ops.multiply(off, off), whole(-1), keep_dims=True))
    scale, shift = (_drawn(random, *(WIDE if side < 0 else side for side in how.shift)) for _ in range(2))
    unit = ops.divide(off, ops.add(deviation, ops.constant(np.float32(1e-3))))
    return ops.add(ops.multiply(unit, scale), shift)


def _product(inputs: openvino.Node, outputs: int, how: Attention, random: np.random.Generator) -> openvino.Node:
    import openvino.opset13 as ops

    weights = _drawn(random, *((outputs, WIDE) if how.turned else (WIDE, outputs)))
    return ops.add(ops.matmul(inputs, weights, False, how.turned), _drawn(random, outputs))


def _attended(product: openvino.Node, how: Attention) -> tuple[openvino.Node, openvino.Node]:
    """The product of attention, and the queries."""
    import openvino.opset13 as ops

    apart = ops.reshape(product, whole(0, -1, 3, HEADS, CHANNELS), special_zero=True)
    turned = ops.transpose(apart, whole(*how.order))

    def part(index: int) -> openvino.Node:
        taken = ops.slice(turned, whole(index), whole(index + how.step), whole(how.step), whole(0))
        return ops.squeeze(taken, whole(0))

    queries = scaled = part(0)
    if how.scale is not None:
        factor = np.linspace(0.1, 1, CHANNELS) if isinstance(how.scale, tuple) else np.array([how.scale])
        scaled = ops.multiply(queries, ops.constant(factor.astype(np.float32)))
    score = ops.matmul(scaled, part(1), False, True)
    heads = ops.matmul(ops.softmax(score, -1), part(2), False, False)
    return ops.reshape(ops.transpose(heads, whole(0, 2, 1, 3)), whole(0, -1, WIDE), special_zero=True), queries


def _drawn(random: np.random.Generator, *shape: int) -> openvino.Node:
    import openvino.opset13 as ops

    return ops.constant(random.standard_normal(shape).astype(np.float32))
