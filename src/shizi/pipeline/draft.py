"""A page while it is being read; it belongs to one request."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field

import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quad, Quads, sizes
from shizi.imaging.crop import Crop, Part, Pixels, surroundings
from shizi.models.ctc import Reading

# A box this much taller than wide holds a turned or a vertical line, not a glyph or two.
TALL = 1.5
# A piece less long than this may be a glyph or two of any way.
CLEARLY_LONG = 2.5


# Smaller pages are not worth a copy of their lines.
_LARGE = 16 * 2**20


# eq=False: arrays have no truth value, and a draft equals itself alone.
@dataclass(slots=True, eq=False)
class Draft:
    """Lines of a page and what is known of them so far.

    Args:
        pixels: (H, W, 3) RGB of the original page.

    Attributes:
        quads: lines, (N, 4, 2), the first corner at the top left of the page (not yet of the text).
        scores: of the detection, (N,).
        parts: what each line is cut out of, the page or a copy of a part.
        readings: by line and by the quarter-turns at which it was read.
        turns: clockwise quarter-turns of each line's text, (N,).
        vertical: lines whose upright characters run from top to bottom, (N,).
        quarters: clockwise quarter-turns of the page's content.
    """

    pixels: InitVar[Pixels]
    quads: Quads
    scores: NDArray[np.float32]
    parts: list[Part] = field(init=False)
    readings: dict[tuple[int, int], Reading] = field(default_factory=dict)
    turns: NDArray[np.intp] = field(init=False)
    vertical: NDArray[np.bool_] = field(init=False)
    quarters: int = 0

    def __post_init__(self, pixels: Pixels) -> None:
        """Nothing is turned until it is shown to be."""
        self.parts = [Part(pixels)] * len(self.quads)
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

    def crop(self, line: int, quad: Quad, height: int, width: int) -> Crop:
        """A line or a part of it, by its corners on the page in the direction of reading, to be cut out at (height, width, 3)."""
        return Crop(self.parts[line], quad, width, height)

    def let_page_go(self, page: Pixels) -> None:
        """Has the lines in memory of their own, where that is much less than the page's."""
        if page.nbytes < _LARGE:
            return
        parts = surroundings(page, self.quads)
        if sum(part.pixels.nbytes for part in parts) <= page.nbytes / 2:
            self.parts = [Part(part.pixels.copy(), part.left, part.top) for part in parts]

    def reading(self, line: int) -> Reading:
        """What was read at the turn decided on."""
        return self.readings.get((line, int(self.turns[line])), Reading())
