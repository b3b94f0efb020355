"""Cards and models for tests of what stands around a network: they see a drawn page, and answer by a rule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shizi.models.card import Card
from shizi.models.normalize import normalization
from shizi.runtime.base import Batch
from shizi.runtime.fake import Answer, FakeSession
from tests.runtime.onnx_file import doubling

STRIDE = 8  # columns of the input behind one column of a recogniser's output


def card(task: str, **entries: object) -> Card:
    known = {"name": "m", "version": "1", "sha256": "0" * 64, "licence": "Apache-2.0", "origin": "drawn"}
    return Card.model_validate({**known, "task": task, **entries})


def reader_card(**entries: object) -> Card:
    return card("recognize", languages=("en",), **entries)


def reader_file(folder: Path, characters: Sequence[str] = "abcdefghij") -> Path:
    """A model file that lists these characters; the space follows them."""
    return doubling(folder / "reader.onnx", {"character": "\n".join(characters)})


def of_pixels(answer: Answer) -> FakeSession:
    """A model that is given pixels; its answer gets the numbers."""
    return FakeSession(answer, normalization(card("detect")))


def dark_is_text(batch: Batch) -> Batch:
    """A detector: what is darker than the middle is text."""
    return np.asarray(batch.mean(axis=1, keepdims=True) < 0, dtype=np.float32)


def shade_is_class(batch: Batch, classes: int = 12) -> Batch:
    """A recogniser: (B, 3, H, W) -> (B, W / 8, classes), shade 20 x k of a stripe of 8 columns is class k; mid-grey is blank."""
    count, _, height, _ = batch.shape
    stripes = batch[:, 0].reshape(count, height, -1, STRIDE).mean(axis=(1, 3))
    shades = (stripes + 1) * 127.5
    found = np.where(abs(shades - 127.5) < 5, 0, np.rint(shades / 20)).astype(int)
    return np.asarray(0.9 * np.eye(classes)[np.clip(found, 0, classes - 1)] + 0.1 / classes, dtype=np.float32)
