"""Gates drawn into the convolutions before them compute the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shizi.runtime.base import SessionOptions
from shizi.runtime.choose import load_runtime
from shizi.runtime.openvino import OpenVinoRuntime
from shizi.runtime.rewrite.openvino.gates import add_gates, clamp_gates
from tests.runtime.onnx_file import doubling
from tests.runtime.rewrite.openvino.gate_network import INPUTS, Gate, hard_sigmoid, network, residual
from tests.runtime.rewrite.openvino.networks import Array, detector, drawn_line, drawn_picture, kinds, recogniser, run

if TYPE_CHECKING:
    import openvino

PLAIN = Gate()


def picture(*shape: int, seed: int = 9) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(2, 5, 8), (1, 1, 1)])
@pytest.mark.parametrize(
    "gate",
    [
        PLAIN,
        replace(PLAIN, bias=None),
        replace(PLAIN, bias=(-1, 1, 1)),
        replace(PLAIN, bias=(1,)),
        replace(PLAIN, outputs=1),
        replace(PLAIN, outputs=1, bias=(1, 1, 1, 1)),
        replace(PLAIN, outputs=64),
        replace(PLAIN, slope=-0.4, shift=0.1),
        replace(PLAIN, slope=1 / 6),
    ],
    ids=str,
)
def test_a_gate_after_a_pointwise_convolution_is_a_clamp(
    core: openvino.Core, gate: Gate, shape: tuple[int, int, int]
) -> None:
    batch = picture(shape[0], INPUTS, *shape[1:])
    model = network(gate)
    (before,) = run(core, model, batch)
    assert clamp_gates(model) is model
    assert "HardSigmoid" not in kinds(model)
    assert kinds(model).count("Clamp") == 1
    (after,) = run(core, model, batch)
    assert before.shape == after.shape == (shape[0], gate.outputs, *shape[1:])
    assert after == pytest.approx(before, abs=1e-5)


def test_gates_that_are_open_closed_and_between_all_stay_so(core: openvino.Core) -> None:
    batch = picture(2, INPUTS, 6, 6)
    model = network(PLAIN)
    (before,) = run(core, model, batch)
    (after,) = run(core, clamp_gates(model), batch)
    for found in (before, after):
        assert (found.min(), found.max()) == (0, 1)
        assert np.count_nonzero((found > 0.1) & (found < 0.9)) > 20
    assert np.array_equal(after == 0, before == 0)


@pytest.mark.parametrize(("slope", "shift"), [(0.0, 0.25), (0.4, 0.0), (0.0, 0.0)])
def test_a_slope_or_shift_of_0_is_one(core: openvino.Core, slope: float, shift: float) -> None:
    """OpenVINO's own hard sigmoid takes 0.2 and 0.5 for them."""
    model = clamp_gates(network(replace(PLAIN, slope=slope, shift=shift), seen=True))
    gated, before, _ = run(core, model, picture(1, INPUTS, 4, 4))
    assert gated == pytest.approx(np.clip(slope * before + shift, 0, 1), abs=1e-5)


def numbers() -> st.SearchStrategy[float]:
    """Positive and negative."""
    return st.builds(float.__mul__, st.sampled_from([-1.0, 1.0]), st.floats(2**-8, 2, width=32))


@settings(max_examples=30)
@given(
    st.builds(
        Gate,
        outputs=st.integers(1, 20),
        bias=st.sampled_from([None, (1, -1, 1, 1), (-1, 1, 1), (1,)]),
        slope=numbers(),
        shift=numbers(),
        seed=st.integers(0, 99),
    )
)
def test_any_such_gate_computes_the_same(core: openvino.Core, gate: Gate) -> None:
    batch = picture(1, INPUTS, 3, 4, seed=gate.seed)
    model = network(gate)
    (before,) = run(core, model, batch)
    (after,) = run(core, clamp_gates(model), batch)
    assert after == pytest.approx(before, abs=1e-5)
    assert "HardSigmoid" not in kinds(model)


def test_all_that_used_a_gate_use_the_clamp_and_others_still_see_the_convolution(core: openvino.Core) -> None:
    """Two gates; of each, the gate itself, what stands before it and the product of both are outputs."""
    batch = picture(2, INPUTS, 4, 5)
    model = network(PLAIN, Gate(outputs=3, slope=0.5, shift=0.1, bias=None, seed=3), seen=True)
    before = run(core, model, batch)
    after = run(core, clamp_gates(model), batch)
    assert "HardSigmoid" not in kinds(model)
    assert len(before) == len(after) == 6
    for one, other in zip(before, after, strict=True):
        assert other == pytest.approx(one, abs=1e-5)


@pytest.mark.parametrize(
    "gate",
    [
        replace(PLAIN, kernel=(3, 3)),
        replace(PLAIN, kernel=(3, 3), pads=(1, 1)),
        replace(PLAIN, kernel=(1, 3)),
        replace(PLAIN, strides=(2, 2)),
        replace(PLAIN, pads=(1, 1)),
        replace(PLAIN, padding="same_upper"),
        replace(PLAIN, groups=True, bias=None),
        replace(PLAIN, between="relu"),
        replace(PLAIN, between="sigmoid", bias=None),
        replace(PLAIN, bias=()),
        replace(PLAIN, bias=(1, 1, 1, 1)),
        replace(PLAIN, bias=(1, -1, 1, 7)),
        replace(PLAIN, bias=(7,)),
        replace(PLAIN, bias=(-1,), reshaped=True),
        replace(PLAIN, bias_first=True),
        replace(PLAIN, kind=np.float16),
    ],
    ids=str,
)
def test_another_hard_sigmoid_stays_as_it_is(core: openvino.Core, gate: Gate) -> None:
    model, batch = network(gate), picture(1, INPUTS, 5, 7)
    nodes, (before,) = kinds(model), run(core, model, batch)
    assert kinds(clamp_gates(model)) == nodes
    assert nodes.count("HardSigmoid") == 1
    assert np.array_equal(run(core, model, batch)[0], before)


