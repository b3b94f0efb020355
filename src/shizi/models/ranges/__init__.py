"""What numbers come into the layers of models: measured once (`python -m benchmarks.ranges`), one file for each model."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from shizi.models.card import Card
from shizi.runtime.ranges import LayerRange, Ranges


class MeasuredLayer(BaseModel):
    """See `LayerRange`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    least: float
    greatest: tuple[float, ...] = Field(min_length=1)


class MeasuredRanges(BaseModel):
    """One file.

    Attributes:
        sha256: of the ONNX file that was looked at.
        how: the command that wrote this.
        layers: by their names in the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    how: str
    layers: dict[str, MeasuredLayer]


def known_ranges(card: Card) -> Ranges:
    """The ranges of a model's layers; none where nobody measured them, or only those of another file."""
    file = files(__package__) / f"{card.name}.json"
    if not file.is_file():
        return {}
    measured = MeasuredRanges.model_validate_json(file.read_bytes())
    if measured.sha256 != card.sha256:
        return {}
    return {
        name: LayerRange(layer.least, np.array(layer.greatest, dtype=np.float32))
        for name, layer in measured.layers.items()
    }
