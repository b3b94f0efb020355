"""What a network of OpenVINO is made of, and what it computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
