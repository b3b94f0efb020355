"""A till receipt, lying askew on a table, photographed in the light of a window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from samples.sheet import Sheet

WIDTH, HEIGHT = 620, 1150
PHOTO = (1200, 1600)
CORNERS = ((268.0, 132.0), (1002.0, 214.0), (905.0, 1508.0), (128.0, 1388.0))  # of the paper in the photo, clockwise

ITEMS = (
    ("2 x Flat white", "7.60"),
    ("1 x Oat latte", "4.40"),
    ("1 x Almond croissant", "3.25"),
    ("1 x Sourdough toast", "5.90"),
    ("2 x Mineral water 0.5l", "4.20"),
)


def draw_receipt() -> tuple[Image.Image, str]:
    """The photo and the receipt's text."""
    paper = _paper()
    photo = _on_table(paper.image)
    return _photographed(photo), paper.truth()


def _paper() -> Sheet:
    sheet = Sheet(WIDTH, HEIGHT, (247, 246, 241))
    middle, left, right = WIDTH / 2, 44, WIDTH - 44
    sheet.put((middle, 92), "HARBOUR LANE CAFE", 38, "mono-bold", "ms")
    sheet.put((middle, 134), "17 Harbour Lane, Eastport", 24, "mono", "ms")
    sheet.put((middle, 168), "Tel. 0555 014 2277", 24, "mono", "ms")
    sheet.row([(left, "Date: 2026-05-09", "ls"), (right, "Time: 10:42", "rs")], 232, 24, "mono")
    sheet.row([(left, "Receipt: 004981", "ls"), (right, "Table: 7", "rs")], 268, 24, "mono")
    _dashes(sheet, 296)
    for index, (name, price) in enumerate(ITEMS):
        sheet.row([(left, name, "ls"), (right, price, "rs")], 346 + 46 * index, 26, "mono")
    _dashes(sheet, 568)
    sheet.row([(left, "Subtotal", "ls"), (right, "25.35", "rs")], 616, 26, "mono")
    sheet.row([(left, "Service 10%", "ls"), (right, "2.54", "rs")], 658, 26, "mono")
    sheet.row([(left, "TOTAL EUR", "ls"), (right, "27.89", "rs")], 716, 36, "mono-bold")
    _dashes(sheet, 746)
    sheet.row([(left, "Card ****4821", "ls"), (right, "27.89", "rs")], 794, 26, "mono")
    sheet.put((left, 836), "Auth. code: 7K2Q90", 24, "mono")
    sheet.put((middle, 912), "Thank you for your visit!", 28, "mono-bold", "ms")
    sheet.put((middle, 950), "www.harbourlane.example", 24, "mono", "ms")
    bars = np.random.default_rng(7).integers(1, 5, 120)
    x = left + 50
    for index, bar in enumerate(bars):
        if x + bar > right - 50:
            break
        if index % 2 == 0:
            sheet.draw.rectangle((x, 990, x + int(bar) - 1, 1076), fill=(40, 40, 44))
        x += int(bar) + 1
    return sheet


def _dashes(sheet: Sheet, y: int) -> None:
    for x in range(44, WIDTH - 44, 18):
        sheet.draw.line((x, y, x + 10, y), fill=(70, 70, 74), width=2)


def _on_table(paper: Image.Image) -> Image.Image:
    width, height = PHOTO
    rng = np.random.default_rng(11)
    grain = rng.normal(0, 1, (height // 40, width)).astype(np.float32)
    wood = np.asarray(Image.fromarray(grain).resize(PHOTO, Image.Resampling.BICUBIC))
    base = np.array([118, 84, 56], np.float32) + wood[..., None] * np.array([9, 8, 6], np.float32)
    table = Image.fromarray(base.clip(0, 255).astype(np.uint8))
    inverse = _perspective(CORNERS, ((0.0, 0.0), (WIDTH, 0.0), (WIDTH, HEIGHT), (0.0, HEIGHT)))
    flat = paper.transform(PHOTO, Image.Transform.PERSPECTIVE, inverse, Image.Resampling.BICUBIC)
    mask = Image.new("L", paper.size, 255).transform(
        PHOTO, Image.Transform.PERSPECTIVE, inverse, Image.Resampling.BICUBIC
    )
    shadow = mask.filter(ImageFilter.GaussianBlur(16)).point(lambda value: int(value * 0.55))
    table.paste((28, 20, 14), (14, 20), shadow)
    table.paste(flat, (0, 0), mask.filter(ImageFilter.GaussianBlur(0.9)))
    return table


def _photographed(picture: Image.Image) -> Image.Image:
    """Light that falls off to one corner, a soft shadow across, a lens that is not quite sharp, and sensor noise."""
    width, height = picture.size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    light = 1.04 - 0.42 * ((x - 0.2) ** 2 + (y - 0.15) ** 2) / 1.4
    light -= 0.16 / (1 + np.exp(-((x * 0.8 + y - 1.28) * 26)))
    blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.9)), np.float32)
    noise = np.random.default_rng(5).normal(0, 4.0, blurred.shape)
    warm = np.array([1.0, 0.975, 0.92])
    shot = blurred * light[..., None] * warm + noise
    return Image.fromarray(shot.clip(0, 255).astype(np.uint8))


Corners = tuple[tuple[float, float], ...]


def _perspective(source: Corners, target: Corners) -> list[float]:
    """The eight coefficients that take a point of `source` to its point of `target` (four pairs, solved exactly)."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    goal: NDArray[np.float64] = np.array(target, np.float64).reshape(8)
    solved: list[float] = np.linalg.solve(np.array(rows), goal).tolist()
    return solved
