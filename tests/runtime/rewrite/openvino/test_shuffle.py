"""A detector whose end is rewritten computes the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from shizi.models.card import DEFAULT_TIER
from shizi.models.store import ModelStore
from shizi.runtime.rewrite.openvino.shuffle import shuffle_late
from tests.runtime.rewrite.openvino.networks import Array, kinds, run

if TYPE_CHECKING:
    import openvino


@dataclass(frozen=True, slots=True)
class Layer:
    """A transposed convolution with a bias."""

    channels: int
    kernel: tuple[int, int] = (2, 2)
    strides: tuple[int, int] = (2, 2)
    pads: tuple[int, int] = (0, 0)
    dilations: tuple[int, int] = (1, 1)
    extra: tuple[int, int] = (0, 0)
    bias: tuple[int, ...] = (-1, 1, 1)  # -1: one for each channel


INNER, OUTER = Layer(5), Layer(1)


def network(
    inner: Layer = INNER,
    outer: Layer = OUTER,
    end: str = "sigmoid",
    between: str = "relu",
    outputs: Sequence[int] = (0,),
) -> openvino.Model:
    """(B, 3, H, W) through two transposed convolutions; its outputs are the last node, the one between, or both."""
    import openvino
    import openvino.opset13 as ops

    random = np.random.default_rng(8)

    def upsample(node: openvino.Node, channels: int, layer: Layer) -> openvino.Node:
        kernel = random.standard_normal((channels, layer.channels, *layer.kernel)).astype(np.float32)
        bias = random.standard_normal([layer.channels if side < 0 else side for side in layer.bias]).astype(np.float32)
        larger = ops.convolution_backprop_data(
            node,
            ops.constant(kernel),
            list(layer.strides),
            pads_begin=list(layer.pads),
            pads_end=list(layer.pads),
            dilations=list(layer.dilations),
            output_padding=list(layer.extra),
        )
        return ops.add(larger, ops.constant(bias))

    picture = ops.parameter([-1, 3, -1, -1], np.float32)
    hidden = getattr(ops, between)(upsample(picture, 3, inner))
    last = getattr(ops, end)(upsample(hidden, inner.channels, outer))
    return openvino.Model([(last, hidden)[index].output(0) for index in outputs], [picture], "drawn")


def pictures(*shape: int) -> Array:
    return np.random.default_rng(9).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("inner", [INNER, Layer(8), Layer(1), replace(INNER, bias=(1, -1, 1, 1))])
@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 5, 8), (1, 3, 16, 3)])
def test_an_end_of_two_transposed_convolutions_computes_the_same(
    core: openvino.Core, inner: Layer, shape: tuple[int, int, int, int]
) -> None:
    model, batch = network(inner), pictures(*shape)
    rewritten = shuffle_late(model)
    assert rewritten is not model
    assert "ConvolutionBackpropData" in kinds(model)
    assert "ConvolutionBackpropData" not in kinds(rewritten)
    (before,), (after,) = run(core, model, batch), run(core, rewritten, batch)
    assert before.shape == after.shape == (shape[0], 1, 4 * shape[2], 4 * shape[3])
    assert len(np.unique(before.round(4))) > 8  # no plain picture, which any order of the pixels would give
    assert after == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        {"end": "relu"},
        {"between": "sigmoid"},
        {"outer": Layer(2)},
        {"outer": Layer(1, kernel=(3, 3))},
        {"outer": Layer(1, strides=(1, 1))},
        {"outer": Layer(1, extra=(1, 1))},
        {"inner": Layer(5, pads=(1, 1))},
        {"inner": Layer(5, dilations=(2, 2))},
        {"inner": Layer(5, kernel=(2, 3))},
        {"inner": Layer(5, bias=(1,))},
        {"inner": Layer(5, bias=(-1, 1, 14))},
        {"outputs": (0, 1)},
        {"outputs": (1,)},
    ],
    ids=str,
)
def test_a_model_that_ends_otherwise_stays_as_it_is(core: openvino.Core, model: dict[str, object]) -> None:
    drawn = network(**model)  # type: ignore[arg-type]
    before = kinds(drawn)
    assert shuffle_late(drawn) is drawn
    assert kinds(drawn) == before
    assert run(core, drawn, pictures(1, 3, 5, 7))[0].size


def test_the_default_detector_computes_the_same(core: openvino.Core) -> None:
    store = ModelStore()
    path = store.path(store.catalog.tier(DEFAULT_TIER).names[0])
    rewritten = shuffle_late(core.read_model(path))
    assert "ConvolutionBackpropData" not in kinds(rewritten)
    page = np.full((1, 3, 96, 160), 2.0, dtype=np.float32)
    page[:, :, 40:60, 20:140:6] = -2  # strokes, so that there is something to find
    (before,), (after,) = run(core, core.read_model(path), page), run(core, rewritten, page)
    assert before.shape == after.shape == (1, 1, 96, 160)
    assert before.max() > 0.5 > before.min()
    assert after == pytest.approx(before, abs=1e-5)


@pytest.mark.parametrize("part", [1, 2])
def test_the_other_default_models_stay_as_they_are(core: openvino.Core, part: int) -> None:
    store = ModelStore()
    model = core.read_model(store.path(store.catalog.tier(DEFAULT_TIER).names[part]))
    assert shuffle_late(model) is model
