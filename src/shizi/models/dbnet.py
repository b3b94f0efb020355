"""From a text probability map to quadrilaterals: differentiable binarisation (Liao et al., AAAI 2020), the inference side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quads, expand, from_top_left, sizes


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How a probability map becomes boxes.

    Attributes:
        pixel: a pixel above it is text.
        box: a box whose mean probability is above it is kept.
        unclip: the network draws shrunken text; a box grows by area x unclip / perimeter.
        min_side: boxes thinner than this many pixels of the map are noise.
        max_boxes: no map yields more, the largest first.
    """

    pixel: float = 0.3
    box: float = 0.5
    unclip: float = 1.6
    min_side: float = 3.0
    max_boxes: int = 3000


def find_boxes(probabilities: NDArray[np.float32], thresholds: Thresholds) -> tuple[Quads, NDArray[np.float32]]:
    """Quadrilaterals in pixels of the map and their mean probabilities: (H, W) -> (N, 4, 2), (N,)."""
    mask = (probabilities > thresholds.pixel).view(np.uint8)
    # Joins what one missing row of pixels cut: glyphs' parts, letters of a word.
    joined = cv2.dilate(mask, np.ones((2, 2), dtype=np.uint8))
    contours, _ = cv2.findContours(joined, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) > thresholds.max_boxes:
        contours = sorted(contours, key=len, reverse=True)[: thresholds.max_boxes]
    quads: list[NDArray[np.float32]] = []
    scores: list[float] = []
    for contour in contours:
        rectangle = cv2.minAreaRect(np.asarray(contour, dtype=np.int32))
        if min(rectangle[1]) < thresholds.min_side:
            continue
        quad = np.asarray(cv2.boxPoints(rectangle), dtype=np.float32)
        score = _mean_inside(probabilities, quad)
        if score >= thresholds.box:
            quads.append(quad)
            scores.append(score)
    if not quads:
        return np.zeros((0, 4, 2), dtype=np.float32), np.zeros(0, dtype=np.float32)
    found = from_top_left(np.stack(quads))
    widths, heights = sizes(found)
    grown = expand(found, widths * heights * thresholds.unclip / (2 * (widths + heights)))
    return grown, np.array(scores, dtype=np.float32)


def _mean_inside(probabilities: NDArray[np.float32], quad: NDArray[np.float32]) -> float:
    """Mean probability inside a quadrilateral."""
    # Numbers of Python: for four corners, calls of numpy take longer than all the rest.
    across, down = zip(*quad.tolist(), strict=True)
    left, right = _inner(across, probabilities.shape[1])
    top, bottom = _inner(down, probabilities.shape[0])
    region = probabilities[top : bottom + 1, left : right + 1]
    mask = np.zeros(region.shape, dtype=np.uint8)
    cv2.fillPoly(mask, [quad.astype(np.int32)], (1,), offset=(-left, -top))
    return cv2.mean(region, mask)[0]


def _inner(values: tuple[float, ...], length: int) -> tuple[int, int]:
    """The first and the last of so many pixels that values reach."""
    first, last = math.floor(min(values)), math.ceil(max(values))
    return min(max(first, 0), length - 1), min(max(last, 0), length - 1)
