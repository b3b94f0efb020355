"""Products of 8 bits: nearly the same numbers, also where channels differ a thousandfold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shizi.runtime.ranges import LayerRange
from shizi.runtime.rewrite.openvino.eight_bits import in_eight_bits, scaling
from tests.runtime.rewrite.openvino.networks import Array, kinds, run

if TYPE_CHECKING:
    import openvino

CHANNELS, OUTPUTS = 16, 8


def network(weights: Array, strides: Sequence[int] = (1, 1), pads: int = 0) -> openvino.Model:
    """(B, channels, H, W) through one convolution, `layer`."""
    import openvino
    import openvino.opset13 as ops

    picture = ops.parameter([-1, weights.shape[1], -1, -1], np.float32)
    node = ops.convolution(picture, ops.constant(weights), list(strides), [pads] * 2, [pads] * 2, [1, 1])
    node.set_friendly_name("layer")
    return openvino.Model([ops.relu(node).output(0)], [picture], "drawn")


def weights(seed: int = 1, kernel: int = 1) -> Array:
    return np.random.default_rng(seed).standard_normal((OUTPUTS, CHANNELS, kernel, kernel)).astype(np.float32)


def picture(least: float, spread: Array | float, seed: int = 2) -> Array:
    drawn = np.random.default_rng(seed).standard_normal((2, CHANNELS, 3, 40)).astype(np.float32)
    scaled: Array = np.maximum(drawn * np.reshape(spread, (-1, 1, 1)), least).astype(np.float32)
    return scaled


def seen(batch: Array) -> LayerRange:
    return LayerRange(float(batch.min()), np.abs(batch).max(axis=(0, 2, 3)))


def error(found: Array, wanted: Array) -> float:
    return float(np.sqrt(np.mean((found - wanted) ** 2) / np.mean(wanted**2)))


@pytest.mark.parametrize("least", [-9.0, -0.17, 0.0])
def test_numbers_hardly_change(core: openvino.Core, least: float) -> None:
    batch = picture(least, 1.0)
    model = network(weights())
    (before,) = run(core, model, batch)
    assert in_eight_bits(model, {"layer": seen(batch)}) is model
    assert kinds(model).count("FakeQuantize") == 1
    (after,) = run(core, model, batch)
    assert error(after, before) < 0.015


@pytest.mark.parametrize("least", [-1e9, -0.17])
def test_channels_of_different_size_have_scales_of_their_own(core: openvino.Core, least: float) -> None:
    """Weights are small where numbers are great, as in networks that were trained."""
    spread = np.geomspace(0.05, 50, CHANNELS).astype(np.float32)
    layer = weights() / spread[:, None, None]
    batch = picture(least, spread)
    model = network(layer)
    (before,) = run(core, model, batch)
    (after,) = run(core, in_eight_bits(model, {"layer": seen(batch)}), batch)
    one_scale = LayerRange(float(batch.min()), np.full(CHANNELS, np.abs(batch).max()))
    (coarse,) = run(core, in_eight_bits(network(layer), {"layer": one_scale}), batch)
    assert error(after, before) < 0.02
    assert error(coarse, before) > 3 * error(after, before)


def test_a_picture_that_others_want_too_is_rounded_in_the_layout_it_has(core: openvino.Core) -> None:
    """A convolution, what it makes in 8 bits through another, and both added: as in networks with residuals (He et al., 2016)."""
    import openvino
    import openvino.opset13 as ops

    def residual(rounded: bool) -> openvino.CompiledModel:
        given_picture = ops.parameter([-1, CHANNELS, -1, -1], np.float32)
        eye = np.eye(CHANNELS, dtype=np.float32).reshape(CHANNELS, CHANNELS, 1, 1)
        before = ops.relu(ops.convolution(given_picture, ops.constant(eye), [1, 1], [0, 0], [0, 0], [1, 1]))
        layer = ops.constant(weights().repeat(CHANNELS // OUTPUTS, axis=0))
        node = ops.convolution(before, layer, [1, 1], [0, 0], [0, 0], [1, 1])
        node.set_friendly_name("layer")
        model = openvino.Model([ops.add(before, node).output(0)], [given_picture], "drawn")
        known = LayerRange(0.0, np.full(CHANNELS, 4.0, dtype=np.float32))
        changed = in_eight_bits(model, {"layer": known}) if rounded else model
        return core.compile_model(changed, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    batch = picture(-9.0, 1.0)
    wanted, rounding = residual(False)([batch])[0], residual(True)
    assert error(rounding([batch])[0], wanted) < 0.02
    steps = [node.get_rt_info()["layerType"].astype(str) for node in rounding.get_runtime_model().get_ops()]
    assert "FakeQuantize" not in steps  # it went into a step before it


def test_what_is_above_the_range_is_cut_off(core: openvino.Core) -> None:
    batch = picture(0.0, 1.0)
    eye = np.eye(CHANNELS, dtype=np.float32).reshape(CHANNELS, CHANNELS, 1, 1)
    known = LayerRange(0.0, np.ones(CHANNELS, dtype=np.float32))
    (after,) = run(core, in_eight_bits(network(eye), {"layer": known}), batch)
    assert after == pytest.approx(np.clip(batch, 0, 1), abs=0.01)


def test_channels_that_are_always_nothing_do_no_harm(core: openvino.Core) -> None:
    spread = np.ones(CHANNELS, dtype=np.float32)
    spread[3] = 0
    layer = weights()
    layer[:, 5] = 0
    layer[2] = 0
    batch = picture(-9.0, spread)
    (before,) = run(core, network(layer), batch)
    (after,) = run(core, in_eight_bits(network(layer), {"layer": seen(batch)}), batch)
    assert np.isfinite(after).all()
    assert error(after, before) < 0.015
    assert not after[:, 2].any()


@pytest.mark.parametrize("least", [-9.0, -0.17, 0.0])
@pytest.mark.parametrize(("kernel", "strides", "pads"), [(3, (1, 1), 1), (3, (2, 2), 1), (2, (1, 2), 0)])
def test_larger_kernels_see_nothing_beyond_the_border(
    core: openvino.Core, kernel: int, strides: tuple[int, int], pads: int, least: float
) -> None:
    batch = picture(least, np.geomspace(0.3, 3, CHANNELS).astype(np.float32))
    (before,) = run(core, network(weights(kernel=kernel), strides, pads), batch)
    model = in_eight_bits(network(weights(kernel=kernel), strides, pads), {"layer": seen(batch)})
    assert kinds(model).count("FakeQuantize") == 1
    (after,) = run(core, model, batch)
    assert after.shape == before.shape
    assert error(after, before) < 0.02
    assert error(after[..., 0], before[..., 0]) < 0.02


@pytest.mark.parametrize("what", ["another name", "channels"])
def test_other_layers_stay_as_they_are(what: str) -> None:
    channels = CHANNELS + (what == "channels")
    known = {"other" if what == "another name" else "layer": LayerRange(-1.0, np.ones(channels, dtype=np.float32))}
    assert "FakeQuantize" not in kinds(in_eight_bits(network(weights()), known))


def test_few_negative_numbers_are_shifted_only_where_they_may_be() -> None:
    known = LayerRange(-0.1, np.ones(CHANNELS, dtype=np.float32))
    drawn = weights()[:, :, 0, 0]
    assert scaling(drawn, known).shift == pytest.approx(0.1)
    assert scaling(drawn, known, may_shift=False).shift is None
    assert scaling(drawn, LayerRange(0.0, known.greatest), may_shift=False).shift == 0


@given(st.integers(0, 2**32 - 1), st.floats(1e-4, 1e4), st.booleans())
@settings(max_examples=40, deadline=None)
def test_scales_cover_what_was_seen(seed: int, size: float, negative: bool) -> None:
    random = np.random.default_rng(seed)
    greatest = (size * random.uniform(0.001, 1, CHANNELS)).astype(np.float32)
    known = LayerRange(-float(greatest.max()) if negative else 0.0, greatest)
    how = scaling(random.standard_normal((OUTPUTS, CHANNELS)).astype(np.float32), known)
    assert (how.shift is None) == negative
    assert np.all(how.channels > 0)
    assert np.all(greatest <= how.channels * how.greatest * 1.0001)
