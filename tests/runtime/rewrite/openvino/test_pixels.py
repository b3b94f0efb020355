"""A network that takes pixels computes what it computed of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shizi.runtime.normalization import Normalization
from shizi.runtime.rewrite.openvino.pixels import take_pixels
from tests.runtime.rewrite.openvino.networks import Array, run

if TYPE_CHECKING:
    import openvino

BGR = Normalization(True, (1 / 127.5,) * 3, (-1.0,) * 3)
OWN = Normalization(True, (0.01, 0.02, 0.03), (-1.0, -2.0, 0.5))


def network(first: str = "convolution") -> openvino.Model:
    """(B, 3, H, W) through one layer."""
    import openvino
    import openvino.opset13 as ops

    weights = np.random.default_rng(1).standard_normal((4, 3, 3, 3)).astype(np.float32)
    numbers = ops.parameter([-1, 3, -1, -1], np.float32)
    node = numbers if first == "convolution" else ops.relu(numbers)
    made = ops.convolution(node, ops.constant(weights), [2, 2], [1, 1], [1, 1], [1, 1])
    seen = [made, ops.tanh(numbers)] if first == "two" else [made]
    return openvino.Model([each.output(0) for each in seen], [numbers], "drawn")


def pictures(seed: int = 2) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (2, 9, 14, 3), dtype=np.uint8)


def of_pixels(core: openvino.Core, model: openvino.Model, seen: NDArray[np.uint8]) -> list[Array]:
    request = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    request.infer([seen])
    return [np.array(request.get_output_tensor(at).data) for at in range(len(model.outputs))]


@pytest.mark.parametrize("rule", [BGR, OWN, Normalization(False, (0.5,) * 3, (0.0,) * 3)], ids=str)
@pytest.mark.parametrize("first", ["convolution", "relu", "two"])
def test_what_comes_out_is_the_same(core: openvino.Core, first: str, rule: Normalization) -> None:
    wanted = run(core, network(first), rule.of_pictures(pictures()))
    found = of_pixels(core, take_pixels(network(first), rule), pictures())
    assert len(wanted) == len(found)
    for one, other in zip(wanted, found, strict=True):
        assert other == pytest.approx(one, abs=1e-4)


@settings(max_examples=20)
@given(
    st.booleans(),
    st.lists(st.floats(-0.125, 0.125, width=32), min_size=3, max_size=3),
    st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3),
    st.integers(0, 99),
)
def test_so_does_any_rule(
    core: openvino.Core, reverse: bool, scale: list[float], shift: list[float], seed: int
) -> None:
    rule = Normalization(reverse, (scale[0], scale[1], scale[2]), (shift[0], shift[1], shift[2]))
    (wanted,) = run(core, network(), rule.of_pictures(pictures(seed)))
    (found,) = of_pixels(core, take_pixels(network(), rule), pictures(seed))
    assert found == pytest.approx(wanted, abs=1e-3)


def test_a_model_of_two_inputs_takes_no_pixels() -> None:
    import openvino
    import openvino.opset13 as ops

    one, other = (ops.parameter([-1, 3, -1, -1], np.float32) for _ in range(2))
    with pytest.raises(RuntimeError, match="2"):
        take_pixels(openvino.Model([ops.add(one, other).output(0)], [one, other], "drawn"), BGR)
