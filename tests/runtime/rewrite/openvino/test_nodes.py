"""Nodes are looked at, made and replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from shizi.runtime.rewrite.openvino.nodes import constant, pointwise, replace, source
from tests.runtime.rewrite.openvino.networks import kinds, run

if TYPE_CHECKING:
    import openvino


@pytest.fixture(autouse=True)
def loaded(core: openvino.Core) -> openvino.Core:
    """What builds nodes must be loaded as the runtime loads it."""
    return core


def summed(kind: type[np.generic]) -> openvino.Node:
    """A picture and a constant of this type."""
    import openvino.opset13 as ops

    values = np.array([1.5, -2.25]).astype(kind)
    return ops.add(ops.parameter([-1, 2], kind), ops.constant(values))


def test_a_constant_is_found_with_its_values() -> None:
    values = constant(summed(np.float32), 1)
    assert values is not None
    assert values.dtype == np.float32
    assert values.tolist() == [1.5, -2.25]


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int32])
def test_a_constant_of_another_type_is_none(kind: type[np.generic]) -> None:
    """What is made of it would be float32, and would not fit the rest of the network."""
    assert constant(summed(kind), 1) is None


def test_what_comes_from_outside_is_no_constant() -> None:
    node = summed(np.float32)
    assert constant(node, 0) is None
    assert source(node, 0).get_type_name() == "Parameter"
    assert source(node, 1).get_type_name() == "Constant"


def test_a_pointwise_convolution_is_a_product_for_each_pixel(core: openvino.Core) -> None:
    import openvino
    import openvino.opset13 as ops

    random = np.random.default_rng(4)
    weights, bias = (random.standard_normal(shape).astype(np.float32) for shape in ((5, 3), (5,)))
    picture = random.standard_normal((2, 3, 4, 6)).astype(np.float32)
    for matrix in (weights, weights[:, :, None, None]):
        entry = ops.parameter([-1, 3, -1, -1], np.float32)
        model = openvino.Model([pointwise(entry, matrix, bias).output(0)], [entry], "drawn")
        expected = np.einsum("oi,bihw->bohw", weights, picture) + bias[:, None, None]
        assert run(core, model, picture)[0] == pytest.approx(expected, abs=1e-5)


def test_all_users_of_a_node_get_the_new_one(core: openvino.Core) -> None:
    import openvino
    import openvino.opset13 as ops

    entry = ops.parameter([-1], np.float32)
    old = ops.exp(entry)
    model = openvino.Model([old.output(0), ops.add(old, ops.sqrt(old)).output(0)], [entry], "drawn")
    replace(old, ops.abs(entry))
    assert "Exp" not in kinds(model)
    first, second = run(core, model, np.array([-4, 9], dtype=np.float32))
    assert (first.tolist(), second.tolist()) == ([4, 9], [6, 12])
