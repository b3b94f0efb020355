"""What decoding hands on: a page's pixels and, for PDF, the text that stands in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shizi.types import Polygon, Word


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A line of a PDF's text layer.

    Attributes:
        text: with the spaces that separate its words.
        polygon: four corners in pixels of the rendered page, clockwise from the text's own top-left corner.
        words: in the order in which they stand in the PDF; their score is 1.0.
        angle: degrees, clockwise, in [0, 360), by which the text is turned on the rendered page.
        vertical: True where characters run from top to bottom.
    """

    text: str
    polygon: Polygon
    words: tuple[Word, ...]
    angle: float
    vertical: bool


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The text that stands in a PDF page.

    Attributes:
        lines: in the order of the PDF's content.
        sound: whether the text can be taken for what a person sees.
        reason: why it is not sound, else "".
        has_images: True where the page also draws what only OCR could read: images, outlined letters, annotations.
        image_boxes: where these are, in pixels of the rendered page, clockwise from the top-left corner.
    """

    lines: tuple[LayerLine, ...]
    sound: bool
    reason: str
    has_images: bool
    image_boxes: tuple[Polygon, ...]


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page, upright as its file says (EXIF, TIFF and PDF rotation applied).

    Attributes:
        number: counted from 1, as in the source document.
        pixels: (height, width, 3) uint8 RGB, C-contiguous, not to be written to; None only where rendering was
            not asked for.
        width: pixels.
        height: pixels.
        text_layer: of a PDF page, where it was asked for.
        warnings: what a person should know about this page.
    """

    number: int
    pixels: NDArray[np.uint8] | None
    width: int
    height: int
    text_layer: TextLayer | None = None
    warnings: tuple[str, ...] = ()
