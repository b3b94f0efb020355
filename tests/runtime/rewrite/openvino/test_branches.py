"""A convolution of two branches, and the sum of two convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from shizi.runtime.rewrite.openvino.branches import add_branches
from tests.runtime.rewrite.openvino.networks import Array, detector, drawn_picture, kinds, run

if TYPE_CHECKING:
    import openvino

CHANNELS = 6


def network(
    branches: int = 2, kernel: int = 3, strides: Sequence[int] = (1, 1), axis: int = 1, padding: str = "explicit"
) -> openvino.Model:
    """(B, 6, H, W) by way of some branches, of 2, 4, 6, … channels, through one convolution."""
    import openvino
    import openvino.opset13 as ops

    random = np.random.default_rng(4)

    def weights(outputs: int, inputs: int, side: int) -> openvino.Node:
        return ops.constant(random.standard_normal((outputs, inputs, side, side)).astype(np.float32))

    picture = ops.parameter([-1, CHANNELS, -1, -1], np.float32)
    widths = [2 * (number + 1) if axis in (1, -3) else 2 for number in range(branches)]
    parts = [
        ops.relu(ops.convolution(picture, weights(w, CHANNELS, 1), [1, 1], [0, 0], [0, 0], [1, 1])) for w in widths
    ]
    joined = ops.concat(parts, axis)
    inputs = sum(widths) if axis in (1, -3) else 2
    before, after = ([1, 2], [0, 1]) if kernel > 1 else ([0, 0], [0, 0])
    last = ops.convolution(joined, weights(5, inputs, kernel), list(strides), before, after, [1, 1], auto_pad=padding)
    return openvino.Model([last.output(0)], [picture], "drawn")


def picture(height: int = 7, width: int = 10) -> Array:
    return np.random.default_rng(5).standard_normal((2, CHANNELS, height, width)).astype(np.float32)


@pytest.mark.parametrize("axis", [1, -3])
@pytest.mark.parametrize("strides", [(1, 1), (2, 1)])
@pytest.mark.parametrize(("kernel", "padding"), [(2, "explicit"), (3, "explicit"), (2, "same_upper"), (3, "valid")])
def test_two_branches_are_convolved_apart(
    core: openvino.Core, kernel: int, padding: str, strides: Sequence[int], axis: int
) -> None:
    model = network(kernel=kernel, strides=strides, axis=axis, padding=padding)
    (before,) = run(core, model, picture())
    assert add_branches(model) is model
    assert "Concat" not in kinds(model)
    (after,) = run(core, model, picture())
    assert after.shape == before.shape
    assert after == pytest.approx(before, abs=1e-4)


@pytest.mark.parametrize(
    "drawn",
    [{"branches": 3}, {"branches": 1}, {"kernel": 1}, {"axis": 2}],
    ids=str,
)
def test_others_stay_as_they_are(drawn: dict[str, Any]) -> None:
    model = network(**drawn)
    nodes = kinds(model)
    assert "Concat" in nodes
    assert kinds(add_branches(model)) == nodes


@pytest.mark.parametrize("dimensions", [1, 3])
def test_lines_and_volumes_stay_as_they_are(dimensions: int) -> None:
    import openvino
    import openvino.opset13 as ops

    given = ops.parameter([1, CHANNELS] + [8] * dimensions, np.float32)
    joined = ops.concat([given, ops.relu(given)], -3 if dimensions == 3 else 1)
    channels = CHANNELS if dimensions == 3 else 2 * CHANNELS
    weights = ops.constant(np.ones((5, channels, *[3] * dimensions), dtype=np.float32))
    zeros, ones = [0] * dimensions, [1] * dimensions
    last = ops.convolution(joined, weights, ones, zeros, zeros, ones)
    model = openvino.Model([last.output(0)], [given], "drawn")
    nodes = kinds(model)
    assert kinds(add_branches(model)) == nodes


def test_the_default_detector_has_one_such_place(core: openvino.Core) -> None:
    model, drawn = detector(core), drawn_picture()
    (before,) = run(core, model, drawn)
    joined = kinds(model).count("Concat")
    assert joined - kinds(add_branches(model)).count("Concat") == 1
    assert run(core, model, drawn)[0] == pytest.approx(before, abs=1e-4)
