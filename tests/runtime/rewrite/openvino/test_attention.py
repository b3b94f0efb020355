"""Attention in fewer steps computes the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from shizi.runtime.rewrite.openvino.attention import fold_norms, split_heads
from tests.runtime.rewrite.openvino.attention_network import WIDE, Attention, network
from tests.runtime.rewrite.openvino.networks import Array, kinds, run

if TYPE_CHECKING:
    import openvino

    Rewrite = Callable[[openvino.Model], openvino.Model]

PLAIN = Attention()


def picture(lines: int = 2, columns: int = 7) -> Array:
    return np.random.default_rng(5).standard_normal((lines, WIDE, 1, columns)).astype(np.float32)


def rewritten(core: openvino.Core, how: Attention, change: Rewrite, batch: Array) -> tuple[list[str], list[str]]:
    """The kinds of nodes before and after, when it computes the same."""
    model = network(how)
    nodes, before = kinds(model), run(core, model, batch)
    assert change(model) is model
    model.validate_nodes_and_infer_types()
    for one, other in zip(before, run(core, model, batch), strict=True):
        assert other == pytest.approx(one, rel=1e-4, abs=1e-4)
    return nodes, kinds(model)


@pytest.mark.parametrize("how", [PLAIN, Attention(shift=(1, 1, -1)), Attention(queries=True)], ids=str)
@pytest.mark.parametrize(("lines", "columns"), [(2, 7), (1, 1)])
def test_a_norms_last_steps_go_into_the_product_after_it(
    core: openvino.Core, how: Attention, lines: int, columns: int
) -> None:
    before, after = rewritten(core, how, fold_norms, picture(lines, columns))
    assert before.count("Multiply") - after.count("Multiply") == 1
    assert before.count("Add") == after.count("Add")  # the runtime draws one shift into the other


@pytest.mark.parametrize("how", [Attention(shift=(1,)), Attention(turned=True)], ids=str)
def test_other_norms_and_products_stay_as_they_are(core: openvino.Core, how: Attention) -> None:
    before, after = rewritten(core, how, fold_norms, picture())
    assert before == after


@pytest.mark.parametrize("scale", [0.5, -3.0, None, ()])
@pytest.mark.parametrize(("lines", "columns"), [(2, 7), (1, 1)])
def test_queries_keys_and_values_are_parted_by_one_step(
    core: openvino.Core, scale: float | tuple[()] | None, lines: int, columns: int
) -> None:
    before, after = rewritten(core, Attention(scale=scale), split_heads, picture(lines, columns))
    assert before.count("Slice") - after.count("Slice") == 3
    assert before.count("Squeeze") - after.count("Squeeze") == 3
    assert after.count("Split") == 1


def test_queries_that_others_look_at_are_scaled_after_they_are_parted(core: openvino.Core) -> None:
    before, after = rewritten(core, Attention(queries=True), split_heads, picture())
    assert (before.count("Split"), after.count("Split")) == (0, 1)


@pytest.mark.parametrize("how", [Attention(order=(2, 0, 1, 3, 4), scale=None), Attention(step=2)], ids=str)
def test_what_is_parted_otherwise_stays_as_it_is(how: Attention) -> None:
    model = network(how)
    nodes = kinds(model)
    assert kinds(split_heads(model)) == nodes


@pytest.mark.parametrize("last", [1, -1])
def test_a_scale_that_stretches_what_it_meets_stays_as_it_is(core: openvino.Core, last: int) -> None:
    """As of positions turned into features."""
    import openvino
    import openvino.opset13 as ops

    given_positions = ops.parameter([-1, -1, last], np.float32)
    row = ops.constant(np.arange(8, dtype=np.float32))
    features = ops.add(ops.multiply(given_positions, row), row)
    product = ops.matmul(features, ops.constant(np.ones((8, 3), dtype=np.float32)), False, False)
    model = openvino.Model([product.output(0)], [given_positions], "drawn")
    batch = np.ones((2, 5, 1), dtype=np.float32)
    nodes, (before,) = kinds(model), run(core, model, batch)
    assert kinds(fold_norms(model)) == nodes
    assert run(core, model, batch)[0] == pytest.approx(before)
