"""Pages and signs that are drawn, to measure a detector on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.shortlist import draw, worn
from shizi.imaging.crop import Pixels

# (width, height): pages that lie and stand, tapes, screens, photographs.
SIZES = ((864, 1216), (1216, 864), (1280, 736), (640, 960), (416, 832), (960, 960))
_LONGEST = 24  # characters of a line
_HEIGHTS = (14, 18, 24, 34, 52)


def draw_page(alphabets: Mapping[str, Sequence[str]], random: Random) -> Pixels:
    """Lines of text in several scripts on a plain, shaded or patterned ground, more or less worn, (H, W, 3) RGB.

    Args:
        alphabets: characters by script (`benchmarks.shortlist.alphabets`).
        random: chooses; the same state, the same page.
    """
    width, height = random.choice(SIZES)
    page = _ground(width, height, random)
    usual = random.choice(_HEIGHTS)
    top = random.randint(2, 40)
    while top < height - 2 * usual:
        tall = max(10, int(usual * random.uniform(0.8, 1.3)))
        left = random.randint(2, width // 3)
        while left < width - 2 * tall:
            left += _written(page[top : top + tall, left:], alphabets, random) + random.randint(tall, 8 * tall)
        if random.random() < 0.2:
            cv2.line(page, (5, top - 3), (width - 5, top - 3), (90, 90, 90), random.randint(1, 3))
        top += int(tall * random.uniform(1.2, 3))
    picture = Image.fromarray(page)
    if random.random() < 0.3:
        picture = picture.rotate(random.uniform(-12, 12), fillcolor=(128, 128, 128))
    return worn(picture, usual / 40, random)


def _ground(width: int, height: int, random: Random) -> NDArray[np.uint8]:
    paper = [random.randint(235, 255)] * 3 if random.random() < 0.4 else [random.randint(30, 255) for _ in range(3)]
    ground = np.full((height, width, 3), paper, dtype=np.float32)
    if random.random() < 0.6:
        ground *= np.linspace(random.uniform(0.4, 1), 1, width, dtype=np.float32)[None, :, None]
    if random.random() < 0.4:
        shape = (random.randint(3, 40), random.randint(3, 40), 3)
        few = np.random.default_rng(random.randrange(1 << 30)).uniform(0, 255, shape).astype(np.float32)
        ground = 0.5 * ground + 0.5 * cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(ground, 0, 255).astype(np.uint8)


def _written(place: NDArray[np.uint8], alphabets: Mapping[str, Sequence[str]], random: Random) -> int:
    """Writes a line of the height of a place at its left and says how wide it is; what does not fit is cut off."""
    script = random.choice(list(alphabets))
    line = draw(script, random.choices(alphabets[script], k=random.randint(1, _LONGEST)), random)
    tall = place.shape[0]
    wide = max(1, round(line.shape[1] * tall / line.shape[0]))
    shrunk = cv2.resize(line, (wide, tall), interpolation=cv2.INTER_AREA)[:, : place.shape[1]]
    there = place[:, : shrunk.shape[1]]
    # Ink on what is there; sometimes the paper too, as labels and buttons have it.
    mixed = np.minimum(there, shrunk) if np.median(shrunk) > 127 else np.maximum(there, shrunk)
    place[:, : shrunk.shape[1]] = shrunk if random.random() < 0.3 else mixed
    return int(wide)
