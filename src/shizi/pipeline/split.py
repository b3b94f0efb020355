"""From what was found to what is read: lines too long for the recogniser in pieces, none that a text layer covers."""

from __future__ import annotations

import cv2
import numpy as np

from shizi.geometry import Quad, Quads, bounds, sizes, slices, turn_corners
from shizi.imaging.crop import Pixels, crop_line
from shizi.models.detector import Detection

# Longer lines than this, against their height, are parted; the pieces are about half as long.
_MAX_ASPECT, _PIECE_ASPECT = 60.0, 30.0
# Height at which gaps are looked for, and how far from an even division a cut may move, in line heights.
_HEIGHT, _REACH = 32, 6.0


def split_long(pixels: Pixels, found: Detection) -> Detection:
    """Replaces each very long line by pieces that end at gaps."""
    widths, heights = sizes(found.quads)
    aspects = np.maximum(widths, heights) / np.maximum(np.minimum(widths, heights), 1)
    if not (aspects > _MAX_ASPECT).any():
        return found
    quads: list[Quads] = []
    scores: list[float] = []
    for quad, score, aspect in zip(found.quads, found.scores, aspects, strict=True):
        pieces = _pieces(pixels, quad, float(aspect)) if aspect > _MAX_ASPECT else quad[None]
        quads.append(pieces)
        scores.extend([float(score)] * len(pieces))
    return Detection(np.concatenate(quads), np.array(scores, dtype=np.float32))


def _pieces(pixels: Pixels, quad: Quad, aspect: float) -> Quads:
    """The parts of one line, lying or standing, with the corners in the order of the whole."""
    width, height = (float(side[0]) for side in sizes(quad[None]))
    turn = 1 if height > width else 0
    lying = turn_corners(quad[None], turn)[0]
    crop = crop_line(pixels, lying, round(_HEIGHT * aspect), _HEIGHT)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    ink = np.ptp(grey, axis=0).astype(np.float32)[None]
    # A gap between words is empty over a fifth of the height; Chinese leaves a pixel or two between its characters.
    wide, narrow = (cv2.blur(ink, (size, 1))[0] for size in (_HEIGHT // 5, 3))
    empty = 0.2 * float(np.median(wide))
    count = round(aspect / _PIECE_ASPECT)
    reach = round(_REACH * _HEIGHT)
    cuts = [0]
    for middle in np.linspace(0, len(wide), count + 1)[1:-1].round().astype(int):
        low, high = max(int(middle) - reach, 0), int(middle) + reach
        profile = wide if wide[low:high].min() <= empty else narrow
        cuts.append(low + int(np.argmin(profile[low:high])))
    edges = (np.array([*cuts, len(wide)]) / len(wide)).astype(np.float32)
    return turn_corners(slices(lying[None], edges[:-1], edges[1:]), -turn)


def uncovered(found: Detection, covered: Quads) -> Detection:
    """Drops the detections whose middle lies in a line of the text layer."""
    boxes = bounds(covered)
    # One at a time: all against all would take a gigabyte on a page that is nothing but text.
    free = np.array(
        [
            not ((middle >= boxes[:, :2]) & (middle <= boxes[:, 2:])).all(axis=1).any()
            for middle in found.quads.mean(axis=1)
        ],
        dtype=np.bool_,
    )
    return Detection(found.quads[free], found.scores[free])
