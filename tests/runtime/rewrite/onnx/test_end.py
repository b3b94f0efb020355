"""An end of a detector that works at half the resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from shizi.onnx.graph import read
from shizi.runtime.rewrite.onnx.end import coarsen_end
from tests.onnx.network import Network, Said
from tests.onnx.rewritten import kinds, same

NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
DOUBLING: dict[str, Said] = {"kernel_shape": (2, 2), "strides": (2, 2)}


@dataclass(frozen=True, slots=True)
class End:
    """How a detector ends.

    Attributes:
        scales: how much finer than each of the pictures the finest is.
        channels: of each of them.
        conv: what is said of the convolution of all.
        resize: how coarse pictures are enlarged.
        inner, outer: what is said of the transposed convolutions.
        maps: how many of these the network gives.
        bias: whether the transposed convolutions have one.
        between, last: what comes after the transposed convolutions.
    """

    scales: Sequence[int] = (8, 4, 2, 1)
    channels: Sequence[int] = (3, 3, 3, 3)
    conv: dict[str, Said] = field(default_factory=dict)
    resize: dict[str, Said] = field(default_factory=lambda: dict(NEAREST))
    inner: dict[str, Said] = field(default_factory=lambda: dict(DOUBLING, pads=(0, 0, 0, 0), dilations=(1, 1)))
    outer: dict[str, Said] = field(default_factory=lambda: dict(DOUBLING, pads=(0, 0, 0, 0), dilations=(1, 1)))
    maps: int = 1
    bias: bool = True
    between: str = "Relu"
    last: str = "Sigmoid"


PLAIN: dict[str, Said] = {"strides": (1, 1), "dilations": (1, 1)}


def network(end: End) -> bytes:
    drawn = Network()
    pictures = []
    for scale, channels in zip(end.scales, end.channels, strict=True):
        made = drawn.conv("x", 3, channels, said={"strides": (scale, scale)})
        factors = drawn.constant([1, 1, scale, scale])
        pictures.append(made if scale == 1 else drawn.add("Resize", [made, drawn.constant([]), factors], end.resize))
    joined = drawn.add("Concat", pictures, {"axis": 1})
    hidden = drawn.add("Relu", [drawn.conv(joined, sum(end.channels), 5, 3, said=PLAIN | end.conv)])
    for inputs, outputs, said, after in ((5, 4, end.inner, end.between), (4, end.maps, end.outer, end.last)):
        bias = [drawn.drawn(outputs)] if end.bias else []
        larger = drawn.add("ConvTranspose", [hidden, drawn.drawn(inputs, outputs, 2, 2), *bias], said)
        hidden = drawn.add(after, [larger])
    return drawn.onnx(hidden)


@pytest.mark.parametrize(
    "end",
    [
        End(),
        End(channels=(1, 2, 3, 4)),
        End(scales=(1, 2), channels=(3, 2)),
        End(scales=(2, 1, 4), channels=(3, 5, 2)),
        End(scales=(6, 1), channels=(3, 2)),
    ],
    ids=str,
)
@pytest.mark.parametrize("sides", [(24, 24), (24, 48), (48, 24)])
def test_it_computes_the_same(end: End, sides: tuple[int, int]) -> None:
    graph = same(network(end), coarsen_end, 2, 3, *sides)
    assert "ConvTranspose" not in kinds(graph)
    assert kinds(graph)[-1] == "DepthToSpace"
    assert kinds(graph).count("Resize") == sum(scale > 2 for scale in end.scales)


@pytest.mark.parametrize(
    "end",
    [
        End(scales=(8, 4, 2), channels=(3, 3, 3)),
        End(scales=(1, 1, 2), channels=(3, 3, 3)),
        End(scales=(1, 1), channels=(3, 3)),
        End(scales=(3, 1), channels=(3, 3)),
        End(resize=dict(NEAREST, mode="linear")),
        End(resize=dict(NEAREST, coordinate_transformation_mode="half_pixel")),
        End(resize=dict(NEAREST, nearest_mode="ceil")),
        End(conv={"dilations": (2, 2), "pads": (2, 2, 2, 2)}),
        End(inner=dict(DOUBLING, pads=(1, 1, 1, 1), dilations=(1, 1))),
        End(outer=dict(DOUBLING, pads=(0, 0, 0, 0), dilations=(1, 1), output_padding=(1, 1))),
        End(outer={"kernel_shape": (2, 2), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1)}),
        End(maps=2),
        End(bias=False),
        End(between="Sigmoid"),
        End(last="Relu"),
    ],
    ids=str,
)
def test_another_end_stays_as_it_is(end: End) -> None:
    content = network(end)
    before = kinds(read(content))
    assert kinds(same(content, coarsen_end, 1, 3, 24, 48)) == before


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), 0.0, -2.0, 2.5])
def test_scales_that_are_none_are_no_matter(factor: float) -> None:
    content = network(End(scales=(2, 1), channels=(3, 3)))
    two, other = np.array([1, 1, 2, 2], dtype="<f4").tobytes(), np.array([1, 1, factor, factor], dtype="<f4").tobytes()
    assert content.count(two) == 1
    graph = read(content.replace(two, other))
    coarsen_end(graph)
    assert kinds(graph).count("ConvTranspose") == 2
