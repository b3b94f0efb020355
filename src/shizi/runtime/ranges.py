"""What numbers come into the layers of a model: needed to do a layer's products with 8 bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LayerRange:
    """The numbers that came into one layer.

    Attributes:
        least: the least one of all channels.
        greatest: the magnitude in each channel that few are above, (channels,).
    """

    least: float
    greatest: NDArray[np.float32]


Ranges = Mapping[str, LayerRange]
"""Of some layers of one model, by the layer's name."""
