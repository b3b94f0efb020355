"""Reading a page the plain way with the same models: what an afternoon's work gives, to see what the rest of the engine brings.

The page is shrunk for the detector, every line goes through the recogniser by itself at its natural width, and the runtime is called
directly with its own defaults. Only upright lines are found, and nothing is put in order.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shizi.models.card import Card
from shizi.models.charset import read_charset
from shizi.models.store import ModelStore
from shizi.runtime.choose import Choice, load_runtime

Array = NDArray[np.float32]
Model = Callable[[Array], Array]

_SIDE = 1312
_STEP = 32


class NaiveReader:
    """Args: choice: the runtime and precision, those of the engine it is compared with."""

    def __init__(self, choice: Choice, tier: str = "general") -> None:
        store = ModelStore()
        parts = store.catalog.tier(tier)
        self._cards = [store.card(name) for name in parts.names[:2]]
        paths = [store.path(name) for name in parts.names[:2]]
        load_runtime(choice.runtime)  # keeps OpenVINO from calling home
        self._detect, self._recognize = (_load(path, choice) for path in paths)
        card = self._cards[1]
        self._charset = read_charset(paths[1], card.charset or "metadata:character", card.classes)

    def read(self, path: Path) -> list[str]:
        """Texts of the lines of one image."""
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        return [self._line(pixels[top:bottom, left:right]) for left, top, right, bottom in self._boxes(pixels)]

    def _boxes(self, pixels: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
        height, width = pixels.shape[:2]
        scale = min(1.0, _SIDE / max(height, width))
        inner = tuple(max(_STEP, round(side * scale / _STEP) * _STEP) for side in (width, height))
        probabilities = self._detect(_batch(np.asarray(cv2.resize(pixels, inner), dtype=np.uint8), self._cards[0]))[
            0, 0
        ]
        contours, _ = cv2.findContours((probabilities > 0.3).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        found = []
        for contour in contours:
            left, top, across, down = cv2.boundingRect(contour)
            if min(across, down) < 3:
                continue
            # The networks see lines shrunk; Liao et al., "Real-time Scene Text Detection with Differentiable Binarization".
            grow = across * down * 1.6 / (2 * (across + down))
            box = np.array([left - grow, top - grow, left + across + grow, top + down + grow])
            box *= np.array([width / inner[0], height / inner[1]] * 2)
            box = np.clip(box, 0, [width, height, width, height])
            found.append((int(box[0]), int(box[1]), int(box[2]), int(box[3])))
        return found

    def _line(self, crop: NDArray[np.uint8]) -> str:
        height = self._cards[1].input.height or 48
        natural = max(8, round(crop.shape[1] * height / crop.shape[0]))
        resized = np.asarray(cv2.resize(crop, (natural, height)), dtype=np.uint8)
        batch = _batch(resized, self._cards[1])
        padded = np.zeros((1, 3, height, -(-natural // _STEP) * _STEP), dtype=np.float32)
        padded[..., :natural] = batch
        classes = self._recognize(padded)[0].argmax(axis=1)
        kept = classes[np.insert(classes[1:] != classes[:-1], 0, True) & (classes != 0)]
        return "".join(self._charset.characters[int(index)] for index in kept)


def _batch(pixels: NDArray[np.uint8], card: Card) -> Array:
    """(H, W, 3) bytes -> (1, 3, H, W)."""
    ordered = pixels[..., ::-1] if card.input.channels == "bgr" else pixels
    mean, std = (np.array(values, dtype=np.float32) for values in (card.input.mean, card.input.std))
    normal = (ordered.astype(np.float32) / np.float32(255) - mean) / std
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None])


def _load(path: Path, choice: Choice) -> Model:
    if choice.runtime == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda batch: np.asarray(session.run(None, {name: batch})[0])
    import openvino

    hint = "f32" if choice.precision == "float32" else "bf16"
    compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": hint})
    return lambda batch: np.asarray(compiled(batch)[0])