@pytest.mark.parametrize("gate", [replace(PLAIN, slope=None), replace(PLAIN, shift=None)], ids=["slope", "shift"])
def test_a_hard_sigmoid_whose_numbers_are_computed_stays_as_it_is(gate: Gate) -> None:
    """Other devices may run it; the CPU refuses to."""
    load_runtime("openvino")
    assert kinds(clamp_gates(network(gate))).count("HardSigmoid") == 1


def test_a_gate_beside_one_that_stays_is_drawn_in(core: openvino.Core) -> None:
    batch, model = picture(1, INPUTS, 3, 3), network(replace(PLAIN, kernel=(3, 3)), replace(PLAIN, seed=2))
    before = run(core, model, batch)
    nodes = kinds(clamp_gates(model))
    assert (nodes.count("HardSigmoid"), nodes.count("Clamp")) == (1, 1)
    for one, other in zip(before, run(core, model, batch), strict=True):
        assert other == pytest.approx(one, abs=1e-5)


def test_a_hard_sigmoid_of_the_picture_stays_as_it_is(core: openvino.Core) -> None:
    import openvino
    import openvino.opset13 as ops

    given_picture = ops.parameter([-1, INPUTS, -1, -1], np.float32)
    gate = hard_sigmoid(given_picture, PLAIN, given_picture)
    model = openvino.Model([gate.output(0)], [given_picture], "drawn")
    assert "HardSigmoid" in kinds(clamp_gates(model))
    batch = picture(1, INPUTS, 2, 2)
    assert run(core, model, batch)[0] == pytest.approx(np.clip(0.2 * batch + 0.5, 0, 1), abs=1e-6)


def test_the_default_recogniser_keeps_no_hard_sigmoid_and_computes_the_same(core: openvino.Core) -> None:
    model, line = recogniser(core), drawn_line()
    gates = kinds(model).count("HardSigmoid")
    (before,) = run(core, model, line)
    nodes = kinds(clamp_gates(model))
    assert gates == nodes.count("Clamp") > 0
    assert "HardSigmoid" not in nodes
    (after,) = run(core, model, line)
    assert before.shape == after.shape
    assert len(np.unique(before.argmax(axis=2))) > 5  # it reads something
    assert before.max() > 0.9
    assert after == pytest.approx(before, abs=1e-5)


@pytest.mark.parametrize("few_shapes", [True, False])
def test_gates_are_drawn_in_where_a_model_meets_few_shapes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, few_shapes: bool
) -> None:
    """With ever new shapes, a detector's gates cost next to nothing."""
    rewritten: list[str] = []

    def noting(change: Callable[[openvino.Model], openvino.Model]) -> Callable[[openvino.Model], openvino.Model]:
        def changed(model: openvino.Model) -> openvino.Model:
            rewritten.append(model.get_parameters()[0].get_friendly_name())
            return change(model)

        return changed

    monkeypatch.setattr("shizi.runtime.openvino.clamp_gates", noting(clamp_gates))
    session = OpenVinoRuntime().load(doubling(tmp_path / "m.onnx"), SessionOptions(1, few_shapes=few_shapes))
    assert session.run(np.ones((1, 1, 1, 1), dtype=np.float32), np.max) == 2
    assert rewritten == (["x"] if few_shapes else [])


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("gate", [PLAIN, replace(PLAIN, bias=None), replace(PLAIN, slope=-0.4, shift=0.1)], ids=str)
def test_a_picture_and_its_gated_self_are_a_product(core: openvino.Core, gate: Gate, swapped: bool) -> None:
    model, batch = residual(gate, swapped=swapped), picture(2, INPUTS, 5, 8)
    before = run(core, model, batch)
    assert add_gates(model) is model
    after = run(core, model, batch)
    assert kinds(model).count("Multiply") == 1
    assert "HardSigmoid" not in kinds(model)
    assert after[0] == pytest.approx(before[0], abs=1e-5)
    assert not np.allclose(after[0], batch)


@pytest.mark.parametrize("other", ["gate", "product", "picture", "third"])
def test_a_sum_of_other_things_stays_one(core: openvino.Core, other: str) -> None:
    """The gate is another function, the product is wanted elsewhere, the pictures differ, or something else is added."""
    gate = replace(PLAIN, kernel=(3, 3), pads=(1, 1)) if other == "gate" else PLAIN
    model, batch = residual(gate, other=other), picture(1, INPUTS, 4, 6)
    nodes, before = kinds(model), run(core, model, batch)
    assert kinds(add_gates(model)) == nodes
    for one, same in zip(before, run(core, model, batch), strict=True):
        assert np.array_equal(one, same)


def test_the_default_detector_has_eight_of_them_and_computes_the_same(core: openvino.Core) -> None:
    model, drawn = detector(core), drawn_picture()
    (before,) = run(core, model, drawn)
    sums = kinds(model).count("Add")
    assert sums - kinds(add_gates(model)).count("Add") == 8
    (after,) = run(core, model, drawn)
    assert before.max() > 0.9
    assert after == pytest.approx(before, abs=1e-4)
