"""What a network of OpenVINO is made of, and what it computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from shizi.models.card import DEFAULT_TIER
from shizi.models.store import ModelStore
from tests.pipeline.drawn import Piece, page, pixels

if TYPE_CHECKING:
    import openvino

Array = NDArray[np.float32]


def run(core: openvino.Core, model: openvino.Model, batch: Array) -> list[Array]:
    """All outputs, computed in float32."""
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    request.infer([batch])
    return [np.array(request.get_output_tensor(at).data, dtype=np.float32) for at in range(len(compiled.outputs))]


def kinds(model: openvino.Model) -> list[str]:
    """Of its nodes, in the order of the computation."""
    return [node.get_type_name() for node in model.get_ordered_ops()]


def detector(core: openvino.Core) -> openvino.Model:
    """The default one."""
    return _model(core, 0)


def recogniser(core: openvino.Core) -> openvino.Model:
    """The default one, whole."""
    return _model(core, 1)


def _model(core: openvino.Core, part: int) -> openvino.Model:
    store = ModelStore()
    return core.read_model(store.path(store.catalog.tier(DEFAULT_TIER).names[part]))


def drawn_picture() -> Array:
    """Two lines as the default detector takes them, (1, 3, 96, 160)."""
    return _numbers(page(160, 96, [Piece(8, 8, "文字 Text", 28, "zh"), Piece(8, 56, "More text", 24)]))


def drawn_line() -> Array:
    """A line of Chinese and English as it takes it, (1, 3, 48, 160)."""
    return _numbers(page(160, 48, [Piece(8, 2, "文字 Text", 32, "zh")]))


def _numbers(drawing: Image) -> Array:
    return np.ascontiguousarray(pixels(drawing).transpose(2, 0, 1)[None] / 127.5 - 1, dtype=np.float32)
