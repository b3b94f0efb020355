"""A page while it is being read; it belongs to one request."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quads, sizes, turn_corners
from shizi.imaging.crop import Crop, Pixels
from shizi.models.ctc import Reading

# A box this much taller than wide holds a turned or a vertical line, not a glyph or two.
TALL = 1.5
# A piece less long than this may be a glyph or two of any way.
CLEARLY_LONG = 2.5


# eq=False: arrays have no truth value, and a draft equals itself alone.
@dataclass(slots=True, eq=False)
class Draft:
    """Lines of a page and what is known of them so far.

    Attributes:
        pixels: (H, W, 3) RGB of the original page.
        quads: lines, (N, 4, 2), the first corner at the top left of the page (not yet of the text).
        scores: of the detection, (N,).
        readings: by line and by the quarter-turns at which it was read.
        turns: clockwise quarter-turns of each line's text, (N,).
        vertical: lines whose upright characters run from top to bottom, (N,).
        quarters: clockwise quarter-turns of the page's content.
    """

    pixels: Pixels
    quads: Quads
    scores: NDArray[np.float32]
    readings: dict[tuple[int, int], Reading] = field(default_factory=dict)
    turns: NDArray[np.intp] = field(init=False)
    vertical: NDArray[np.bool_] = field(init=False)
    quarters: int = 0

    def __post_init__(self) -> None:
        """Nothing is turned until it is shown to be."""
        self.turns = np.where(self.tall, 1, 0).astype(np.intp)
        self.vertical = np.zeros(len(self.quads), dtype=np.bool_)

    @property
    def tall(self) -> NDArray[np.bool_]:
        """Lines that stand upright on the page: (N,)."""
        widths, heights = sizes(self.quads)
        return heights >= TALL * widths

    @property
    def aspects(self) -> NDArray[np.float32]:
        """Longer by shorter side: (N,)."""
        widths, heights = sizes(self.quads)
        ratios = np.maximum(widths, heights) / np.maximum(np.minimum(widths, heights), 1)
        return ratios.astype(np.float32)

    def crop(self, line: int, turn: int, height: int, width: int) -> Crop:
        """A line to be cut out at (height, width, 3), read `turn` quarter-turns clockwise."""
        return Crop(self.pixels, turn_corners(self.quads[line : line + 1], turn)[0], width, height)

    def reading(self, line: int) -> Reading:
        """What was read at the turn decided on."""
        return self.readings.get((line, int(self.turns[line])), Reading())
